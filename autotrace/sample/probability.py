"""Consistent probability: takes a rate and a trace's randomness, gives the decision, and the words that say so on the wire.

A trace is sampled where its 56 random bits are at or above the rejection threshold of the rate. Every service that decides
so keeps the same traces, one with a higher rate keeps a superset, and `ot=th:` in `tracestate` lets each sampled trace be
counted for all that it stands for (OpenTelemetry specification, "TraceState: Probability Sampling"; W3C Trace Context level
2, section 3.2.2.3.1).
"""

from __future__ import annotations

import re
from functools import lru_cache

RANDOMNESS = 1 << 56
"""As a threshold: all are rejected."""

_OWN = "ot="
_EXPLICIT = re.compile(r"(?:^|;)rv:([0-9a-f]{14})(?:;|$)")
_STATE_LIMIT = 512


def threshold(rate: float) -> int:
    """The rejection threshold of a rate from 0 to 1: 0 rejects nothing, `RANDOMNESS` everything."""
    return round((1.0 - rate) * RANDOMNESS)


def rate_of(rejected_below: int) -> float:
    """The rate that a rejection threshold stands for."""
    return 1.0 - rejected_below / RANDOMNESS


def randomness(trace_id: int, trace_state: str = "") -> int:
    """The 56 bits of a trace: its id's lowest, or those that a caller without such an id has sent beside it (`rv`)."""
    if _OWN in trace_state:
        explicit = _EXPLICIT.search(_own_member(trace_state))
        if explicit is not None:
            return int(explicit[1], 16)
    return trace_id & (RANDOMNESS - 1)


@lru_cache(maxsize=256)
def with_threshold(trace_state: str, rejected_below: int | None) -> str:
    """A `tracestate` that says with which threshold its trace was sampled; None: not by one, or not at all."""
    members = [member.strip() for member in trace_state.split(",") if member.strip()]
    others = [member for member in members if not member.startswith(_OWN)]
    keys = [key for key in _own_member(trace_state).split(";") if key and not key.startswith("th:")]
    if rejected_below is not None:
        keys.insert(0, f"th:{rejected_below:014x}".rstrip("0") if rejected_below else "th:0")
    own = [_OWN + ";".join(keys)] if keys else []
    state = ",".join([*own, *others])
    # What is too long goes out without what came in last (W3C Trace Context, section 3.3.1.5).
    while len(state) > _STATE_LIMIT and others:
        others.pop()
        state = ",".join([*own, *others])
    return state


def _own_member(trace_state: str) -> str:
    for member in trace_state.split(","):
        member = member.strip()
        if member.startswith(_OWN):
            return member.removeprefix(_OWN)
    return ""
