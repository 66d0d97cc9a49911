"""The OpenTelemetry face of a span: takes a record of ours, gives an `opentelemetry.trace.Span` that reads and writes it.

Imported only when somebody uses OpenTelemetry's API: the import costs 65 ms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from opentelemetry.util import types

from autotrace import guard
from autotrace.span.capture import exception_attributes
from autotrace.span.clock import Clock, from_epoch, since_epoch
from autotrace.span.finished import AttributeValue, FinishedEvent, FinishedLink
from autotrace.span.otel_values import attributes_of, is_attribute_key, value_of
from autotrace.span.span import Span

ATTRIBUTE_LIMIT = 128


def facade_of(span: Span) -> Facade:
    """The one facade of a span."""
    detail = span.details()
    if not isinstance(detail.facade, Facade):
        detail.facade = Facade(span)
    return detail.facade


class Facade(trace.Span):
    """A span as OpenTelemetry's API knows it; it also reads as the SDK's `ReadableSpan`."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def record(self) -> Span:
        """The record behind it."""
        return self._span

    def end(self, end_time: int | None = None) -> None:
        span = self._span
        if span.end:
            return
        if end_time is None:
            span.close()
        else:
            span.close(at=from_epoch(end_time))

    def get_span_context(self) -> SpanContext:
        span = self._span
        # In process a recorded span reports "sampled", whatever the head decision: a ParentBased SDK below it would
        # drop everything otherwise. Only what goes out of the process says what was decided.
        remote = span.root.remote
        state = (
            TraceState.from_header([remote.trace_state]) if remote is not None and remote.trace_state else TraceState()
        )
        return SpanContext(span.root.trace_id, span.span_id, False, TraceFlags(TraceFlags.SAMPLED), state)

    @property
    def context(self) -> SpanContext:
        return self.get_span_context()

    def is_recording(self) -> bool:
        return not self._span.end

    def set_attribute(self, key: str, value: types.AttributeValue) -> None:
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, types.AttributeValue]) -> None:
        try:
            if self._span.end:
                return
            held = self._span.details().attributes
            for key, value in attributes.items():
                plain = value_of(value)
                if plain is not None and is_attribute_key(key) and (key in held or len(held) < ATTRIBUTE_LIMIT):
                    held[key] = plain
        except BaseException as failure:
            guard.swallow(failure)

    def add_event(self, name: str, attributes: types.Attributes = None, timestamp: int | None = None) -> None:
        try:
            detail = self._span.details()
            if not self._span.end and len(detail.events) < ATTRIBUTE_LIMIT:
                moment = Clock.now() if timestamp is None else from_epoch(timestamp)
                detail.add_event(FinishedEvent(str(name), moment, attributes_of(attributes)))
        except BaseException as failure:
            guard.swallow(failure)

    def add_link(self, context: SpanContext, attributes: types.Attributes = None) -> None:
        if not self._span.end and context is not None and context.is_valid:
            self._span.details().add_link(FinishedLink(context.trace_id, context.span_id, attributes_of(attributes)))

    def update_name(self, name: str) -> None:
        if not self._span.end:
            self._span.details().name = str(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        code = status.status_code if isinstance(status, Status) else status
        text = status.description if isinstance(status, Status) else description
        detail = self._span.details()
        # OK is final and nothing goes back to UNSET (OpenTelemetry specification, "Set Status").
        if self._span.end or detail.status == "ok" or code is StatusCode.UNSET:
            return
        detail.status = "ok" if code is StatusCode.OK else "error"
        detail.status_message = text or "" if code is StatusCode.ERROR else ""
        if code is StatusCode.ERROR:
            self._span.root.error = True

    def record_exception(
        self,
        exception: BaseException,
        attributes: types.Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        try:
            described: dict[str, AttributeValue] = exception_attributes(exception)
        except BaseException as failure:
            guard.swallow(failure)
            return
        self.add_event("exception", {**described, **(attributes or {})}, timestamp)

    def __exit__(self, kind: Any, error: BaseException | None, trace_back: Any) -> None:
        if error is not None and not self._span.end:
            self._span.fail(error)
        self.end()

    @property
    def name(self) -> str:
        return self._span.name

    @property
    def kind(self) -> SpanKind:
        return SpanKind[self._span.kind.upper()]

    @property
    def parent(self) -> SpanContext | None:
        lineage = self._span.root.tracer.lineage(self._span.parent)
        if isinstance(lineage, Span):
            return facade_of(lineage).get_span_context()
        remote = self._span.root.remote
        if remote is None:
            return None
        return SpanContext(remote.trace_id, remote.span_id, True, TraceFlags(1 if remote.sampled else 0))

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
