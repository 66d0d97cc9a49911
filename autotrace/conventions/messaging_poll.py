"""`messaging.poll`: takes a call that waits for messages; what a client does in it for itself begins no trace.

A broker that is a database is asked again and again while nothing comes, and each question would be a trace of its own.
Only the commands of `db.query` ask whether a poll goes on, and only those that nothing traced stands above: what handles a
message has its own span, and a poll in a traced call is recorded as ever. There are no fields.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from autotrace.conventions.around import Around, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.span.context import get_current
from autotrace.span.tracer import Tracer

_polling: ContextVar[bool] = ContextVar("autotrace_polling", default=False)


def build(place: Place) -> Wrapper:
    """What takes the place of a function that waits for messages."""
    return surround(place, Around(_begin, (), _returned, _raised))


def is_housekeeping(tracer: Tracer) -> bool:
    """Whether what begins now is a poll's own: it would be the root of a trace."""
    return _polling.get() and tracer.lineage(get_current()) is None


def _begin() -> object:
    if _polling.get():
        return None  # the outermost ends it
    _polling.set(True)
    return _polling


def _returned(call: object, result: Any) -> Any:
    _polling.set(False)
    return result


def _raised(call: object, error: BaseException) -> None:
    _polling.set(False)
