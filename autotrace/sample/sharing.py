"""What the processes of a service share in a second: takes how many roots each decides on, gives each its part."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from math import exp
from typing import Protocol

from autotrace.span.clock import Clock

_SECOND = 1_000_000_000
_INTERVAL_NS = 900_000_000
_REST_NS = 10_000_000_000  # a store that is locked holds the export thread for 5 s
_SMOOTHING_S = 2.0
_SPARE = 0.1


class Budget(Protocol):
    """So many traces a second, for all processes together; `asked` counts the roots that this one decides on."""

    asked: int

    def share(self, fraction: float) -> None:
        """Take a part of it, from 0 to 1."""


class Journal(Protocol):
    """Where processes tell each other how much they have to do; the local store is one."""

    def beat(self, started_ns: int, now_ns: int, roots: Mapping[str, float]) -> Mapping[str, tuple[int, float]]:
        """Say how many roots a second this process decides on, by budget.

        Gives for each how many processes share it, this one included, and how many roots a second all of them decide on.
        """


class Sharing:
    """The budgets of one process. `beat` does the I/O; the export thread calls it about once a second.

    A process that has decided on nothing says nothing, so that a server's master takes nothing from its workers. One that
    cannot speak to the others counts itself alone.
    """

    def __init__(
        self, journal: Journal, budgets: Callable[[], Mapping[str, Budget]], clock: Callable[[], int] = Clock.wall
    ) -> None:
        self._journal = journal
        self._budgets = budgets
        self._clock = clock
        self._asked: dict[str, int] = {}
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._started_ns = self._since = self._next = self._clock()
        self._roots: dict[str, float] = {}

    def beat(self) -> None:
        """Tell the others how much there is to do here, hear how much there is elsewhere, and take the part that is ours."""
        if self._pid != os.getpid():
            self._begin()
        now = self._clock()
        if self._since <= now < self._next:
            return
        budgets = {name: budget for name, budget in self._budgets().items() if budget.asked}
        if not budgets:
            self._since = now
            return
        elapsed_s = max(now - self._since, _SECOND) / _SECOND
        self._since, self._next = now, now + _INTERVAL_NS
        for name, budget in budgets.items():
            self._measure(name, budget.asked, elapsed_s)
        try:
            shared = self._journal.beat(self._started_ns, now, {name: self._roots[name] for name in budgets})
        except BaseException:
            self._next = now + _REST_NS
            for budget in budgets.values():
                budget.share(1.0)
            raise
        for name, budget in budgets.items():
            budget.share(_fraction(self._roots[name], *shared[name]))

    def _measure(self, name: str, asked: int, elapsed_s: float) -> None:
        before = self._asked.get(name, 0)
        self._asked[name] = asked
        # What counts less than before has begun anew.
        rate = (asked - before if asked >= before else asked) / elapsed_s
        known = self._roots.get(name)
        weight = 1.0 - exp(-elapsed_s / _SMOOTHING_S)
        self._roots[name] = rate if known is None else known + (rate - known) * weight


def _fraction(own: float, processes: int, roots: float) -> float:
    """The part of a process with `own` of all `roots`: in proportion, and a little for one that has had none of late."""
    spare = min(1.0, _SPARE * roots / processes)
    total = roots + spare * processes
    return min((own + spare) / total, 1.0) if total > 0 else 1.0 / processes
