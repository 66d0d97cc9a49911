"""The children that `multiprocessing` starts: takes what flushes and what compiles, and sees to it that both happen there.

Such a child leaves by `os._exit`, so no atexit function runs; its main module is run by `runpy` under the name
`__mp_main__`; and a worker of a Pool is killed while it waits for work.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from types import CodeType, FrameType
from typing import Any

from autotrace import guard

SPAWNED_MAIN = "__mp_main__"
_AFTER_ALL_OTHERS = -100

CompileMain = Callable[[bytes | str, str], CodeType]


class Multiprocessing:
    """What is done when the application imports a part of `multiprocessing`."""

    def __init__(self, flush: Callable[[], None], compile_main: CompileMain) -> None:
        self._flush = flush
        self._compile_main = compile_main
        self._undo: list[Callable[[], None]] = []
        self.is_flushing = False
        self.signal_to_obey = 0

    def hooks(self) -> Mapping[str, Callable[[], None]]:
        """What to call after the import of which module."""
        return {
            "multiprocessing.util": self._enter_util,
            "multiprocessing.spawn": self._enter_spawn,
            "multiprocessing.pool": self._enter_pool,
        }

    def leave(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()

    def flush(self) -> None:
        """Export what this process holds; never fails."""
        self.finish(self._flush)

    def finish(self, work: Callable[[], None]) -> None:
        """Do `work`, which exports; never fails. A SIGTERM that comes meanwhile to a waiting worker is obeyed after it.

        Its handler would export too, and wait for a lock that the interrupted code holds.
        """
        self.is_flushing = True
        try:
            work()
        except BaseException as failure:
            guard.swallow(failure)
        self.is_flushing = False
        if self.signal_to_obey:
            os.kill(os.getpid(), self.signal_to_obey)

    def _enter_util(self) -> None:
        util: Any = sys.modules["multiprocessing.util"]

        def begin(us: Multiprocessing) -> None:
            util.Finalize(None, us.flush, exitpriority=_AFTER_ALL_OTHERS)

        util.register_after_fork(self, begin)

    def _enter_spawn(self) -> None:
        spawn = sys.modules["multiprocessing.spawn"]
        for name in ("_fixup_main_from_path", "_fixup_main_from_name"):
            if hasattr(spawn, name):
                self._replace(spawn, name, self._weaving(getattr(spawn, name)))

    def _enter_pool(self) -> None:
        pool: Any = sys.modules["multiprocessing.pool"]
        original = pool.worker

        @wraps(original)
        def worker(inqueue: Any, outqueue: Any, *arguments: Any, **named: Any) -> Any:
            wait = _Wait(self)
            if wait.is_possible():
                inqueue, outqueue = _Queue(inqueue, wait), _Queue(outqueue, wait)
            return original(inqueue, outqueue, *arguments, **named)

        self._replace(pool, "worker", worker)

    def _weaving(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """The main module is read by `runpy` within `original`; let it be compiled by us."""

        @wraps(original)
        def prepare_main(*arguments: Any, **named: Any) -> Any:
            from autotrace.hook.launch import call_recompiling

            return call_recompiling(lambda: original(*arguments, **named), self._compile_main)

        return prepare_main

    def _replace(self, module: Any, name: str, replacement: Any) -> None:
        original = getattr(module, name)
        setattr(module, name, replacement)
        self._undo.append(lambda: setattr(module, name, original))


class _Wait:
    """The time in which a worker of a Pool hands over a result and waits for work.

    `Pool.terminate`, which the end of `with Pool()` calls, kills it there, and what it has recorded in the last second
    with it. So SIGTERM is handled just then: the worker waits in the kernel and no task of the application runs.
    """

    def __init__(self, owner: Multiprocessing) -> None:
        self._owner = owner
        self._waiting = False

    def is_possible(self) -> bool:
        """A ThreadPool runs the same function in threads, and an application may handle SIGTERM itself."""
        import multiprocessing
        import signal
        import threading

        return (
            multiprocessing.parent_process() is not None
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        )

    def begin(self) -> None:
        import signal

        if not self._waiting and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._waiting = True
            signal.signal(signal.SIGTERM, self._end_process)

    def end(self) -> None:
        import signal

        if self._waiting:
            self._waiting = False
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _end_process(self, number: int, _: FrameType | None) -> None:
        import signal

        signal.signal(number, signal.SIG_DFL)
        self._owner.signal_to_obey = number
        if not self._owner.is_flushing:  # a worker that was told to end flushes already
            self._owner.flush()


class _Queue:
    """One of the two queues of a worker: from `put` of a result to the end of the next `get` it waits."""

    def __init__(self, queue: Any, wait: _Wait) -> None:
        self._queue = queue
        self._wait = wait

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)

    def put(self, value: Any) -> None:
        self._wait.begin()
        self._queue.put(value)

    def get(self) -> Any:
        self._wait.begin()
        task = self._queue.get()
        if task is not None:  # else it is told to end, and is killed at the same moment
            self._wait.end()
        return task
