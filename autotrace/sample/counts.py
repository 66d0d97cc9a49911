"""What a sampler has decided so far, as plain data: for the end line, and for why a store is empty."""

from __future__ import annotations

from typing import NamedTuple


class RuleCount(NamedTuple):
    """How many local roots one rule was asked about, and how many of those were dropped."""

    rule: str
    rate: float | None
    seen: int
    dropped: int


class Counts(NamedTuple):
    """Local roots seen, and kept by reason; threads that end roots in the same instant may be counted once.

    `sampled` were kept by the head decision; `errors`, `slow` and `requested` (`trace.keep()`) in spite of it. `rate`
    (0 to 1; None: the caller in another process decided) and `rule` say what dropped most of them, else the default.
    """

    seen: int
    sampled: int
    errors: int
    slow: int
    requested: int
    rate: float | None
    rule: str
    rules: tuple[RuleCount, ...] = ()

    @property
    def kept(self) -> int:
        """How many were kept, for whatever reason."""
        return self.sampled + self.errors + self.slow + self.requested

    @property
    def dropped(self) -> int:
        """How many were not kept."""
        return self.seen - self.kept
