"""Which of the shop's orders fail, where and when: takes an order's number, gives its failure or None."""

from __future__ import annotations

from typing import NamedTuple

EVERY = 200  # 0.5 %


class Failure(NamedTuple):
    """`where` is "server", after it has published, or "worker"; `seconds` is how long it works on it before."""

    where: str
    seconds: float = 0.0


_FAILURES = (
    Failure("server"),
    Failure("worker"),
    Failure("worker", 0.5),
    Failure("worker", 1.0),
    Failure("worker", 2.0),
)


def failure_of(number: int) -> Failure | None:
    """The failure of one order."""
    turn, place = divmod(number, EVERY)
    # Even numbers and odd ones: every second order belongs to a caller's trace.
    return _FAILURES[turn % len(_FAILURES)] if place == EVERY // 2 + turn % 2 else None
