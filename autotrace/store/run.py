"""What one traced process says of itself, so that a reader can tell why the store is empty."""

from __future__ import annotations

from typing import NamedTuple

from autotrace.span.endpoint_counts import EndpointCounts


class Run(NamedTuple):
    """One process; (pid, started_ns) tells it from any other. Times are nanoseconds since the epoch.

    `roots_seen` and `roots_kept` count local roots, `spans` the spans that were delivered, `dropped` those that were kept
    and never came to an exporter, `lost` those that an exporter failed to take. `rate` is the probability, from 0 to 1,
    that a trace was kept by, `rule` the words that say where it comes from (`[sampler] rate = 0.1`). `unmatched` names the
    targets that never matched, each with what is known of the nearest name. `endpoints` says what became of the local
    roots of each endpoint, `overhead` (JSON, empty where nothing was measured) what tracing cost.
    """

    pid: int
    service: str
    started_ns: int
    command: str
    updated_ns: int = 0
    roots_seen: int = 0
    roots_kept: int = 0
    spans: int = 0
    rate: float | None = None
    rule: str = ""
    unmatched: tuple[str, ...] = ()
    endpoints: tuple[EndpointCounts, ...] = ()
    overhead: str = ""
    dropped: int = 0
    lost: int = 0
