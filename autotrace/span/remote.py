"""A parent in another process: takes what a propagator read, gives the frozen data that a local root starts from."""

from __future__ import annotations

from typing import NamedTuple


class RemoteParent(NamedTuple):
    """Ids are integers of 128 and 64 bits; `sampled` is None where the carrier does not say; the rest is passed on."""

    trace_id: int
    span_id: int
    sampled: bool | None = None
    trace_state: str = ""
    baggage: str = ""
    external_id: str | None = None
