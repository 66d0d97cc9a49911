"""The two clocks of a span: takes nothing, gives nanoseconds that a mocked `time` module does not move."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """The real clocks, bound when autotrace is imported.

    They are attributes of a class because freezegun replaces every *module* attribute that is a function of `time`.
    Where a hot function needs one, it takes it as the default of a parameter, for the same reason.
    """

    now: Callable[[], int] = staticmethod(time.perf_counter_ns)
    wall: Callable[[], int] = staticmethod(time.time_ns)


_EPOCH = Clock.wall() - Clock.now()


def from_epoch(nanoseconds: int) -> int:
    """The `Clock.now()` of a time since the epoch, for times that an application gives."""
    return nanoseconds - _EPOCH


def since_epoch(moment: int) -> int:
    """Nanoseconds since the epoch of a `Clock.now()`; monotonic within the process, so durations never go negative."""
    return _EPOCH + moment
