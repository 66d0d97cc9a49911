"""Memory stays where it is after a tenth of the requests: forty thousand here, a million by `python -m tests.soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .soak_run import LIMIT, VARIANTS, soak

COUNT = 40_000
MEMORY = "4MB"


@pytest.mark.parametrize(
    "name", ["errors kept, the rest lingers", "all kept", "OTLP hangs", "10,000 endpoints, 500 rules, OTLP refused"]
)
def test_memory_stays_where_it_is(name: str, tmp_path: Path) -> None:
    variant = VARIANTS[name]
    # What may wait is full after a tenth, and each endpoint was met.
    shorter = variant._replace(memory=MEMORY, endpoints=min(variant.endpoints, COUNT // 10))
    memory = soak(shorter, COUNT, tmp_path)
    assert memory.growth <= LIMIT
