"""The one boundary: takes an exception that our own code raised, gives silence and a count (or raises it, in tests)."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` without its enums; typeshed leaves it out
import os
import sys
from collections.abc import Iterator
from types import CodeType, TracebackType

_PACKAGE = os.path.dirname(__file__) + os.sep  # noqa: PTH120 - pathlib costs 4 ms of every start
_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120
_SITE_PACKAGES = os.sep + "site-packages" + os.sep
_CALLED_BY_US = ("opentelemetry", "wrapt", "pydantic", "pydantic_core", "tomli")

failures: dict[str, int] = {}
"""How often each kind of failure was swallowed: `"ValueError in span/site.py:41"` → count."""


def raises() -> bool:
    """Whether swallowed failures are raised instead, as our own tests ask with `AUTOTRACE_FAILURES=raise`."""
    return os.environ.get("AUTOTRACE_FAILURES") == "raise"


def swallow(error: BaseException) -> None:
    """Count `error` if our own code failed; raise it again if it belongs to the application.

    What a signal handler raised inside our code (a timeout, Ctrl-C) is the application's, and so is whatever is no
    `Exception`: swallowing those loses 49 of 50 timeouts.
    """
    if not is_ours(error) or raises():
        raise error
    kind = _describe(error)
    failures[kind] = count = failures.get(kind, 0) + 1
    if count == 1:
        _log(kind, error)


def is_ours(error: BaseException) -> bool:
    """Whether no frame of the traceback lies outside our code and the libraries that it calls."""
    if not isinstance(error, Exception):
        return False
    innermost_is_ours = True
    for code in _codes(error.__traceback__):
        innermost_is_ours = code.co_filename.startswith(_PACKAGE)
        if not innermost_is_ours and not _is_called_by_us(code.co_filename):
            return False
    if innermost_is_ours and not _is_known(type(error)):
        # Raised into our frame from outside: PyThreadState_SetAsyncExc leaves no frame of its own.
        return False
    return not is_from_signal(error)


def is_from_signal(error: BaseException) -> bool:
    """Whether a registered signal handler is among the frames of the traceback."""
    codes = set(_codes(error.__traceback__))
    return any(_handler_code(number) in codes for number in _signal.valid_signals())


def _codes(trace: TracebackType | None) -> Iterator[CodeType]:
    while trace is not None:
        yield trace.tb_frame.f_code
        trace = trace.tb_next


def _is_called_by_us(filename: str) -> bool:
    if _SITE_PACKAGES in filename:
        return filename.rpartition(_SITE_PACKAGES)[2].partition(os.sep)[0] in _CALLED_BY_US
    return filename.startswith((_STANDARD_LIBRARY, "<frozen"))


def _is_known(kind: type[BaseException]) -> bool:
    root = kind.__module__.partition(".")[0]
    return root in ("autotrace", *_CALLED_BY_US) or root in sys.stdlib_module_names


def _handler_code(number: int) -> CodeType | None:
    handler = _signal.getsignal(number)
    handler = getattr(handler, "func", handler)
    handler = getattr(handler, "__func__", handler)
    if not hasattr(handler, "__code__"):
        handler = getattr(type(handler), "__call__", None)  # noqa: B004 - for its code, not to ask whether
    code = getattr(handler, "__code__", None)
    return code if isinstance(code, CodeType) else None


def _describe(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    filename = trace.tb_frame.f_code.co_filename
    place = filename[len(_PACKAGE) :] if filename.startswith(_PACKAGE) else filename
    return f"{type(error).__name__} in {place}:{trace.tb_lineno}"


def _log(kind: str, error: BaseException) -> None:
    import logging  # 23 ms that only a failure of ours pays

    logging.getLogger("autotrace").warning("autotrace: internal error, tracing goes on: %s: %s", kind, error.args)
