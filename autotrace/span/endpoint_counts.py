"""What became of the local roots of one endpoint, as plain data: for the end report, and for the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class EndpointCounts(NamedTuple):
    """How many local roots were seen, and why each was kept; `rule` says in words what decided on them.

    `sampled` were kept by the head decision, the others in spite of it: `requested` by `trace.keep()`, `errors`, `slow`,
    `tagged` (`keep.tags`), `background` (`keep.background_per_second`). `limited` is how many there was a reason to keep
    for, but more than `keep.per_second` allows; they are among the dropped. In a store, one that was seen 0 times is what a
    rule names and no endpoint met.
    """

    endpoint: str
    rule: str
    seen: int = 0
    sampled: int = 0
    requested: int = 0
    errors: int = 0
    slow: int = 0
    tagged: int = 0
    background: int = 0
    limited: int = 0

    @property
    def kept(self) -> int:
        """How many were kept, for whatever reason."""
        return self.sampled + self.requested + self.errors + self.slow + self.tagged + self.background

    @property
    def dropped(self) -> int:
        """How many were not kept; threads that count in the same instant may leave `seen` one behind."""
        return max(self.seen - self.kept, 0)


def add_up(endpoint: str, rule: str, counts: Iterable[EndpointCounts]) -> EndpointCounts:
    """What became of the local roots of several, under one name."""
    return EndpointCounts(endpoint, rule, *(sum(column) for column in zip(*(one[2:] for one in counts), strict=True)))
