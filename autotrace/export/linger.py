"""Dropped traces that another process may yet keep: takes local roots as they are decided, gives back what is wanted.

A worker that fails never tells its publisher, which has long decided. So what was dropped waits for ten seconds; a process
that keeps a trace in spite of its sampling says so in a journal that all processes of the machine share.
"""

from __future__ import annotations

import _thread
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from autotrace.export.queue import Delivery, weigh
from autotrace.export.release import release
from autotrace.span.clock import Clock
from autotrace.span.span import LocalRoot, Span

LINGER_NS = 10_000_000_000
MEMORY = 64 * 1024 * 1024
_SETTLED_AT = 2_000
_ARRIVED_LIMIT = 20_000
_KNOWN_LIMIT = 10_000
_TURN_S = 1.0


class Journal(Protocol):
    """Where processes tell each other which traces they keep; the local store is one."""

    def write_keeps(self, trace_ids: Sequence[int]) -> None:
        """Say that these traces are kept."""

    def read_keeps(self) -> Iterable[int]:
        """The traces that anybody has kept since the last call, and of late before the first."""


class _Dropped(NamedTuple):
    """Spans of a local root that nobody wants so far; `weight` is about how many bytes they hold, 0 before it is known."""

    until: int
    root: LocalRoot
    spans: Sequence[Span]
    weight: int = 0


class Linger:
    """The dropped local roots of one process, and what is known of traces that others keep.

    `take` and `announce` run on the application's threads and only append; `listen` does the I/O, about once a second. What
    waits holds at most about `memory` bytes, less those that are `taken` for other things; above that the oldest are
    `forgotten` (a count of local roots). What has come since the last `listen` is not weighed yet, which would be the
    application's time, unless it is a lot.
    """

    def __init__(
        self,
        journal: Journal,
        deliver: Callable[[LocalRoot, Sequence[Span]], None],
        awake: Callable[[], None],
        linger_ns: int = LINGER_NS,
        memory: int = MEMORY,
        taken: Callable[[], int] = lambda: 0,
    ) -> None:
        self._journal = journal
        self._deliver = deliver
        self._awake = awake
        self._linger_ns = linger_ns
        self._memory = memory
        self._taken = taken
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._listening = _thread.allocate_lock()
        self._arrived: deque[_Dropped] = deque()
        self._arrived_spans = 0
        self._waiting: deque[_Dropped] = deque()
        self._bytes = 0
        self._unsaid: deque[int] = deque(maxlen=_KNOWN_LIMIT)
        # Only `listen` writes to it: another thread that adds an item makes an iteration raise.
        self._known: dict[int, None] = {}
        self.forgotten = 0

    def __len__(self) -> int:
        """How many deliveries wait."""
        return len(self._arrived) + len(self._waiting)

    def take(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        """A local root that was dropped. A trace of which no id was asked for is known to nobody else, and does not wait."""
        trace_id = root.trace_number
        if not trace_id or (root.remote is None and _is_unknown(root, spans)):
            return
        if self._pid != os.getpid():
            self._begin()
        if trace_id in self._known:
            self._revive(root, spans)
            return
        self._arrived.append(_Dropped(Clock.now() + self._linger_ns, root, spans))
        self._arrived_spans += len(spans)
        if self._arrived_spans > _SETTLED_AT:
            self._settle_at_once()
        self._awake()

    def announce(self, root: LocalRoot) -> None:
        """A local root that is kept although its trace was not sampled."""
        trace_id = root.trace_number
        if trace_id and not root.head and trace_id not in self._known:
            if self._pid != os.getpid():
                self._begin()
            self._unsaid.append(trace_id)
            self._awake()

    def listen(self) -> None:
        """Tell what is kept here, hear what is kept elsewhere, and give that back; forget what has waited long enough."""
        if self._pid != os.getpid():
            self._begin()
        # The export thread does this, and whoever ends the process, at the same time.
        listening = self._listening
        if not listening.acquire(timeout=_TURN_S):
            return
        try:
            self._settle()
            self._tell()
            if self._waiting:
                self._hear()
        finally:
            self._forget()  # also where the journal fails, or what waits would have no bound
            listening.release()

    def _settle_at_once(self) -> None:
        """Keep to the bound where too much has come for a second, or where the export thread waits for a collector."""
        if self._listening.acquire(blocking=False):
            try:
                self._settle()
                release(self._outdated(0), None)
            finally:
                self._listening.release()
        while self._arrived_spans > _ARRIVED_LIMIT and self._next_arrived() is not None:
            self.forgotten += 1

    def _tell(self) -> None:
        unsaid = dict.fromkeys(self._unsaid.popleft() for _ in range(len(self._unsaid)))
        if not unsaid:
            return
        self._known.update(unsaid)
        try:
            self._journal.write_keeps(tuple(unsaid))
        except BaseException:
            self._unsaid.extend(unsaid)
            raise

    def _settle(self) -> None:
        """Weigh what has arrived, and let it wait with the rest."""
        for _ in range(len(self._arrived)):
            entry = self._next_arrived()
            if entry is None:
                break
            entry = entry._replace(weight=weigh(entry.spans))
            self._waiting.append(entry)
            self._bytes += entry.weight

    def _hear(self) -> None:
        self._known.update(dict.fromkeys(self._journal.read_keeps()))
        known = self._known
        wanted = [entry for entry in self._waiting if entry.root.trace_number in known]
        if wanted:
            self._waiting = deque(entry for entry in self._waiting if entry.root.trace_number not in known)
            for entry in wanted:
                self._bytes -= entry.weight
                self._revive(entry.root, entry.spans)

    def _forget(self) -> None:
        release(self._outdated(Clock.now()), None)
        while len(self._known) > _KNOWN_LIMIT:
            del self._known[next(iter(self._known))]

    def _outdated(self, now: int) -> list[Delivery]:
        """Take out what has waited long enough, and of the rest the oldest while there is too much."""
        waiting, room = self._waiting, self._memory - self._taken()
        outdated = []
        while waiting and (waiting[0].until <= now or self._bytes > room):
            entry = waiting.popleft()
            self._bytes -= entry.weight
            self.forgotten += not now or entry.until > now
            outdated.append(Delivery(entry.root, entry.spans, entry.weight))
        return outdated

    def _next_arrived(self) -> _Dropped | None:
        try:
            entry = self._arrived.popleft()
        except IndexError:
            self._arrived_spans = 0
            return None
        self._arrived_spans -= len(entry.spans)
        return entry

    def _revive(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        root.verdict = True
        self._deliver(root, spans)


def _is_unknown(root: LocalRoot, spans: Sequence[Span]) -> bool:
    """Whether nobody outside can know of a whole local root: whatever goes out names its span.

    A trace id alone says nothing, the sampler makes one for its decision.
    """
    if root.dropped or spans[-1] is not root.span:
        return False
    for span in spans:  # noqa: SIM110 - any() and a generator would double what each dropped root costs
        if span.id:
            return False
    return True
