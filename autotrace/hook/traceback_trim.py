"""Tracebacks without us: takes an exception that leaves the program, shows it as `python` would have."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

# The last two are around a patched call; from 3.11 on they take their frames out themselves.
_OURS = (__name__.rpartition(".")[0] + ".", "autotrace.conventions.around", "autotrace.conventions.function")


def without_our_frames(traceback: TracebackType | None) -> TracebackType | None:
    """`traceback` with every frame of ours that calls the program unlinked from it, in place."""
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    shown: TracebackType | None = None
    for entry in reversed(entries):
        # Not by the file: those frames of ours that stand for importlib's have the name of its file.
        module = dict.get(entry.tb_frame.f_globals, "__name__")
        if not isinstance(module, str) or not module.startswith(_OURS):
            entry.tb_next = shown
            shown = entry
    return shown


def show_without_us(error: BaseException, main: dict[str, Any]) -> None:
    """Prepare `error`, caught by the launcher and about to be raised again, to be shown from the program's first frame.

    The interpreter has to end the process itself (its exit code, SIGINT for KeyboardInterrupt, `-i`), and asks
    sys.excepthook just before. So a hook that acts once stands there: it gives the traceback its first form,
    and the word back to the program's own hook.
    """
    traceback = without_our_frames(error.__traceback__)
    user_hook = getattr(sys, "excepthook", sys.__excepthook__)

    def excepthook(kind: type[BaseException], value: BaseException, whole: TracebackType | None) -> None:
        sys.excepthook = user_hook
        if value is error:
            whole = value.__traceback__ = sys.last_traceback = traceback
        try:
            user_hook(kind, value, whole)
        except SystemExit:
            raise
        except BaseException as second:
            _show_failed_hook(second, value)
        main.pop("__file__", None)
        main.pop("__cached__", None)

    sys.excepthook = excepthook


def _show_failed_hook(second: BaseException, first: BaseException) -> None:
    """What the interpreter prints when sys.excepthook itself fails; it would show our frame."""
    second.__traceback__ = without_our_frames(second.__traceback__)
    sys.stderr.write("Error in sys.excepthook:\n")
    sys.__excepthook__(type(second), second, second.__traceback__)
    sys.stderr.write("\nOriginal exception was:\n")
    sys.__excepthook__(type(first), first, first.__traceback__)
