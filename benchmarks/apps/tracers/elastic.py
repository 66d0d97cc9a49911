"""Elastic APM: `instrument()` and its Flask extension and Starlette middleware; the transport compresses, then drops."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import elasticapm
from elasticapm.transport.http import Transport

from benchmarks.apps.tracers import Tracing


def start(mode: str, folder: Path) -> Tracing:
    Transport.send = lambda *words, **more: None
    client = elasticapm.Client(
        {
            "SERVICE_NAME": "shop",
            "SERVER_URL": "http://127.0.0.1:9",
            "TRANSACTION_SAMPLE_RATE": 1.0 if mode == "recorded" else 0.0,
            "METRICS_INTERVAL": "0s",
            "CLOUD_PROVIDER": "none",
            "CENTRAL_CONFIG": False,
        }
    )
    client.check_server_version = lambda *words, **more: True
    elasticapm.instrument()
    count = 0
    queue = client._transport.queue

    def counting(event_type: str, data: Any, flush: bool = False) -> None:
        nonlocal count
        count += event_type in ("transaction", "span")
        queue(event_type, data, flush)

    client._transport.queue = counting

    def flask(app: Any) -> Any:
        from elasticapm.contrib.flask import ElasticAPM

        ElasticAPM(app, client=client)
        return app

    def fastapi(app: Any) -> Any:
        from elasticapm.contrib.starlette import ElasticAPM

        app.add_middleware(ElasticAPM, client=client)
        return app

    def transaction(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def traced(*arguments: Any, **named: Any) -> Any:
            client.begin_transaction("task")
            try:
                return function(*arguments, **named)
            finally:
                client.end_transaction(function.__qualname__, "success")

        return traced

    return Tracing(elasticapm.capture_span(), transaction, flask, fastapi, client._transport.flush, lambda: count)
