"""Logfire: each library is instrumented by the call that its documentation names; the console stays silent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import logfire
from logfire.sampling import SamplingOptions

from benchmarks.apps.tracers import Tracing
from benchmarks.apps.tracers.contrib import exporting


def start(mode: str, folder: Path) -> Tracing:
    processor, spans = exporting()
    logfire.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        inspect_arguments=False,
        service_name="shop",
        additional_span_processors=[processor],
        sampling=SamplingOptions(head=1.0 if mode == "recorded" else 0.0),
    )
    logfire.instrument_sqlite3()
    logfire.instrument_requests()
    logfire.instrument_httpx()
    logfire.instrument_redis()

    def by_hand(function: Callable[..., Any]) -> Callable[..., Any]:
        traced: Callable[..., Any] = logfire.instrument(extract_args=False)(function)
        return traced

    def flask(app: Any) -> Any:
        logfire.instrument_flask(app)
        return app

    def fastapi(app: Any) -> Any:
        logfire.instrument_fastapi(app)
        return app

    return Tracing(by_hand, by_hand, flask, fastapi, logfire.force_flush, spans)
