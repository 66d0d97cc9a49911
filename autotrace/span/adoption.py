"""Spans of an application's own SDK: takes them as they start and end, gives records of ours with the same identity."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import StatusCode

from autotrace import guard
from autotrace.span.clock import from_epoch
from autotrace.span.context import get_current
from autotrace.span.finished import FinishedEvent
from autotrace.span.otel_values import attributes_of
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

OPEN_LIMIT = 10_000


class Adoption(SpanProcessor):
    """A span processor on the application's provider; what that provider exports is not touched."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        # The SDK hands a copy to `on_end`. Bounded, because a span need never end.
        self._open: dict[int, Span] = {}

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        try:
            site = Site(self._tracer, span.name, span.kind.name.lower())
            record = self._tracer.start(site, Span, get_current() if parent_context is None else parent_context)
            identity = span.get_span_context()
            record.id = identity.span_id
            if record.root.span is record:
                record.root.trace_number = identity.trace_id
            vars(span)["_autotrace_record"] = record
            self._open[identity.span_id] = record
            while len(self._open) > OPEN_LIMIT:
                self._open.pop(next(iter(self._open)), None)
        except BaseException as failure:
            guard.swallow(failure)

    def on_end(self, span: ReadableSpan) -> None:
        try:
            record = self._open.pop(span.context.span_id, None)
            if record is not None and not record.end:
                _copy(span, record)
                record.close(at=from_epoch(span.end_time) if span.end_time else None)
        except BaseException as failure:
            guard.swallow(failure)


def _copy(span: ReadableSpan, record: Span) -> None:
    detail = record.details()
    detail.name = span.name
    detail.attributes = attributes_of(span.attributes)
    scope = span.instrumentation_scope
    detail.scope = scope.name if scope is not None else "opentelemetry"
    for event in span.events:
        detail.add_event(FinishedEvent(event.name, from_epoch(event.timestamp), attributes_of(event.attributes)))
    if span.status.status_code is not StatusCode.UNSET:
        detail.status = span.status.status_code.name.lower()
        detail.status_message = span.status.description or ""
    if span.status.status_code is StatusCode.ERROR:
        record.root.error = True
