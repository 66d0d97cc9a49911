"""The OpenTelemetry face of a span: takes a record of ours, gives an `opentelemetry.trace.Span` that reads and writes it.

Imported only when somebody uses OpenTelemetry's API: the import costs 65 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from opentelemetry.util import types

from autotrace import guard
from autotrace.span.capture import exception_attributes, exception_text, is_error
from autotrace.span.clock import Clock, from_epoch, since_epoch
from autotrace.span.detail import making
from autotrace.span.finished import AttributeValue, FinishedEvent, FinishedLink
from autotrace.span.otel_values import attributes_of, is_attribute_key, text_of, value_of
from autotrace.span.remote import RemoteParent
from autotrace.span.span import Span

ATTRIBUTE_LIMIT = LINK_LIMIT = 128
EVENT_LIMIT = 127
"""OpenTelemetry's limits; of the 128 events the last is left for the exception that ends the span.

Of attributes the first stay, as the specification says; of events and links the last, as in the SDK.
"""


class ReadEvent(NamedTuple):
    """An event as the SDK's `ReadableSpan` shows it; `timestamp` is nanoseconds since the epoch."""

    name: str
    attributes: Mapping[str, AttributeValue]
    timestamp: int


def facade_of(span: Span) -> Facade:
    """The one facade of a span."""
    detail = span.details()
    found = detail.facade
    # By its class: `isinstance` of an abstract class is slow to say no.
    if type(found) is Facade:
        return found
    with making:
        found = detail.facade
        if type(found) is not Facade:
            found = detail.facade = Facade(span)
        return found


def started_facade(span: Span, record_exception: bool, set_status_on_exception: bool) -> Facade:
    """The facade of a span that the application has started through the API, and therefore ends."""
    facade = Facade(span)
    facade._is_started = True
    facade._records_exception = record_exception
    facade._sets_status = set_status_on_exception
    span.details().facade = facade
    return facade


class Facade(trace.Span):
    """A span as OpenTelemetry's API knows it; it also reads as the SDK's `ReadableSpan`."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._is_started = False
        self._records_exception = True
        self._sets_status = True
        # Whoever pops it ends the span: of two threads that is one.
        self._turn = [True]

    @property
    def record(self) -> Span:
        """The record behind it."""
        return self._span

    def end(self, end_time: int | None = None) -> None:
        """End the span. One of a traced call only takes no more from now on: its call has yet to return."""
        try:
            self._turn.pop()
        except IndexError:
            return
        try:
            if self._is_started:
                self._span.close(at=_moment(end_time))
        except BaseException as failure:
            guard.swallow(failure)

    def get_span_context(self) -> SpanContext:
        span = self._span
        # In process a recorded span reports "sampled", whatever the head decision: a ParentBased SDK below it would
        # drop everything otherwise. Only what goes out of the process says what was decided.
        return SpanContext(
            span.root.trace_id, span.span_id, False, TraceFlags(TraceFlags.SAMPLED), _trace_state(span.root.trace_state)
        )

    @property
    def context(self) -> SpanContext:
        return self.get_span_context()

    def is_recording(self) -> bool:
        return bool(self._turn) and not self._span.end

    def set_attribute(self, key: str, value: types.AttributeValue) -> None:
        try:
            if self.is_recording():
                _put(self._span.details().attributes, key, value)
        except BaseException as failure:
            guard.swallow(failure)

    def set_attributes(self, attributes: Mapping[str, types.AttributeValue]) -> None:
        try:
            if self.is_recording():
                held = self._span.details().attributes
                for key, value in attributes.items():
                    _put(held, key, value)
        except BaseException as failure:
            guard.swallow(failure)

    def add_event(self, name: str, attributes: types.Attributes = None, timestamp: int | None = None) -> None:
        try:
            if not self.is_recording():
                return
            event = FinishedEvent(text_of(name), _moment(timestamp), attributes_of(attributes))
            detail = self._span.details()
            with making:
                _make_room(detail.events, EVENT_LIMIT)
                detail.add_event(event)
        except BaseException as failure:
            guard.swallow(failure)

    def add_link(self, context: SpanContext, attributes: types.Attributes = None) -> None:
        try:
            # A link to nothing may still say something ("Span: add link").
            if not self.is_recording() or not context or not (context.is_valid or attributes or context.trace_state):
                return
            link = FinishedLink(context.trace_id, context.span_id, attributes_of(attributes))
            detail = self._span.details()
            with making:
                _make_room(detail.links, LINK_LIMIT)
                detail.add_link(link)
        except BaseException as failure:
            guard.swallow(failure)

    def update_name(self, name: str) -> None:
        if self.is_recording():
            self._span.details().name = text_of(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        code = status.status_code if isinstance(status, Status) else status
        text = status.description if isinstance(status, Status) else description
        detail = self._span.details()
        # OK is final and nothing goes back to UNSET (OpenTelemetry specification, "Set Status").
        if not self.is_recording() or detail.status == "ok":
            return
        if code is StatusCode.OK:
            detail.status, detail.status_message = "ok", ""
        elif code is StatusCode.ERROR:
            detail.status, detail.status_message = "error", text_of(text) if isinstance(text, str) else ""
            self._span.root.error = True

    def record_exception(
        self,
        exception: BaseException,
        attributes: types.Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        try:
            described = {**exception_attributes(exception), **(attributes or {})}
        except BaseException as failure:
            guard.swallow(failure)
            return
        self.add_event("exception", described, timestamp)

    def fail(self, error: BaseException, record_exception: bool, set_status: bool) -> None:
        """Say of an exception that left the span's block what the application wants to have said."""
        if not self.is_recording():
            return
        if record_exception and set_status:
            self._span.fail(error)
        elif is_error(error):
            if record_exception:
                self.record_exception(error)
            if set_status:
                self.set_status(StatusCode.ERROR, exception_text(error))

    def __exit__(self, kind: Any, error: BaseException | None, trace_back: Any) -> None:
        try:
            if error is not None:
                self.fail(error, self._records_exception, self._sets_status)
        except BaseException as failure:
            guard.swallow(failure)
        self.end()

    @property
    def name(self) -> str:
        return self._span.name

    @property
    def kind(self) -> SpanKind:
        return SpanKind[self._span.kind.upper()]

    @property
    def parent(self) -> SpanContext | None:
        span = self._span
        remote = span.root.remote
        if span.root.span is not span:
            lineage = span.root.tracer.lineage(span.parent)
            if isinstance(lineage, Span):
                return facade_of(lineage).get_span_context()
            remote = lineage if isinstance(lineage, RemoteParent) else None
        if remote is None:
            return None
        flags = TraceFlags(TraceFlags.SAMPLED if remote.sampled else TraceFlags.DEFAULT)
        return SpanContext(remote.trace_id, remote.span_id, True, flags, _trace_state(remote.trace_state))

    @property
    def start_time(self) -> int:
        return since_epoch(self._span.start)

    @property
    def end_time(self) -> int | None:
        return since_epoch(self._span.end) if self._span.end else None

    @property
    def attributes(self) -> Mapping[str, AttributeValue]:
        return {**self._span.site.attributes, **self._span.details().attributes}

    @property
    def status(self) -> Status:
        detail = self._span.details()
        return Status(StatusCode[detail.status.upper()], detail.status_message or None)

    @property
    def events(self) -> tuple[ReadEvent, ...]:
        events = tuple(self._span.details().events)
        return tuple(ReadEvent(event.name, event.attributes, since_epoch(event.time_ns)) for event in events)

    @property
    def links(self) -> tuple[trace.Link, ...]:
        links = tuple(self._span.details().links)
        return tuple(trace.Link(SpanContext(link.trace_id, link.span_id, False), link.attributes) for link in links)


def _moment(time_ns: object) -> int:
    """The `Clock.now()` of a time that an application gives; now, if it gives none."""
    return from_epoch(int(time_ns)) if isinstance(time_ns, int | float) else Clock.now()


def _put(held: dict[str, AttributeValue], key: object, value: object) -> None:
    plain = value_of(value)
    if plain is not None and is_attribute_key(key) and (key in held or len(held) < ATTRIBUTE_LIMIT):
        held[key] = plain


def _make_room(held: Any, limit: int) -> None:
    while len(held) >= limit:
        del held[0]


def _trace_state(text: str) -> TraceState:
    return TraceState.from_header([text]) if text else TraceState()
