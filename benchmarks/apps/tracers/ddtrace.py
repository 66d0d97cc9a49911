"""Datadog: `import ddtrace.auto`, as `ddtrace-run` does it; the native exporter encodes and is then not called."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.apps.tracers import Tracing

_QUIET = {
    "DD_SERVICE": "shop",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_STARTUP_LOGS": "false",
    "DD_TRACE_RATE_LIMIT": "-1",
}


class _Exporter:
    """Takes what the writer has encoded, in place of the native exporter's network."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def send(self, payload: bytes) -> str:
        return '{"rate_by_service": {}}'

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def start(mode: str, folder: Path) -> Tracing:
    rate = 1.0 if mode == "recorded" else 0.0
    os.environ.update(_QUIET, DD_TRACE_SAMPLING_RULES=f'[{{"sample_rate": {rate}}}]')
    import_module("ddtrace.auto")
    from ddtrace.trace import tracer

    writer = tracer._span_aggregator.writer
    writer._exporter = _Exporter(writer._exporter)
    count = 0
    write = writer.write

    def counting(spans: Any = None) -> None:
        nonlocal count
        count += len(spans or ())
        write(spans)

    writer.write = counting

    def by_hand(function: Callable[..., Any]) -> Callable[..., Any]:
        traced: Callable[..., Any] = tracer.wrap()(function)
        return traced

    return Tracing(function=by_hand, root=by_hand, flush=writer.flush_queue, spans=lambda: count)
