"""Sends spans to whatever speaks OTLP over HTTP: takes finished spans, posts them as protobuf."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from autotrace.export.http_delivery import HttpDelivery
from autotrace.export.otlp import SpanEncoder, encode_request
from autotrace.guard import is_from_signal
from autotrace.span.finished import FinishedSpan, Resource
from autotrace.store.sanitize import sanitize_span

DEFAULT_ENDPOINT = "http://localhost:4318"
TRACES_PATH = "/v1/traces"
"""OpenTelemetry specification, "OTLP Exporter" and "OTLP/HTTP"."""

_SCOPE = FinishedSpan._fields.index("scope")
_BODY_LIMIT = 1024 * 1024


class OtlpExporter:
    """An exporter to `endpoint`; each request may take `timeout_ns`.

    Where the endpoint names only a host, the path is OTLP's own; where there is none, a collector on this machine is meant.
    `refused` counts spans that could not be encoded; they are left out and cost no other span.
    """

    def __init__(self, endpoint: str, timeout_ns: int) -> None:
        self._delivery = HttpDelivery(traces_url(endpoint), "application/x-protobuf", timeout_ns)
        self._encoder = SpanEncoder()
        self.refused = 0

    def deliver(self, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
        """Post `spans` in bodies of about a megabyte. Raises ExportError for the first that was not accepted."""
        version = resource.attributes.get("telemetry.sdk.version")
        described = self._encoder.resource(resource)
        for scopes in self._bodies(spans):
            self._delivery.post(encode_request(described, version if isinstance(version, str) else "", scopes.items()))

    def close(self) -> None:
        """Close the connection."""
        self._delivery.close()

    def _bodies(self, spans: Sequence[FinishedSpan]) -> Iterator[dict[str, list[bytes]]]:
        """The encoded spans by what recorded them, for one body after the other."""
        scopes: dict[str, list[bytes]] = {}
        size = 0
        encode = self._encoder.encode
        for span in spans:
            try:
                encoded = encode(span)
            except Exception as error:
                if is_from_signal(error):
                    raise
                encoded = self._encode_sanitized(span)
            if size + len(encoded) > _BODY_LIMIT and size:
                yield scopes
                scopes, size = {}, 0
            size += len(encoded)
            if encoded:
                scope = span[_SCOPE]
                if type(scope) is not str:
                    scope = type(scope).__name__
                if scope in scopes:
                    scopes[scope].append(encoded)
                else:
                    scopes[scope] = [encoded]
        if size:
            yield scopes

    def _encode_sanitized(self, span: FinishedSpan) -> bytes:
        """The span; where a number does not fit, the nearest that does; nothing where that fails too."""
        try:
            return self._encoder.encode(sanitize_span(span))
        except Exception as error:
            if is_from_signal(error):
                raise
            self.refused += 1
            return b""


def traces_url(endpoint: str) -> str:
    """Where traces are posted, for what the file says of it; "" where it says nothing."""
    endpoint = endpoint or DEFAULT_ENDPOINT
    url = urlsplit(endpoint)
    return endpoint if url.path not in {"", "/"} else url._replace(path=TRACES_PATH).geturl()
