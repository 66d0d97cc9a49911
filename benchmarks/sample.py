"""One measured value: takes who, what and when, gives what the tables are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One value of one round. `mode` is how the peer was set up (recorded, unsampled, ...); `unit`: ns, us, ms, bytes, 1/s.

    No text holds a space. A value that is "added" is already less that of the untraced program in the same round.
    """

    section: str
    case: str
    peer: str
    mode: str
    round: int
    value: float
    unit: str


@dataclass(frozen=True)
class Goal:
    """What autotrace is to reach: its `case` in `mode`, at most `limit` times the reference."""

    title: str
    case: str
    limit: float
    mode: str = "recorded"
