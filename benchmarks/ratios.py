"""The arithmetic of the tables: takes samples, gives medians, spreads, and ratios that were formed within a round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.sample import Sample


@dataclass(frozen=True)
class Figure:
    """What the rounds say of one case of one peer. `spread`: half the distance of the quartiles, by the median."""

    median: float
    spread: float
    unit: str


class Measured:
    """The samples of one section, by case, peer and mode; `of` names the cases that are compared with another case."""

    def __init__(self, samples: Iterable[Sample], reference: tuple[str, str], of: Mapping[str, str]) -> None:
        self.reference = reference
        self._of = of
        self._values: dict[tuple[str, str, str], dict[int, float]] = {}
        self._units: dict[tuple[str, str, str], str] = {}
        for sample in samples:
            key = sample.case, sample.peer, sample.mode
            self._values.setdefault(key, {})[sample.round] = sample.value
            self._units[key] = sample.unit

    def rows(self) -> list[tuple[str, str]]:
        """Every peer and mode, in the order in which they were measured."""
        return list(dict.fromkeys((peer, mode) for _, peer, mode in self._values))

    def cases(self) -> list[str]:
        """Every case, in the order in which they were measured."""
        return list(dict.fromkeys(case for case, _, _ in self._values))

    def figure(self, case: str, peer: str, mode: str) -> Figure | None:
        """The median over the rounds, with its spread; None for what was not measured."""
        values = list(self._values.get((case, peer, mode), {}).values())
        if not values:
            return None
        middle = median(values)
        low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (middle, middle, middle)
        return Figure(middle, (high - low) / 2 / abs(middle) if middle else 0.0, self._units[case, peer, mode])

    def ratio(self, case: str, peer: str, mode: str) -> float | None:
        """The median of the rounds' ratios to the reference; None for what is not there."""
        values = self._values.get((case, peer, mode), {})
        references = self._values.get((self._of.get(case, case), *self.reference), {})
        ratios = [value / references[number] for number, value in values.items() if references.get(number, 0) > 0]
        return median(ratios) if ratios else None
