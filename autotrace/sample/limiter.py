"""How many in a second: takes a number of traces per second and the time, says of each whether it is still within it."""

from __future__ import annotations

_SECOND = 1_000_000_000
_LONGEST = 1e18


class Limiter:
    """Lets `per_second` through on average, after a pause at most so many at once (one, where it is less than one).

    The virtual scheduling of the generic cell rate algorithm (ITU-T I.371): one number is all its state, so no lock is
    needed; threads that meet may pass one too many. `asked` counts what it was asked about.
    """

    __slots__ = ("_free_at", "_horizon", "_interval", "_per_second", "asked")

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self.reset()
        self.share(1.0)

    def share(self, fraction: float) -> None:
        """Let a part through from now on, from 0 to 1: other processes let the rest through."""
        per_second = self._per_second * fraction
        # Of a nanosecond at least, and never longer than a clock lives.
        self._interval = max(round(min(_SECOND / per_second, _LONGEST)), 1) if per_second > 0 else 0
        self._horizon = max(_SECOND, self._interval)

    def reset(self) -> None:
        """Forget what was let through, as a fork's child does."""
        self._free_at = 0
        self.asked = 0

    def take(self, now: int) -> bool:
        """Whether one more is within the limit at `now` nanoseconds."""
        self.asked += 1
        interval = self._interval
        if not interval:
            return False
        free_at = self._free_at
        after = (free_at if free_at > now else now) + interval
        if after - now <= self._horizon:
            self._free_at = after
            return True
        if free_at - now > self._horizon:
            # The part was smaller when the last one went through: a larger one does not wait for its interval.
            self._free_at = now + self._horizon
        return False
