"""The span around a piece of code: takes nothing or a message, gives a handle to tag, mark and pass on the trace."""

from __future__ import annotations

import sys
from types import CodeType, TracebackType

from autotrace import guard
from autotrace.hook.declared import meeting
from autotrace.span.capture import attribute_of
from autotrace.span.context import get_current, set_current
from autotrace.span.finished import AttributeValue
from autotrace.span.remote import RemoteParent
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.unrecorded import Unrecorded

_ATTRIBUTE_LIMIT = 128
_KEY_LIMIT = 4096
_SCALARS = (str, int, float, bool)
_FORMATS = ("tracecontext", "x-trace")


class TraceContext:
    """The current span, to be used with `with` or `async with`; where there is none, a span of its own for the block.

    Without tracing every method does nothing and `context` is empty. Nothing here raises.
    """

    __slots__ = ("_code", "_inbound", "_own", "_span")

    def __init__(self) -> None:
        self._take(None, sys._getframe(1).f_code)

    @classmethod
    def from_message(cls, message: object) -> TraceContext:
        """The current span as what continues the trace of `message`.

        `message` is a mapping, or an object with `headers`, `properties` or `trace_context`; values are str, bytes, int or
        None. The current span becomes the child of the message's sender where it is a local root of which no id was
        handed out yet; any other span is linked to it. What names no trace changes nothing.
        """
        trace = cls.__new__(cls)
        trace._take(message, sys._getframe(1).f_code)
        return trace

    def _take(self, message: object, code: CodeType) -> None:
        self._span: Span | None = None
        self._own: Span | Unrecorded | None = None
        self._inbound: object = None
        self._code = code
        tracing = meeting.tracing
        if tracing is None:
            return
        try:
            from autotrace.declare.lineage import current_span, descend  # with the wire's formats, when first needed

            self._span = current_span(tracing.tracer)
            if message is not None:
                from autotrace.declare.message import read_message

                self._inbound = inbound = read_message(message)
                if self._span is not None:
                    descend(self._span, inbound)
        except BaseException as failure:
            guard.swallow(failure)

    def __enter__(self) -> TraceContext:
        if self._span is None or (self._own is not None and self._span.end):
            try:
                self._start()
            except BaseException as failure:
                guard.swallow(failure)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own is not None and self._span is not None and not self._span.end:
            self._own.__exit__(kind, error, trace)

    async def __aenter__(self) -> TraceContext:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def add_tag(self, key: str, value: object) -> None:
        """Set an attribute of the span: a str, bool, int, float or a list of one of these; of others the type's name.

        A span takes 128 tags; text is cut at 4,096 characters; None sets nothing.
        """
        span = self._span
        if span is None or span.end:
            return
        try:
            found = _tag_of(value)
            held = span.details().attributes
            if found is None or not isinstance(key, str) or not 0 < len(key) <= _KEY_LIMIT:
                return
            if key in held or len(held) < _ATTRIBUTE_LIMIT:
                held[key] = found
        except BaseException as failure:
            guard.swallow(failure)

    def mark_as_error(self, message: str | None = None) -> None:
        """Give the span the status "error", with which its trace is kept, whether an exception leaves it or not."""
        span = self._span
        if span is None or span.end:
            return
        try:
            detail = span.details()
            if detail.status != "ok":
                detail.status = "error"
                text = attribute_of(message)
                detail.status_message = text if isinstance(text, str) else detail.status_message
            span.root.error = True
        except BaseException as failure:
            guard.swallow(failure)

    def keep(self) -> None:
        """Export this trace, whatever its sampling says."""
        if self._span is not None:
            self._span.root.keep = True

    @property
    def context(self) -> dict[str, str]:
        """What a message carries so that its receiver continues this trace; plain text, empty without tracing.

        `trace_id` (32 hexadecimal digits), `span_id` and `parent_id` (16; "" for no parent), `traceparent` and `tracestate`
        (W3C Trace Context, "" for none). Where nothing is recorded (`record = false`) they are those of the caller.
        """
        span = self._span
        if span is None:
            return {}
        try:
            return _context_of(span)
        except BaseException as failure:
            guard.swallow(failure)
            return {}

    def _start(self) -> None:
        tracing = meeting.tracing
        if tracing is None:
            return
        site = Site(tracing.tracer, _name_of(self._code))
        parent = getattr(self._inbound, "parent", None)
        if isinstance(parent, RemoteParent):
            span = site.tracer.start_remote(site, Span, parent)
        else:
            span = site.tracer.start(site, Span, get_current())
        external = getattr(self._inbound, "external_id", None)
        if external is not None:
            span.details().attributes["autotrace.external_id"] = external
        self._span = span
        self._own = (site.tracer.unrecorded(span) if span.root.span is span else None) or span
        set_current(self._own)


def _context_of(span: Span) -> dict[str, str]:
    from autotrace.propagate.formats import MESSAGE, inject  # when first needed, as above

    root = span.root
    above: object = root.remote if root.span is span else root.tracer.lineage(span.parent)
    parent_id = above.span_id if isinstance(above, Span | RemoteParent) and root.unrecorded is None else 0
    return {"parent_id": "", "tracestate": "", **inject(span, _FORMATS, parent_id, MESSAGE)}


def _name_of(code: CodeType) -> str:
    name: str = getattr(code, "co_qualname", code.co_name)
    return "trace" if name.startswith("<") else name.replace("<locals>.", "")


def _tag_of(value: object) -> AttributeValue | None:
    if type(value) is list or type(value) is tuple:
        items = [attribute_of(item) for item in value[:_ATTRIBUTE_LIMIT] if type(item) in _SCALARS]
        return items if len({type(item) for item in items}) == 1 else None  # type: ignore[return-value]  # of one type
    return attribute_of(value)
