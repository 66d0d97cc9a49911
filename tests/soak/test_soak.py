"""Memory stays where it is: in the second half of sixty thousand requests here, after a tenth of a million by `python -m
tests.soak`.

A tenth of so few would be over before the garbage collector has looked at everything once. What sampling drops is its to
free, and comes to a level that is kept.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .soak_run import LIMIT, VARIANTS, soak

COUNT = 60_000
MEMORY = "4MB"


@pytest.mark.parametrize(
    "name", ["errors kept, the rest lingers", "all kept", "OTLP hangs", "10,000 endpoints, 500 rules, OTLP refused"]
)
def test_memory_stays_where_it_is(name: str, tmp_path: Path) -> None:
    variant = VARIANTS[name]
    # What may wait is full by then, and each endpoint was met.
    shorter = variant._replace(memory=MEMORY)
    memory = soak(shorter, COUNT, tmp_path, early=COUNT // 2)
    assert memory.growth <= LIMIT
