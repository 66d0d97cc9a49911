"""What the tracer says it costs agrees with what it costs, measured from outside, within a third.

Both are measured anew where they do not agree: on a busy machine a program's CPU is half as much again as it should be.
"""

from __future__ import annotations

import pytest

from benchmarks.paired import Pair, measure

_ATTEMPTS = 5


def agrees(pair: Pair) -> bool:
    assert pair.outside >= 0.1, "too little to compare"
    return abs(sum(pair.inside) - pair.outside) <= pair.outside / 3


@pytest.mark.parametrize(("case", "rate"), [("functions", 1.0), ("tags", 1.0), ("flask", 1.0), ("fastapi", 1.0)])
def test_what_tracing_says_it_costs_agrees_with_what_it_costs(case: str, rate: float) -> None:
    if case in ("flask", "fastapi"):
        pytest.importorskip(case)
    found = []
    for _ in range(_ATTEMPTS):
        found.append(measure(case, rate=rate, turns=6))
        if agrees(found[-1]):
            return
    pytest.fail(", ".join(f"{pair.outside:.1%} outside, {sum(pair.inside):.1%} told" for pair in found))
