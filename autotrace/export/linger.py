"""Dropped traces that another process may yet keep: takes local roots as they are decided, gives back what is wanted.

A worker that fails never tells its publisher, which has long decided. So what was dropped waits for ten seconds; a process
that keeps a trace in spite of its sampling says so in a journal that all processes of the machine share.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from autotrace.span.clock import Clock
from autotrace.span.span import LocalRoot, Span

LINGER_NS = 10_000_000_000
_SPAN_LIMIT = 20_000
_KNOWN_LIMIT = 10_000


class Journal(Protocol):
    """Where processes tell each other which traces they keep; the local store is one."""

    def write_keeps(self, trace_ids: Sequence[int]) -> None:
        """Say that these traces are kept."""

    def read_keeps(self) -> Iterable[int]:
        """The traces that anybody has kept since the last call, and of late before the first."""


class _Waiting(NamedTuple):
    until: int
    root: LocalRoot
    spans: Sequence[Span]


class Linger:
    """The dropped local roots of one process, and what is known of traces that others keep.

    `take` and `announce` run on the application's threads and only append; `listen` does the I/O, about once a second.
    """

    def __init__(
        self,
        journal: Journal,
        deliver: Callable[[LocalRoot, Sequence[Span]], None],
        awake: Callable[[], None],
        linger_ns: int = LINGER_NS,
    ) -> None:
        self._journal = journal
        self._deliver = deliver
        self._awake = awake
        self._linger_ns = linger_ns
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._waiting: deque[_Waiting] = deque()
        self._spans = 0
        self._unsaid: deque[int] = deque(maxlen=_KNOWN_LIMIT)
        self._known: dict[int, None] = {}

    def take(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        """A local root that was dropped. A trace whose id was never made is known to nobody else, so it does not wait."""
        trace_id = root.trace_number
        if not trace_id:
            return
        if self._pid != os.getpid():
            self._begin()
        if trace_id in self._known:
            self._revive(root, spans)
            return
        self._waiting.append(_Waiting(Clock.now() + self._linger_ns, root, spans))
        self._spans += len(spans)
        self._awake()

    def announce(self, root: LocalRoot) -> None:
        """A local root that is kept although its trace was not sampled."""
        trace_id = root.trace_number
        if trace_id and not root.head and trace_id not in self._known:
            if self._pid != os.getpid():
                self._begin()
            self._unsaid.append(trace_id)
            self._known[trace_id] = None
            self._awake()

    def listen(self) -> None:
        """Tell what is kept here, hear what is kept elsewhere, and give that back; forget what has waited long enough."""
        if self._pid != os.getpid():
            self._begin()
        unsaid = [self._unsaid.popleft() for _ in range(len(self._unsaid))]
        if unsaid:
            self._journal.write_keeps(unsaid)
        if not self._waiting:
            return
        for trace_id in self._journal.read_keeps():
            self._known[trace_id] = None
        now = Clock.now()
        for _ in range(len(self._waiting)):
            entry = self._waiting.popleft()
            self._spans -= len(entry.spans)
            if entry.root.trace_number in self._known:
                self._revive(entry.root, entry.spans)
            elif entry.until > now and self._spans < _SPAN_LIMIT:
                self._waiting.append(entry)
                self._spans += len(entry.spans)
        while len(self._known) > _KNOWN_LIMIT:
            self._known.pop(next(iter(self._known)))

    def _revive(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        root.verdict = True
        self._deliver(root, spans)
