"""What a traced call may cost at most, as a share of the same call with OpenTelemetry's SDK.

Both run in processes of their own, in turns of some milliseconds; what counts is the least time of the calling thread.
A machine that is busy gets more turns before the budget counts as exceeded: the least time is what a call costs, or more.
Ours has rate 0: a call is recorded as with any rate, and no export takes time from the turns. A budget is half above what
was measured, or the goal where that is less.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from benchmarks.session import Session

_ROUNDS, _MOST_ROUNDS = 5, 40
_SECONDS = 0.02


class Turns(Session):
    """Workers of this interpreter, in place of environments."""

    def python(self, peer: str) -> str:
        return sys.executable


@pytest.fixture(scope="module")
def turns() -> Iterator[Turns]:
    with Turns(["bare", "autotrace", "opentelemetry"], _ROUNDS, quick=True, is_isolated=False) as session:
        yield session


def added(turns: Turns, case: str, budget: float, mode: str = "unsampled", of: str = "") -> float:
    """What tracing adds to a call in `mode`, as a share of what the SDK takes for a recorded one (of the case `of`)."""
    untraced = turns.worker("bare", "recorded"), case
    ours = turns.worker("autotrace", mode), case
    sdk = turns.worker("opentelemetry", "recorded"), of or case
    best = dict.fromkeys((untraced, ours, sdk), float("inf"))
    share = float("inf")
    for number in range(_MOST_ROUNDS):
        for worker, asked in best:
            best[worker, asked] = min(best[worker, asked], worker.ask(asked, seconds=_SECONDS)["best"])
        share = (best[ours] - best[untraced]) / best[sdk]
        if number >= _ROUNDS - 1 and share <= budget:
            break
    print(f"{case}, {mode}: {share:.4f} of the SDK's")
    return share


@pytest.mark.parametrize(
    ("case", "budget"),
    [("sync", 0.045), ("async", 0.05), ("tagged", 0.09), ("resume", 0.045)],
)
def test_a_recorded_call_stays_within_its_budget(turns: Turns, case: str, budget: float) -> None:
    of = {"tagged": "sync", "resume": "sync"}.get(case, case)

    assert added(turns, case, budget, of=of) <= budget


def test_a_call_below_an_endpoint_that_is_not_recorded_stays_within_its_budget(turns: Turns) -> None:
    budget = 0.009

    assert added(turns, "sync", budget, mode="record_false") <= budget
