"""OpenTelemetry's SDK, by hand: spans by `start_as_current_span`, a BatchSpanProcessor, an exporter that sends nothing.

Modes: recorded (an exporter that counts), unsampled (a head sampler that is off), otlp (the exporter over HTTP, whose
requests end in an adapter), waiting (nothing is exported).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased

from benchmarks.encoding import ATTRIBUTES, SPANS, SPANS_OF_A_TRACE
from benchmarks.peer import SERVICE, Peer, UnavailableError
from benchmarks.peers.opentelemetry_functions import traced

_FOREVER_MS = 10**9
_LARGE = 2**18


class Counting(SpanExporter):
    """Counts, and gives its spans to another exporter, if any."""

    def __init__(self, exporter: SpanExporter | None = None) -> None:
        self.count = 0
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Count, and pass on."""
        self.count += len(spans)
        return SpanExportResult.SUCCESS if self._exporter is None else self._exporter.export(spans)


class _Kept(SpanProcessor):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


def start(mode: str, folder: Path) -> Peer:
    """The functions with spans of the SDK. Raises UnavailableError."""
    if mode not in ("recorded", "unsampled", "otlp", "waiting"):
        raise UnavailableError(f"there is no {mode}")
    counting = Counting(_over_http() if mode == "otlp" else None)
    provider = _provider(ParentBased(ALWAYS_OFF if mode == "unsampled" else ALWAYS_ON))
    provider.add_span_processor(hold_back(counting) if mode == "waiting" else BatchSpanProcessor(counting))
    trace.set_tracer_provider(provider)
    return traced(trace.get_tracer(SERVICE), provider.force_flush, lambda: counting.count, _encode)


def _provider(sampler: ParentBased) -> TracerProvider:
    return TracerProvider(sampler=sampler, resource=Resource.create({"service.name": SERVICE}))


def _over_http() -> SpanExporter:
    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    class Silent(requests.adapters.BaseAdapter):
        """The last step of a request: answers at once, and sends nothing."""

        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            response = requests.Response()
            response.status_code = 200
            response._content = b""
            response.request = request
            return response

        def close(self) -> None:
            pass

    session = requests.Session()
    session.mount("http://", Silent())
    exporter: SpanExporter = OTLPSpanExporter(endpoint="http://127.0.0.1:4318/v1/traces", session=session)
    return exporter


def hold_back(exporter: SpanExporter) -> BatchSpanProcessor:
    """A processor whose spans wait."""
    return BatchSpanProcessor(
        exporter, max_queue_size=_LARGE, schedule_delay_millis=_FOREVER_MS, max_export_batch_size=_LARGE
    )


def _encode(attributes: int) -> Callable[[], Callable[[], int]]:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    provider, kept = _provider(ParentBased(ALWAYS_ON)), _Kept()
    provider.add_span_processor(kept)
    tracer = provider.get_tracer(SERVICE)
    given = dict(list(ATTRIBUTES.items())[:attributes])
    for _ in range(SPANS // SPANS_OF_A_TRACE):
        with tracer.start_as_current_span("root") as root:
            root.set_attributes(given)
            for _ in range(SPANS_OF_A_TRACE - 1):
                with tracer.start_as_current_span("sync") as span:
                    span.set_attributes(given)
    spans = kept.spans
    return lambda: lambda: len(encode_spans(spans).SerializeToString())
