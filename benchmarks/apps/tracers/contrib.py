"""OpenTelemetry with the instrumentors of contrib, applied as `opentelemetry-instrument` applies them."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased

from benchmarks.apps.tracers import Tracing


def start(mode: str, folder: Path) -> Tracing:
    provider = TracerProvider(
        sampler=ParentBased(ALWAYS_ON if mode == "recorded" else ALWAYS_OFF),
        resource=Resource.create({"service.name": "shop"}),
    )
    processor, spans = exporting()
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)
    for found in entry_points(group="opentelemetry_instrumentor"):
        found.load()().instrument()
    tracer = trace.get_tracer("shop")

    def by_hand(function: Callable[..., Any]) -> Callable[..., Any]:
        return tracer.start_as_current_span(function.__qualname__)(function)

    return Tracing(function=by_hand, root=by_hand, flush=provider.force_flush, spans=spans)


def exporting() -> tuple[BatchSpanProcessor, Callable[[], int]]:
    """A batch processor that encodes for OTLP over HTTP and does not post it; and how many spans came there."""
    import requests

    session = requests.Session()
    answer = requests.Response()
    answer.status_code = 200
    answer._content = b""
    vars(session).update(post=lambda *words, **more: answer, request=lambda *words, **more: answer)
    exporter = OTLPSpanExporter(endpoint="http://127.0.0.1:9/v1/traces", session=session)
    count = 0
    export = exporter.export

    def counting(spans: Any) -> Any:
        nonlocal count
        count += len(spans)
        return export(spans)

    vars(exporter).update(export=counting)
    return BatchSpanProcessor(exporter), lambda: count
