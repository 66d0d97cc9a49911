"""Sentry: `sentry_sdk.init`, which finds the libraries itself; the transport serialises and is then not called."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import sentry_sdk
from sentry_sdk.transport import HttpTransport
from urllib3 import HTTPResponse

from benchmarks.apps.tracers import Tracing


class _Transport(HttpTransport):  # type: ignore[misc] # sentry-sdk is in an environment of its own
    spans = 0

    def _request(self, *words: Any, **more: Any) -> HTTPResponse:
        return HTTPResponse(status=200)

    def capture_envelope(self, envelope: Any) -> None:
        event = envelope.get_transaction_event()
        if event is not None:
            self.spans += 1 + len(event.get("spans", ()))
        super().capture_envelope(envelope)


def start(mode: str, folder: Path) -> Tracing:
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        traces_sample_rate=1.0 if mode == "recorded" else 0.0,
        transport=_Transport,
        transport_queue_size=10_000,  # else it drops what its thread does not get done
    )
    transport = sentry_sdk.get_client().transport
    assert isinstance(transport, _Transport)
    return Tracing(function=sentry_sdk.trace, root=_transaction, flush=sentry_sdk.flush, spans=lambda: transport.spans)


def _transaction(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def traced(*arguments: Any, **named: Any) -> Any:
        with sentry_sdk.start_transaction(op="task", name=function.__qualname__):
            return function(*arguments, **named)

    return traced
