"""The column `overhead` of a run: takes an `Overhead`, gives its text, and back."""

from __future__ import annotations

import json
from typing import Any

from autotrace.store.overhead import STAGES, Cost, Overhead


def to_text(overhead: Overhead) -> str:
    """The text that `from_text` reads."""
    return json.dumps({**overhead._asdict(), "stages": dict(zip(STAGES, overhead.stages, strict=True))})


def from_text(text: str) -> Overhead | None:
    """What `to_text` was given; None for nothing, and for what some other version has written."""
    try:
        found: dict[str, Any] = json.loads(text)
        return Overhead(
            cpu_ns=int(found["cpu_ns"]),
            stages=tuple(int(found["stages"][stage]) for stage in STAGES),
            targets=tuple(_cost(*line) for line in found["targets"]),
            endpoints=tuple(_cost(*line) for line in found["endpoints"]),
            timed=int(found["timed"]),
            measuring_ns=int(found["measuring_ns"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _cost(name: str, function: str, spans: int, stages: list[int]) -> Cost:
    if len(stages) != len(STAGES):
        raise ValueError(f"{len(stages)} stages, not {len(STAGES)}")
    return Cost(str(name), str(function), int(spans), tuple(map(int, stages)))
