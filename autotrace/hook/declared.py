"""Where declarations in code and the tracing of the process meet: takes both as they come, gives each the other.

A program may declare functions before tracing is put in, after it, or never; the second costs it nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Meeting:
    """The tracing of this process, None while there is none, and who wants to know of it."""

    def __init__(self) -> None:
        self.tracing: Any = None
        self._waiting: list[Callable[[Any], None]] = []

    def tell(self, arrived: Callable[[Any], None]) -> None:
        """Call `arrived(tracing)` whenever tracing is put in."""
        self._waiting.append(arrived)

    def arrive(self, tracing: object) -> None:
        """Tracing is in."""
        self.tracing = tracing
        for arrived in self._waiting:
            arrived(tracing)

    def leave(self, tracing: object) -> None:
        """Tracing is out; another that came meanwhile stays."""
        if self.tracing is tracing:
            self.tracing = None


meeting = Meeting()
