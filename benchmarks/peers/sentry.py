"""Sentry: spans by `start_span` below `start_transaction`; envelopes are made and serialized, and not sent.

Modes: recorded, unsampled (`traces_sample_rate` 0), waiting (transactions are held as its transport's queue holds them).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.functions import plain
from benchmarks.order import Order
from benchmarks.peer import Peer, UnavailableError


def start(mode: str, folder: Path) -> Peer:
    """The functions with spans of Sentry. Raises UnavailableError."""
    if mode not in ("recorded", "unsampled", "waiting"):
        raise UnavailableError(f"there is no {mode}")
    import sentry_sdk
    from sentry_sdk.transport import HttpTransport

    sent: list[int] = [0]
    held: list[Any] = []

    class Silent(HttpTransport):  # type: ignore[misc] # untyped: Sentry has an environment of its own
        def _send_request(self, body: bytes, headers: Any, endpoint_type: Any, envelope: Any = None) -> None:
            sent[0] += _count_spans(envelope)

        def capture_envelope(self, envelope: Any) -> None:
            held.append(envelope) if mode == "waiting" else super().capture_envelope(envelope)

    def settle() -> None:
        sentry_sdk.flush()
        sent[0] += sum(map(_count_spans, held))
        held.clear()

    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1",
        transport=Silent,
        traces_sample_rate=0.0 if mode == "unsampled" else 1.0,
        default_integrations=False,
        auto_enabling_integrations=False,
        transport_queue_size=10_000,
    )
    span, transaction = sentry_sdk.start_span, sentry_sdk.start_transaction

    def root(work: Callable[[], Any]) -> Any:
        with transaction(name="root"):
            return work()

    async def async_root(work: Callable[[], Awaitable[Any]]) -> Any:
        with transaction(name="async_root"):
            return await work()

    def sync(order: Order) -> Order:
        with span(name="sync"):
            return order

    def tagged(order: Order) -> Order:
        with span(name="tagged") as own:
            own.set_data("kind", order.kind)
            return order

    def outer(order: Order) -> Order:
        with span(name="outer"):
            return sync(order)

    async def coroutine(order: Order) -> Order:
        with span(name="coroutine"):
            return order

    def asking(ask: Callable[[], str]) -> str:
        with span(name="asking"):
            return ask()

    def current_name() -> str:
        current = sentry_sdk.get_current_span()
        return str(getattr(current, "name", None) or getattr(current, "description", None))

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
        settle=settle,
        exported=lambda: sent[0],
    )


def _count_spans(envelope: Any) -> int:
    transactions = [item.get_transaction_event() for item in envelope.items]
    return sum(1 + len(transaction["spans"]) for transaction in transactions if transaction)
