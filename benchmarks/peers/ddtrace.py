"""Datadog's tracer: spans by `tracer.trace`; its writer encodes them, and what it would send to the agent is dropped.

Modes: recorded, unsampled (a rule with rate 0), waiting (the writer's buffer holds everything, encoded).
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.functions import plain
from benchmarks.order import Order
from benchmarks.peer import Peer, UnavailableError


def start(mode: str, folder: Path) -> Peer:
    """The functions with spans of Datadog. Raises UnavailableError."""
    if mode not in ("recorded", "unsampled", "waiting"):
        raise UnavailableError(f"there is no {mode}")
    os.environ["DD_INSTRUMENTATION_TELEMETRY_ENABLED"] = "false"
    os.environ["DD_REMOTE_CONFIGURATION_ENABLED"] = "false"
    os.environ["DD_TRACE_RATE_LIMIT"] = "-1"  # else it drops what is above 100 traces a second
    os.environ["DD_TRACE_SAMPLING_RULES"] = f'[{{"sample_rate": {int(mode != "unsampled")}}}]'
    if mode == "waiting":
        os.environ["DD_TRACE_WRITER_INTERVAL_SECONDS"] = "1000"
        os.environ["DD_TRACE_WRITER_BUFFER_SIZE_BYTES"] = os.environ["DD_TRACE_WRITER_MAX_PAYLOAD_SIZE_BYTES"] = str(
            2**29
        )
    from ddtrace.internal.writer.writer import NativeWriter
    from ddtrace.trace import tracer

    sent: list[int] = [0]

    def count(writer: object, payload: bytes, traces: int, client: object) -> None:
        sent[0] += traces

    NativeWriter._send_payload = count
    written = _count_spans(NativeWriter)
    trace = tracer.trace

    def root(work: Callable[[], Any]) -> Any:
        with trace("root"):
            return work()

    async def async_root(work: Callable[[], Awaitable[Any]]) -> Any:
        with trace("async_root"):
            return await work()

    def sync(order: Order) -> Order:
        with trace("sync"):
            return order

    def tagged(order: Order) -> Order:
        with trace("tagged") as span:
            span.set_tag("kind", order.kind)
            return order

    def outer(order: Order) -> Order:
        with trace("outer"):
            return sync(order)

    async def coroutine(order: Order) -> Order:
        with trace("coroutine"):
            return order

    def asking(ask: Callable[[], str]) -> str:
        with trace("asking"):
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
        current_name=lambda: str(getattr(tracer.current_span(), "name", "")),
        settle=tracer.flush,
        exported=lambda: written[0] if sent[0] else 0,
    )


def _count_spans(writer: Any) -> list[int]:
    """How many spans were handed to the writer, in a list of one."""
    count, write = [0], writer.write

    def counting(self: Any, spans: Any = None) -> None:
        count[0] += len(spans or ())
        write(self, spans)

    writer.write = counting
    return count
