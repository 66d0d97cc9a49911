"""The record of one traced call: takes clock readings and whatever is said of the call, gives it back when asked.

A span is one small object with empty places for what most spans never need: its id, and a `Detail` for attributes, events,
links and the OpenTelemetry face. All of it is made when somebody asks.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from autotrace import guard
from autotrace.span.capture import exception_attributes, is_error
from autotrace.span.clock import Clock
from autotrace.span.context import get_current, set_current
from autotrace.span.detail import Detail, Values, making
from autotrace.span.finished import FinishedEvent, FinishedLink
from autotrace.span.identifiers import new_span_id, new_trace_id

if TYPE_CHECKING:
    from autotrace.span.remote import RemoteParent
    from autotrace.span.site import Site
    from autotrace.span.tracer import Tracer
    from autotrace.span.unrecorded import Unrecorded


class LocalRoot:
    """A span without a local parent, all that was recorded below it, and what will decide whether it is kept.

    Buffer and decision belong to it, never to the trace id: one process may hold several local roots of one trace. One that
    is `unrecorded` (`record = false`) has spans only where something is sent on, and none of them is kept. `trace_state` is
    what goes out as W3C `tracestate`.
    """

    __slots__ = (
        "dropped",
        "error",
        "finished",
        "head",
        "keep",
        "links",
        "open",
        "remote",
        "span",
        "trace_number",
        "trace_state",
        "tracer",
        "unrecorded",
        "verdict",
    )

    def __init__(self, tracer: Tracer, span: Span, remote: RemoteParent | None) -> None:
        self.tracer = tracer
        self.span = span
        self.remote = remote
        if remote is None:
            self.trace_number = 0
            self.trace_state = ""
        else:
            self.trace_number = remote.trace_id
            self.trace_state = remote.trace_state
        self.finished: list[Span] = []
        self.open = True
        self.unrecorded: Unrecorded | None = None
        self.error = False
        self.keep = False
        self.head: bool | None = None
        self.verdict: bool | None = None
        self.dropped = 0
        self.links: Sequence[FinishedLink] = ()

    @property
    def trace_id(self) -> int:
        """The 128 bits, made when first asked for."""
        if not self.trace_number:
            with making:
                if not self.trace_number:
                    self.trace_number = new_trace_id()
        return self.trace_number

    @property
    def sampled(self) -> bool:
        """The head decision: taken when something goes out, or at the end, and once only."""
        if self.head is None:
            self.head = self.tracer.decide(self)
        return self.head


class Span:
    """One traced call. It is also the context manager that woven code enters, so that no local variable is needed.

    `parent` is what was current before: another span, an OpenTelemetry context, or None. Times are `Clock.now()`. `detail`
    is None while nothing is known but place and times, the values that the site's tags had when the call began, or a Detail
    once more was said.
    """

    __slots__ = ("detail", "end", "id", "parent", "root", "site", "start")

    site: Site
    parent: object
    root: LocalRoot
    start: int
    end: int
    detail: Detail | Values | None
    id: int

    # Any C function without arguments: the span is entered when it is made, and a Python function here would add a
    # tenth to the cost of a traced call.
    if TYPE_CHECKING:

        def __enter__(self) -> object: ...
    else:
        __enter__ = gc.isenabled

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        clock: Callable[[], int] = Clock.now,
    ) -> None:
        try:
            if error is not None:
                self.fail(error)
            self.end = clock()
            # By value, and only where the call is still current: a coroutine or generator that another context closes
            # must not change that context (opentelemetry-python issue 2606).
            if get_current() is self:
                set_current(self.parent)
            else:
                self.root.tracer.leave(self)
            root = self.root
            if root.span is not self and root.open:
                finished = root.finished
                finished.append(self)
                if len(finished) > root.tracer.limit:
                    root.tracer.overflow(root)
            else:
                root.tracer.complete(self)
        except BaseException as failure:
            if get_current() is self:
                set_current(self.parent)
            guard.swallow(failure)

    def close(self, error: BaseException | None = None, at: int | None = None) -> None:
        """End the span where it is not current: a generator between two steps, a span that an application ends."""
        if self.end:
            return
        if error is not None:
            self.fail(error)
        self.end = Clock.now() if at is None else at
        self.root.tracer.complete(self)

    def fail(self, error: BaseException) -> None:
        """Record that the call raised `error`: control flow is no error, and an exception is text before it leaves."""
        if not is_error(error):
            if type(error).__name__ == "CancelledError":
                self.details().attributes["autotrace.cancelled"] = True
            return
        detail = self.details()
        attributes = exception_attributes(error)
        detail.add_event(FinishedEvent("exception", Clock.now(), attributes))
        detail.attributes.setdefault("error.type", str(attributes["exception.type"]))
        if detail.status != "ok":
            detail.status = "error"
            detail.status_message = detail.status_message or str(attributes.get("exception.message", ""))
        self.site.tag(self, "error", error)
        self.root.tracer.note_error(self, error)

    def details(self) -> Detail:
        """The detail, made when first asked for."""
        detail = self.detail
        if isinstance(detail, Detail):
            return detail
        with making:
            detail = self.detail
            if not isinstance(detail, Detail):
                values, detail = detail, Detail()
                detail.attributes = {} if values is None else self.site.named(values)
                self.detail = detail
            return detail

    @property
    def span_id(self) -> int:
        """The 64 bits, made when first asked for."""
        if not self.id:
            with making:
                if not self.id:
                    self.id = new_span_id()
        return self.id

    @property
    def name(self) -> str:
        """The span's name: its own, or that of its place."""
        detail = self.detail
        return (detail.name if isinstance(detail, Detail) else None) or self.site.name

    @property
    def kind(self) -> str:
        """internal, server, client, producer or consumer."""
        detail = self.detail
        return (detail.kind if isinstance(detail, Detail) else None) or self.site.kind


class ShortSpan(Span):
    """A span of a target with `min_duration`: it vanishes if it was quick and nobody has seen it.

    Children do not find the class they hope for in their parent, so they come through the tracer, which marks the parent
    as seen; the other spans pay nothing for that.
    """

    __slots__ = ("seen", "vanished")

    seen: bool
    vanished: bool

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        clock: Callable[[], int] = Clock.now,
    ) -> None:
        short = error is None and clock() - self.start < self.site.min_duration
        seen = self.seen or self.id or self.root.span is self
        if short and not seen and (self.detail is None or not self.has_links()):
            self.vanished = True
            if get_current() is self:
                set_current(self.parent)
            return
        super().__exit__(kind, error, trace)

    def has_links(self) -> bool:
        """Whether something outside its own call was said of it; tags alone are no reason to keep it."""
        detail = self.detail
        return isinstance(detail, Detail) and bool(detail.links or detail.events or detail.facade)
