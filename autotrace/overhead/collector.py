"""The garbage collector's part: takes nothing, gives the CPU that it has used, and how much of it is due to so many objects.

Its youngest generation is collected after so many new objects, whoever has made the last of them; the older ones for those
that survived that, as spans do until they are exported. So of each a part of the process pays what its share is.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping


class Collector:
    """Counts from `start` on; in a fork's child from anew."""

    def __init__(self, clock: Callable[[], int] = time.thread_time_ns) -> None:
        self._clock = clock
        self._began = 0
        self._reset()

    def _reset(self) -> None:
        self._young_ns = self._old_ns = 0
        self._made = self._survived = 0

    def start(self) -> None:
        """Count from now on."""
        self._reset()
        if self._note not in gc.callbacks:
            gc.callbacks.append(self._note)

    def stop(self) -> None:
        """Count no more."""
        if self._note in gc.callbacks:
            gc.callbacks.remove(self._note)

    def cost_of(self, objects: float) -> float:
        """Nanoseconds of CPU that collecting was due to so many new objects, which have all survived for a while."""
        young = self._young_ns * min(objects / self._made, 1.0) if self._made else 0.0
        return young + (self._old_ns * min(objects / self._survived, 1.0) if self._survived else 0.0)

    def _note(self, phase: str, info: Mapping[str, int]) -> None:
        if phase == "start":
            self._began = self._clock()
            return
        took = self._clock() - self._began
        made = gc.get_threshold()[0]
        self._made += made
        if info["generation"]:
            self._old_ns += took
        else:
            self._young_ns += took
            self._survived += max(made - info["collected"], 0)
