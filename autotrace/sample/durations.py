"""How long the traces of one endpoint take: takes durations, says which are slower than a share of the others."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, exp, log

_STEPS = 24.0
"""Buckets for each factor of e: a bucket is 4 % wide."""

_REFRESH = 256
_FEWEST = 100
_MOST = 20_000


class Durations:
    """A histogram with exponential buckets (as OpenTelemetry's, data model "ExponentialHistogram"), of recent traces.

    Older ones count half after each 20,000. It says nothing before it knows enough.
    """

    __slots__ = ("_buckets", "_count", "_needed", "_share", "_unread", "threshold")

    def __init__(self, share: float) -> None:
        self._share = share
        self._needed = _FEWEST if share >= 1 else max(_FEWEST, ceil(1 / (1 - share)))
        self._buckets: dict[int, int] = {}
        self._count = 0
        self._unread = 0
        self.threshold = 0
        """Nanoseconds that `share` of the traces stay below; 0 while that is not known."""

    def add(self, duration: int) -> None:
        """Take one more duration, in nanoseconds."""
        bucket = int(log(duration) * _STEPS) if duration > 1 else 0
        buckets = self._buckets
        buckets[bucket] = buckets.get(bucket, 0) + 1
        self._count += 1
        self._unread += 1
        if self._unread >= _REFRESH or (not self.threshold and self._count >= self._needed):
            self._read()

    def _read(self) -> None:
        self._unread = 0
        if self._count < self._needed:
            return
        # A copy, in one step: another thread may be adding a bucket.
        buckets = sorted(self._buckets.copy().items())
        self.threshold = ceil(exp((_reach(buckets, self._share) + 1) / _STEPS))
        if self._count > _MOST:
            self._buckets = {bucket: count // 2 for bucket, count in buckets if count > 1}
            self._count //= 2


def _reach(buckets: Sequence[tuple[int, int]], share: float) -> int:
    """The first bucket with which `share` of what is in `buckets` is reached."""
    left = sum(count for _, count in buckets) * share
    for bucket, count in buckets:
        left -= count
        if left <= 0:
            return bucket
    return buckets[-1][0]
