"""New Relic: `newrelic.agent.initialize()` in its developer mode, which records all and posts nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from benchmarks.apps.tracers import Tracing

_SETTINGS = {
    "NEW_RELIC_APP_NAME": "shop",
    "NEW_RELIC_LICENSE_KEY": "0" * 40,
    "NEW_RELIC_DEVELOPER_MODE": "true",
    "NEW_RELIC_LOG_LEVEL": "critical",
}


def start(mode: str, folder: Path) -> Tracing:
    sampler = "always_on" if mode == "recorded" else "always_off"
    for origin in ("ROOT", "REMOTE_PARENT_SAMPLED", "REMOTE_PARENT_NOT_SAMPLED"):
        os.environ[f"NEW_RELIC_DISTRIBUTED_TRACING_SAMPLER_{origin}"] = sampler
    os.environ.update(_SETTINGS)
    import newrelic.agent

    newrelic.agent.initialize()
    newrelic.agent.register_application(timeout=10.0)
    return Tracing(
        function=newrelic.agent.function_trace(),
        root=newrelic.agent.background_task(),
        spans=_count,
    )


_counted = 0
_counts = False


def _count() -> int:
    """The nodes of the transactions since this was first called, as counting them takes time."""
    global _counts
    if not _counts:
        _counts = True
        _count_from_now()
    return _counted


def _count_from_now() -> None:
    from newrelic.core.stats_engine import StatsEngine

    record = StatsEngine.record_transaction

    def counting(engine: Any, transaction: Any) -> None:
        global _counted
        _counted += _nodes(transaction.root)
        record(engine, transaction)

    StatsEngine.record_transaction = counting


def _nodes(node: Any) -> int:
    return 1 + sum(_nodes(child) for child in node.children)
