"""What waits for the export thread: takes deliveries from the application's threads, gives them back in order.

No lock: a signal handler or a finalizer may end a span in the middle of `put`, in the same thread. A deque's own steps
are atomic; the sums may drift apart by a delivery where two threads meet, and are exact again once the queue is empty.
"""

from __future__ import annotations

import _thread
from collections import deque
from collections.abc import Callable, Sequence
from operator import length_hint
from typing import NamedTuple

from autotrace.span.span import LocalRoot, Span

_SPAN_BYTES = 256
_DETAIL_BYTES = 512
_ATTRIBUTE_BYTES = 64


class Delivery(NamedTuple):
    """Spans of one local root; `weight` is about how many bytes they hold."""

    root: LocalRoot
    spans: Sequence[Span]
    weight: int


class Marker:
    """A place in the queue: `passed` is released once everything before it is exported or dropped."""

    __slots__ = ("passed",)

    def __init__(self) -> None:
        self.passed = _thread.allocate_lock()
        self.passed.acquire()


class Queue:
    """Holds at most `span_limit` spans of about `byte_limit` bytes; above that the oldest go and are counted.

    `dropped` counts the spans that came to nothing, `overflowed` those of them that were too many, and `overflowed_roots`
    the local roots whose own span was among these.
    `dispose` takes the list of those that go, and may free them: else what a sink that is down leaves behind waits for the
    garbage collector.
    """

    def __init__(
        self, span_limit: int, byte_limit: int, dispose: Callable[[list[Delivery]], None] = lambda gone: None
    ) -> None:
        self.span_limit = span_limit
        self.byte_limit = byte_limit
        self._dispose = dispose
        self.reset()

    def reset(self) -> None:
        """Forget everything, counters too."""
        self._entries: deque[Delivery | Marker] = deque()
        self.spans = 0
        self.bytes = 0
        self.dropped = self.overflowed = self.overflowed_roots = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        """Append a delivery, and drop the oldest ones while there is too much."""
        weight = weigh(spans)
        self.spans += len(spans)
        self.bytes += weight
        # Not the NamedTuple's own `__new__`, which is a Python function around this one.
        self._entries.append(tuple.__new__(Delivery, (root, spans, weight)))
        if self.spans > self.span_limit or self.bytes > self.byte_limit:
            self._dispose(self._oldest())

    def mark(self) -> Marker:
        """Append a marker."""
        marker = Marker()
        self._entries.append(marker)
        return marker

    def take(self, count: int) -> tuple[list[Delivery], Marker | None]:
        """The oldest deliveries, until they hold `count` spans, a marker comes, or nothing is left."""
        taken: list[Delivery] = []
        while count > 0:
            entry = self._pop()
            if entry is None or isinstance(entry, Marker):
                return taken, entry
            taken.append(entry)
            count -= len(entry.spans)
        return taken, None

    def drop_all(self) -> None:
        """Drop what is left, and count it."""
        while (entry := self._pop()) is not None:
            if isinstance(entry, Marker):
                entry.passed.release()
            else:
                self.dropped += len(entry.spans)

    def _oldest(self) -> list[Delivery]:
        """Take out, and count, what is too much."""
        gone: list[Delivery] = []
        while self.spans > self.span_limit or self.bytes > self.byte_limit:
            entry = self._pop()
            if entry is None:
                break
            if isinstance(entry, Marker):
                entry.passed.release()
            else:
                self.dropped += len(entry.spans)
                self.overflowed += len(entry.spans)
                self.overflowed_roots += entry.spans[-1] is entry.root.span
                gone.append(entry)
        return gone

    def _pop(self) -> Delivery | Marker | None:
        try:
            entry = self._entries.popleft()
        except IndexError:
            self.spans = self.bytes = 0
            return None
        if isinstance(entry, Delivery):
            self.spans -= len(entry.spans)
            self.bytes -= entry.weight
        return entry


def weigh(spans: Sequence[Span]) -> int:
    """About how many bytes `spans` hold; on the application's threads, so one list takes the values of all of them."""
    total = _SPAN_BYTES * len(spans)
    values: list[object] = []
    for span in spans:
        detail = span.detail
        if isinstance(detail, tuple):
            values += detail
        elif detail is not None:
            total += _DETAIL_BYTES
            # In one step: another thread may still be writing.
            values += detail.attributes.values()
            for event in detail.events:
                total += _DETAIL_BYTES
                values += event.attributes.values()
    # Of what has no length, 0.
    return total + _ATTRIBUTE_BYTES * len(values) + sum(map(length_hint, values))
