"""OpenTelemetry's SDK and autotrace side by side: gives a tracer of either, and what its spans were when they had ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from autotrace.export.convert import convert
from autotrace.span import runtime_context
from autotrace.span.finished import FinishedSpan
from autotrace.span.provider import FacadeTracer
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer


class Ended(NamedTuple):
    """A span that has ended, in the same words whoever recorded it; sequences are tuples."""

    name: str
    trace_id: int
    span_id: int
    parent_id: int
    kind: str
    start: int
    end: int
    status: str
    description: str
    attributes: dict[str, Any]
    events: list[tuple[str, int, dict[str, Any]]]
    links: list[tuple[int, int, dict[str, Any]]]
    scope: str


class Traced:
    """A tracer of one of the two."""

    def __init__(self, name: str, tracer: trace.Tracer, ended: Callable[[], list[Ended]]) -> None:
        self.name = name
        self.is_ours = name == "autotrace"
        self.tracer = tracer
        self.all_ended = ended

    def ended(self) -> Ended:
        """The only span that has ended."""
        (span,) = self.all_ended()
        return span


@contextmanager
def sdk() -> Iterator[Traced]:
    """OpenTelemetry's own."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Traced("sdk", provider.get_tracer("shop"), lambda: [_read(span) for span in exporter.get_finished_spans()])
    provider.shutdown()


@contextmanager
def autotrace() -> Iterator[Traced]:
    """Ours; its spans as exporters get them."""
    finished: list[FinishedSpan] = []

    def deliver(root: LocalRoot, spans: Sequence[Span]) -> None:
        finished.extend(convert(root, spans))

    tracer = Tracer(lambda root: True, lambda root: True, deliver)
    runtime_context.take_slot()
    try:
        yield Traced("autotrace", FacadeTracer(tracer, "shop"), lambda: [_of_ours(span) for span in finished])
    finally:
        runtime_context.leave_slot()


def _read(span: ReadableSpan) -> Ended:
    assert span.context is not None and span.start_time is not None and span.end_time is not None
    return Ended(
        name=span.name,
        trace_id=span.context.trace_id,
        span_id=span.context.span_id,
        parent_id=span.parent.span_id if span.parent is not None else 0,
        kind=span.kind.name.lower(),
        start=span.start_time,
        end=span.end_time,
        status=span.status.status_code.name.lower(),
        description=span.status.description or "",
        attributes=dict(span.attributes or {}),
        events=[(event.name, event.timestamp, dict(event.attributes or {})) for event in span.events],
        links=[(link.context.trace_id, link.context.span_id, dict(link.attributes or {})) for link in span.links],
        scope=span.instrumentation_scope.name if span.instrumentation_scope is not None else "",
    )


def _of_ours(span: FinishedSpan) -> Ended:
    return Ended(
        name=span.name,
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id=span.parent_id,
        kind=span.kind,
        start=span.start_ns,
        end=span.start_ns + span.duration_ns,
        status=span.status,
        description=span.status_message,
        attributes=dict(span.attributes),
        events=[(event.name, event.time_ns, dict(event.attributes)) for event in span.events],
        links=[(link.trace_id, link.span_id, dict(link.attributes)) for link in span.links],
        scope=span.scope,
    )
