"""Rows of the processes that share a budget: takes what this process says of itself, gives what all of them say."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

# An exporter that does not answer holds the thread that writes these rows for 2 s.
_FRESH_NS = 4_000_000_000


def exchange(
    connection: sqlite3.Connection, pid: int, started_ns: int, now_ns: int, roots: Mapping[str, float]
) -> dict[str, tuple[int, float]]:
    """Write how many roots a second this process decides on, by service or rule; sums by the same, with their counts.

    Within the caller's transaction. Who has not written for 4 s is gone, and so is its row; one from the future was written
    before somebody set the clock back.
    """
    texts = {service: service.encode("utf-8", "backslashreplace").decode() for service in roots}
    rows = [(pid, started_ns, texts[service], now_ns, rate) for service, rate in roots.items()]
    stale = (now_ns - _FRESH_NS, now_ns + _FRESH_NS)
    connection.execute("DELETE FROM heartbeats WHERE beat_ns NOT BETWEEN ? AND ?", stale)
    connection.executemany("INSERT OR REPLACE INTO heartbeats VALUES (?, ?, ?, ?, ?)", rows)
    sums = connection.execute("SELECT service, count(*), sum(roots) FROM heartbeats GROUP BY service")
    found = {str(service): (int(count), float(total)) for service, count, total in sums}
    return {service: found[texts[service]] for service in roots}
