"""Memory stays where it is after a tenth of the requests: forty thousand here, a million by `python -m tests.soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .soak_run import LIMIT, VARIANTS, soak

COUNT = 40_000
# What may wait is then full after a tenth.
MEMORY = "4MB"


@pytest.mark.parametrize(
    "name", ["errors kept, the rest lingers", "all kept", "OTLP hangs", "10,000 endpoints, 500 rules, OTLP refused"]
)
def test_memory_stays_where_it_is(name: str, tmp_path: Path) -> None:
    memory = soak(VARIANTS[name]._replace(memory=MEMORY), COUNT, tmp_path)
    assert memory.growth <= LIMIT
