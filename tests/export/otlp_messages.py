"""OTLP as OpenTelemetry's own classes read and write it: takes spans of ours, gives its protobuf messages and SDK spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.sdk.resources import Resource as SdkResource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from autotrace.export.otlp import SpanEncoder, encode_request
from autotrace.span.finished import FinishedSpan, Resource

SHOP = Resource("shop", {"service.name": "shop", "host.name": "here", "process.pid": 7})


def encoded(spans: Iterable[FinishedSpan], encoder: SpanEncoder | None = None, version: str = "") -> bytes:
    """One request with `spans` of a shop, by what recorded them."""
    encoder = encoder or SpanEncoder()
    scopes: dict[str, list[bytes]] = {}
    for span in spans:
        scopes.setdefault(span.scope, []).append(encoder.encode(span))
    return encode_request(encoder.resource(SHOP), version, scopes.items())


def decode(body: bytes) -> ExportTraceServiceRequest:
    """The request in `body`, with no byte that its classes do not know."""
    request = ExportTraceServiceRequest.FromString(body)
    known = ExportTraceServiceRequest()
    known.CopyFrom(request)
    known.DiscardUnknownFields()
    assert request == known
    return request


def spans_of(request: ExportTraceServiceRequest) -> list[Any]:
    """Every span of a request."""
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes as Python has them."""
    return {pair.key: value_of(pair.value) for pair in pairs}


def value_of(value: AnyValue) -> Any:
    """What one `AnyValue` holds."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    found = getattr(value, kind)
    return [value_of(item) for item in found.values] if kind == "array_value" else found


def sdk_spans(spans: Sequence[FinishedSpan]) -> list[ReadableSpan]:
    """The same spans as the SDK would have finished them."""
    resource = SdkResource({**SHOP.attributes, "service.name": SHOP.service_name})
    return [_sdk_span(span, resource) for span in spans]


def _sdk_span(span: FinishedSpan, resource: SdkResource) -> ReadableSpan:
    def identity(trace_id: int, span_id: int, is_remote: bool = False) -> SpanContext:
        state = TraceState.from_header([span.trace_state])
        return SpanContext(trace_id, span_id, is_remote, TraceFlags(1), state)

    return ReadableSpan(
        name=span.name,
        context=identity(span.trace_id, span.span_id),
        parent=identity(span.trace_id, span.parent_id, span.local_root) if span.parent_id else None,
        resource=resource,
        attributes=_bounded(span.attributes),
        events=[Event(event.name, _bounded(event.attributes), event.time_ns) for event in span.events],
        links=[Link(identity(link.trace_id, link.span_id), _bounded(link.attributes)) for link in span.links],
        kind=SpanKind[span.kind.upper()],
        status=Status(StatusCode[span.status.upper()], span.status_message or None),
        start_time=span.start_ns,
        end_time=span.start_ns + span.duration_ns,
        instrumentation_scope=InstrumentationScope(span.scope),
    )


def _bounded(attributes: Mapping[str, Any]) -> BoundedAttributes:
    return BoundedAttributes(attributes=attributes)
