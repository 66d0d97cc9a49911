"""Logfire: spans by `logfire.span`, given in batches to an exporter that counts; nothing is printed or sent.

Modes: recorded, unsampled (`head` 0), waiting (nothing is exported).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.functions import plain
from benchmarks.order import Order
from benchmarks.peer import SERVICE, Peer, UnavailableError


def start(mode: str, folder: Path) -> Peer:
    """The functions with spans of Logfire. Raises UnavailableError."""
    if mode not in ("recorded", "unsampled", "waiting"):
        raise UnavailableError(f"there is no {mode}")
    import logfire
    from opentelemetry import trace
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from benchmarks.peers.opentelemetry import Counting, hold_back

    counting = Counting()
    logfire.configure(
        send_to_logfire=False,
        console=False,
        service_name=SERVICE,
        metrics=False,
        inspect_arguments=False,
        sampling=logfire.SamplingOptions(head=0.0 if mode == "unsampled" else 1.0),
        additional_span_processors=[hold_back(counting) if mode == "waiting" else BatchSpanProcessor(counting)],
    )
    span = logfire.span

    def root(work: Callable[[], Any]) -> Any:
        with span("root"):
            return work()

    async def async_root(work: Callable[[], Awaitable[Any]]) -> Any:
        with span("async_root"):
            return await work()

    def sync(order: Order) -> Order:
        with span("sync"):
            return order

    def tagged(order: Order) -> Order:
        with span("tagged", kind=order.kind):
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

    return Peer(
        root=root,
        async_root=async_root,
        sync=sync,
        tagged=tagged,
        outer=outer,
        coroutine=coroutine,
        asking=asking,
        plain=plain,
        current_name=lambda: str(getattr(trace.get_current_span(), "name", "")),
        settle=logfire.force_flush,
        exported=lambda: counting.count,
    )
