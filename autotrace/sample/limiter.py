"""How many in a second: takes a number of traces per second and the time, says of each whether it is still within it."""

from __future__ import annotations

_SECOND = 1_000_000_000


class Limiter:
    """Lets `per_second` through on average, after a pause at most so many at once (one, where it is less than one).

    The virtual scheduling of the generic cell rate algorithm (ITU-T I.371): one number is all its state, so no lock is
    needed; threads that meet may pass one too many.
    """

    __slots__ = ("_free_at", "_interval", "_tolerance")

    def __init__(self, per_second: float) -> None:
        self._free_at = 0
        self.allow(per_second)

    def allow(self, per_second: float) -> None:
        """Let another number through from now on."""
        self._interval = round(_SECOND / per_second) if per_second > 0 else 0
        self._tolerance = max(_SECOND - self._interval, 0)

    def reset(self) -> None:
        """Forget what was let through."""
        self._free_at = 0

    def take(self, now: int) -> bool:
        """Whether one more is within the limit at `now` nanoseconds."""
        free_at = self._free_at
        if not self._interval or free_at - now > self._tolerance:
            return False
        self._free_at = (free_at if free_at > now else now) + self._interval
        return True
