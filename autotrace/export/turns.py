"""Keeps the export thread from holding up the application: takes long work in pieces, gives others turns in between.

A thread that comes back from I/O waits up to five milliseconds (`sys.getswitchinterval`) for an interpreter's lock that
another one holds, after each I/O anew. So the export thread, which may have a thousand spans to encode, lets go of it.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeVar

from autotrace.span.clock import Clock
from autotrace.span.finished import FinishedSpan

_SLICE_NS = 300_000
_LONGEST_SLICE_NS = 5_000_000
_PAUSE_S = 1e-6  # the shortest; the system makes it a twentieth of a millisecond
_PIECE = 16

_Item = TypeVar("_Item")


class Turns:
    """When the export thread works, and when the others do. `hurried` while somebody waits for what it does."""

    def __init__(self) -> None:
        # Not `time.sleep`: for zero seconds it does not always let go, tests replace it, and gevent's is another one.
        # A lock that nobody releases, made with the thread: under gevent both are then the real ones, or both gevent's.
        self._never = _thread.allocate_lock()
        self._never.acquire()
        self._until = 0
        self.hurried = False

    def pause(self, clock: Callable[[], int] = Clock.now) -> None:
        """Let the others work, if it is their turn.

        A thread that computes gives the interpreter's lock back late; then the next slice of ours is as long as its
        was, or spans would be recorded faster than they are exported.
        """
        before = clock()
        if before < self._until or self.hurried:
            return
        self._never.acquire(timeout=_PAUSE_S)
        after = clock()
        self._until = after + min(max(after - before, _SLICE_NS), _LONGEST_SLICE_NS)

    def pieces(self, items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
        """`items`, some at a time; before each the others may have their turn."""
        for first in range(0, len(items), _PIECE):
            self.pause()
            yield items[first : first + _PIECE]


class Batch(list[FinishedSpan]):
    """Spans for an exporter, whose thread gives turns while it reads them."""

    def __init__(self, spans: Iterable[FinishedSpan], turns: Turns) -> None:
        super().__init__(spans)
        self._turns = turns

    def __iter__(self) -> Iterator[FinishedSpan]:
        return chain.from_iterable(self._turns.pieces(self[:]))
