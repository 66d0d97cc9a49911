"""The ends of a process that no atexit function sees: takes what flushes, and has it called before each of them.

`os._exit`, another program in its place, and a signal that a process sends itself, as uvicorn does when it has served
its last request.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` without its enums; typeshed leaves it out
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any


class SuddenEnd:
    """Wraps the functions that end a process at once, from `start` to `stop`."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._undo: list[Callable[[], None]] = []

    def start(self) -> None:
        """Flush before each of them."""
        for name in ("_exit", "execv", "execve"):
            self._wrap(os, name, lambda *_, **__: True)
        self._wrap(os, "kill", lambda pid, number: pid == os.getpid() and _is_fatal(number))

    def enter_signal(self) -> None:
        """The application has imported `signal`."""
        self._wrap(sys.modules["signal"], "raise_signal", _is_fatal)

    def stop(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()

    def _wrap(self, module: Any, name: str, ends: Callable[..., bool]) -> None:
        original = getattr(module, name)

        @wraps(original)
        def end(*arguments: Any, **named: Any) -> Any:
            try:
                ending = ends(*arguments, **named)
            except TypeError:
                ending = False  # the original says what is wrong with its arguments
            if ending:
                self._flush()
            return original(*arguments, **named)

        def restore() -> None:
            if getattr(module, name) is end:
                setattr(module, name, original)

        setattr(module, name, end)
        self._undo.append(restore)


def _is_fatal(number: int, /) -> bool:
    """Whether a signal ends the process: one that is left to the system, and that asks for an end."""
    asks = number in (_signal.SIGTERM, _signal.SIGINT, getattr(_signal, "SIGHUP", 0), getattr(_signal, "SIGQUIT", 0))
    return asks and _signal.getsignal(number) == _signal.SIG_DFL
