"""What tracing cost one process, as plain data; takes several processes, gives them as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

STAGES = ("Trace Context Creation", "Context Propagation", "Span Recording", "Tag Management", "Export")
CREATION, PROPAGATION, RECORDING, TAGS, EXPORT = range(len(STAGES))

Nanoseconds: TypeAlias = tuple[int, ...]
"""Of CPU, one number for each of `STAGES`."""

NOTHING: Nanoseconds = (0,) * len(STAGES)


class Cost(NamedTuple):
    """What the spans of one target, or of one endpoint, have cost; `function` is "" where the name says it all."""

    name: str
    function: str
    spans: int
    stages: Nanoseconds


class Overhead(NamedTuple):
    """One process, since its start or its fork. `cpu_ns` is all CPU that it has used, tracing included.

    `timed` is how many calls of the tracer were timed for it, `measuring_ns` what that itself has cost. Lines come most
    expensive first.
    """

    cpu_ns: int
    stages: Nanoseconds
    targets: tuple[Cost, ...] = ()
    endpoints: tuple[Cost, ...] = ()
    timed: int = 0
    measuring_ns: int = 0

    @property
    def share(self) -> float:
        """All stages together as a share of the process's CPU, from 0 to 1."""
        return sum(self.stages) / self.cpu_ns if self.cpu_ns else 0.0


def total(parts: Iterable[Overhead]) -> Overhead:
    """Several processes as one."""
    parts = list(parts)
    return Overhead(
        cpu_ns=sum(part.cpu_ns for part in parts),
        stages=_sum(part.stages for part in parts),
        targets=_merge(line for part in parts for line in part.targets),
        endpoints=_merge(line for part in parts for line in part.endpoints),
        timed=sum(part.timed for part in parts),
        measuring_ns=sum(part.measuring_ns for part in parts),
    )


def _sum(stages: Iterable[Nanoseconds]) -> Nanoseconds:
    return tuple(map(sum, zip(NOTHING, *stages, strict=True)))


def _merge(lines: Iterable[Cost]) -> tuple[Cost, ...]:
    found: dict[tuple[str, str], list[Cost]] = {}
    for line in lines:
        found.setdefault((line.name, line.function), []).append(line)
    merged = [
        Cost(*key, sum(one.spans for one in same), _sum(one.stages for one in same)) for key, same in found.items()
    ]
    return tuple(sorted(merged, key=lambda line: -sum(line.stages)))
