"""The garbage collector's part: takes nothing, gives the CPU that it has used, and how much of it is due to so many objects.

It runs after so many new objects, whoever has made the last of them. So of what it costs, a part of the process pays
what its share of the objects is.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable


class Collector:
    """Counts from `start` on; in a fork's child from anew."""

    def __init__(self, clock: Callable[[], int] = time.thread_time_ns) -> None:
        self._clock = clock
        self._began = self._cpu_ns = self._collections = 0

    def start(self) -> None:
        """Count from now on."""
        self._cpu_ns = 0
        self._collections = _collections()
        if self._note not in gc.callbacks:
            gc.callbacks.append(self._note)

    def stop(self) -> None:
        """Count no more."""
        if self._note in gc.callbacks:
            gc.callbacks.remove(self._note)

    def cost_of(self, objects: float) -> float:
        """Nanoseconds of CPU that collecting was due to so many new objects."""
        every = (_collections() - self._collections) * gc.get_threshold()[0]
        return self._cpu_ns * min(objects / every, 1.0) if every else 0.0

    def _note(self, phase: str, info: object) -> None:
        if phase == "start":
            self._began = self._clock()
        else:
            self._cpu_ns += self._clock() - self._began


def _collections() -> int:
    return sum(int(generation["collections"]) for generation in gc.get_stats())
