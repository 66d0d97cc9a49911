"""Elastic APM: spans by `capture_span` below a transaction; events are serialized and compressed, and not sent.

Modes: recorded, unsampled (`transaction_sample_rate` 0).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.functions import plain
from benchmarks.order import Order
from benchmarks.peer import SERVICE, Peer, UnavailableError


def start(mode: str, folder: Path) -> Peer:
    """The functions with spans of Elastic. Raises UnavailableError."""
    if mode not in ("recorded", "unsampled"):
        raise UnavailableError(f"there is no {mode}")
    import elasticapm
    from elasticapm.traces import execution_context
    from elasticapm.transport.http import Transport

    def send(transport: Any, data: Any, **_: Any) -> None:
        pass

    Transport.send = send
    Transport.fetch_server_info = lambda transport: None
    client = elasticapm.Client(
        service_name=SERVICE,
        server_url="http://127.0.0.1:9",
        transaction_sample_rate=0.0 if mode == "unsampled" else 1.0,
        transaction_max_spans=100_000,
        span_compression_enabled=False,
        exit_span_min_duration="0ms",
        central_config=False,
        cloud_provider="none",
        metrics_interval="0s",
        metrics_sets=[],
    )
    client.server_version = (8, 0, 0)
    transport = client._transport
    span = elasticapm.capture_span

    def root(work: Callable[[], Any]) -> Any:
        client.begin_transaction("root")
        try:
            return work()
        finally:
            client.end_transaction("root", "success")

    async def async_root(work: Callable[[], Awaitable[Any]]) -> Any:
        client.begin_transaction("root")
        try:
            return await work()
        finally:
            client.end_transaction("async_root", "success")

    def sync(order: Order) -> Order:
        with span("sync"):
            return order

    def tagged(order: Order) -> Order:
        with span("tagged", labels={"kind": order.kind}):
            return order

    def outer(order: Order) -> Order:
        with span("outer"):
            return sync(order)

    async def coroutine(order: Order) -> Order:
        with span("coroutine"):
            return order

    def asking(ask: Callable[[], str]) -> str:
        with span("asking"):
            return ask()

    def current_name() -> str:
        current = execution_context.get_span()
        if current is None:
            return "root" if execution_context.get_transaction() else ""
        return str(current.name)

    return Peer(
        root=root,
        async_root=async_root,
        sync=sync,
        tagged=tagged,
        outer=outer,
        coroutine=coroutine,
        asking=asking,
        plain=plain,
        current_name=current_name,
        settle=client._transport.flush,
        exported=lambda: transport._counts["span"] + transport._counts["transaction"],
    )
