"""Sends spans to Jaeger: takes finished spans, posts them to its collector as Thrift batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from autotrace.export.http_delivery import HttpDelivery
from autotrace.export.thrift import encode_batch, encode_process, encode_span
from autotrace.guard import is_from_signal
from autotrace.span.finished import FinishedSpan, Resource

_BODY_LIMIT = 1024 * 1024


class JaegerExporter:
    """An exporter to `endpoint`, such as `http://jaeger:14268/api/traces`; each request may take `timeout_ns`.

    `refused` counts spans that could not be encoded; they are left out and cost no other span.
    """

    def __init__(self, endpoint: str, timeout_ns: int) -> None:
        self._delivery = HttpDelivery(endpoint, "application/x-thrift", timeout_ns)
        self.refused = 0

    def deliver(self, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
        """Post `spans` in bodies of about a megabyte. Raises ExportError for the first that was not accepted."""
        process = encode_process(resource)
        for encoded in self._bodies(spans):
            self._delivery.post(encode_batch(process, encoded))

    def close(self) -> None:
        """Close the connection."""
        self._delivery.close()

    def _bodies(self, spans: Sequence[FinishedSpan]) -> Iterator[list[bytes]]:
        body: list[bytes] = []
        size = 0
        for span in spans:
            try:
                encoded = encode_span(span)
            except Exception as error:
                if is_from_signal(error):
                    raise
                self.refused += 1
                continue
            if body and size + len(encoded) > _BODY_LIMIT:
                yield body
                body, size = [], 0
            body.append(encoded)
            size += len(encoded)
        if body:
            yield body
