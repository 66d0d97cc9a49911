"""New Relic: spans by `FunctionTrace` below a background task; in its developer mode, which answers requests itself.

Modes: recorded, unsampled (its samplers are off). Spans of one harvest are limited to 10,000, which is its own limit.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks import functions
from benchmarks.functions import plain
from benchmarks.order import Order
from benchmarks.peer import SERVICE, Peer, UnavailableError

_CONFIG = """\
[newrelic]
app_name = {service}
license_key = 0000000000000000000000000000000000000000
developer_mode = true
log_file = {folder}/newrelic.log
distributed_tracing.enabled = true
distributed_tracing.sampler.remote_parent_sampled = {sampler}
distributed_tracing.sampler.remote_parent_not_sampled = {sampler}
distributed_tracing.sampler.root = {sampler}
span_events.max_samples_stored = 10000
"""


def start(mode: str, folder: Path) -> Peer:
    """The functions with spans of New Relic. Raises UnavailableError."""
    if mode not in ("recorded", "unsampled"):
        raise UnavailableError(f"there is no {mode}")
    if os.environ.get("BENCHMARKS_ISOLATED") != "1":
        raise UnavailableError("it looks for the internet, and this process has a network")
    from newrelic import agent
    from newrelic.core.data_collector import DeveloperModeSession

    sampler = "always_off" if mode == "unsampled" else "always_on"
    file = folder / "newrelic.ini"
    file.write_text(_CONFIG.format(service=SERVICE, folder=folder, sampler=sampler))
    agent.initialize(str(file))
    application = agent.register_application(timeout=10.0)
    sent = _count_spans(DeveloperModeSession)
    trace, task = agent.FunctionTrace, agent.BackgroundTask

    def root(work: Callable[[], Any]) -> Any:
        with task(application, "root"):
            return work()

    async def async_root(work: Callable[[], Awaitable[Any]]) -> Any:
        with task(application, "async_root"):
            return await work()

    def sync(order: Order) -> Order:
        with trace("sync"):
            return order

    def tagged(order: Order) -> Order:
        with trace("tagged") as span:
            span.add_custom_attribute("kind", order.kind)
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
        current_name=lambda: _name(agent.current_trace(), agent.current_transaction()),
        settle=lambda: _harvest(application),
        exported=lambda: sent[0],
        generator=agent.function_trace()(functions.generator),
    )


def _name(trace: Any, transaction: Any) -> str:
    return str(getattr(trace, "name", None) or getattr(transaction, "name", ""))


def _harvest(application: Any) -> None:
    from newrelic.core.agent import agent_instance

    agent_instance().application(application.name).harvest()


def _count_spans(session: Any) -> list[int]:
    """How many spans were sent, in a list of one."""
    count, send = [0], session.send_span_events

    def counting(self: Any, sampling: Any, spans: Any) -> Any:
        count[0] += len(spans)
        return send(self, sampling, spans)

    session.send_span_events = counting
    return count
