"""The export thread: takes one function to call every second, gives nothing; it can be woken, stopped and joined.

It is started below `threading`, so that `threading.active_count()`, `threading.settrace` and a debugger of the
application do not see it. Like a daemon thread it never keeps the process alive. A new thread's context is empty, so
what the exporters do belongs to no span of the application.
"""

from __future__ import annotations

import _thread
import os
import time
from collections.abc import Callable

from autotrace.export.turns import Turns
from autotrace.span.clock import Clock

_INTERVAL_S = 1.0
_EXIT_NS = 50_000_000


class ExportThread:
    """One thread of one process. `work` does one batch, in `turns` with the others, and says whether there is more."""

    def __init__(self, work: Callable[[Turns], bool], interval_s: float = _INTERVAL_S) -> None:
        self._work = work
        self.turns = Turns()
        self._interval = interval_s
        # Made with the thread: under gevent both are then the real ones, or both gevent's.
        self._wake = _thread.allocate_lock()
        self._wake.acquire()
        self._done = _thread.allocate_lock()
        self._done.acquire()
        self._stop_at = 0
        self._stopping = False
        self._task = ""
        self.identity = 0
        self._alive = False

    def is_alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._alive

    @property
    def has_time(self) -> bool:
        """Whether it is the calling thread, and nobody waits for what it does."""
        return self.identity == _thread.get_ident() and not self.turns.hurried

    def start(self) -> None:
        """Start it. Raises RuntimeError where no thread can be started (no more of them, or the interpreter ends)."""
        self._alive = True
        try:
            _thread.start_new_thread(self._run, ())
        except BaseException:
            self._alive = False
            raise

    def wake(self) -> None:
        """Let it work now and not in a second; never waits."""
        if self._wake.locked():
            try:
                self._wake.release()
            except RuntimeError:
                pass  # another thread was quicker

    def hurry(self, passed: _thread.LockType, deadline: int) -> bool:
        """Let it work without turns until it has released `passed`, ended, or it is `deadline`; whether it released it."""
        try:
            while self._alive:
                self.turns.hurried = True
                self.wake()
                left = deadline - Clock.now()
                # In short waits: a thread that ends releases nothing.
                if passed.acquire(timeout=min(0.1, max(left, 0) / 1e9)):
                    return True
                if left <= 0:
                    return False
            return False
        finally:
            self.turns.hurried = self._stopping

    def stop(self, timeout_ns: int) -> bool:
        """Let it finish what is queued, for at most `timeout_ns` nanoseconds, and wait for its end; whether it ended."""
        self._stop_at = Clock.now() + timeout_ns
        self._stopping = self.turns.hurried = True
        self.wake()
        if not self._done.acquire(timeout=max(timeout_ns, 0) / 1e9):
            return False
        self._done.release()
        self._await_exit()
        return True

    def _run(self) -> None:
        try:
            self.identity = _thread.get_ident()
            self._task = f"/proc/self/task/{_thread.get_native_id()}"
            stopping = False
            while not stopping:
                # Read before the work: what was queued before the stop is then in this last round.
                stopping = self._stopping
                if not stopping:
                    self._wake.acquire(timeout=self._interval)
                while self._work(self.turns) and not self._is_late():
                    pass
        finally:
            self._alive = False
            self._done.release()

    def _is_late(self) -> bool:
        return self._stopping and Clock.now() >= self._stop_at

    def _await_exit(self) -> None:
        # The thread ends a moment after its last line, and from 3.12 on a fork in that moment warns of it.
        deadline = Clock.now() + _EXIT_NS
        while self._task and os.path.exists(self._task) and Clock.now() < deadline:  # noqa: PTH110 - no pathlib
            time.sleep(0.0002)
