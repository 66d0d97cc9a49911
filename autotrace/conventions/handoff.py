"""`handoff`: takes a call that hands work to another thread, lets the work see the span that was current at that call.

There is no span of its own. Fields, all parameters or paths to an object that exists for this one piece of work:
`work` (a parameter: the function that will be called elsewhere), `give` (the object that remembers what is current now),
`take` (what it remembers is current during this call), `enter` (it is current from this call on: a new thread's first). A
target with none of them starts what serves everybody, such as the threads of a pool: inside, nothing is current.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from autotrace.conventions.around import Around, Wrapper, hide, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, ReadField, attempt
from autotrace.conventions.parameters import is_awaited
from autotrace.plan.path import ABSENT
from autotrace.span.context import get_current, set_current

Function: TypeAlias = Callable[..., Any]

_REMEMBERED = "_autotrace_current"


def build(place: Place) -> Wrapper | None:
    """What takes the place of a function; None for a coroutine function, which runs in the context of its task."""
    return None if is_awaited(place.original) else surround(place, _around(place))


def _around(place: Place) -> Around:
    work = place.word("work")
    if work:
        return Around(_with_work, (work,), _result, _nothing, replaces=work)
    fields = Fields(place)
    for name, make in (("give", _giving), ("take", _taking), ("enter", _entering)):
        text = place.word(name)
        if text:
            return make(fields, fields.argument(text) if text.isidentifier() else fields.path(text))
    return Around(_detach, (), _restored, _restore)


def _giving(fields: Fields, read: ReadField) -> Around:
    def give(*values: Any) -> Holder | None:
        value = get_current()
        if value is None:
            return None
        holder = read(values)
        attempt(setattr, holder, _REMEMBERED, value)
        return Holder(holder)

    return Around(give, fields.roots, _result, lambda call, error: _forget(call.holder))


def _taking(fields: Fields, read: ReadField) -> Around:
    def take(*values: Any) -> Before:
        before = Before(get_current())
        # Nothing is current where it remembers nothing: whatever the thread did before is not its business.
        set_current(_recall(read(values)))
        return before

    return Around(take, fields.roots, _restored, _restore)


def _entering(fields: Fields, read: ReadField) -> Around:
    def enter(*values: Any) -> None:
        value = _recall(read(values))
        if value is not None:
            set_current(value)

    return Around(enter, fields.roots)


def _detach() -> Before | None:
    before = get_current()
    if before is None:
        return None
    set_current(None)
    return Before(before)


class Holder(NamedTuple):
    """A call that hands work over, and the object that remembers for it."""

    holder: Any


class Before(NamedTuple):
    """A call during which something else is current, and what was current before it."""

    value: object


class Handing(NamedTuple):
    """A call that is given a function; it gets that function as `Work`."""

    replaced: Work


def _result(call: object, result: Any) -> Any:
    return result


def _nothing(call: object, error: BaseException) -> None:
    return None


def _forget(holder: Any) -> None:
    _recall(holder)


def _restored(call: Before, result: Any) -> Any:
    set_current(call.value)
    return result


def _restore(call: Before, error: BaseException) -> None:
    set_current(call.value)


def _with_work(function: Any) -> Handing | None:
    if function is ABSENT or not callable(function) or is_awaited(function):
        return None
    return Handing(Work(function, get_current()))


class Work:
    """A function that is called with what was current when it was handed over; otherwise it is that function."""

    __slots__ = ("__wrapped__", "_value")

    def __init__(self, function: Function, value: object) -> None:
        self.__wrapped__ = function
        self._value = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        before = get_current()
        set_current(self._value)
        try:
            return self.__wrapped__(*args, **kwargs)
        except BaseException as error:
            hide(error)
            raise
        finally:
            set_current(before)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == (other.__wrapped__ if isinstance(other, Work) else other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


def _recall(holder: Any) -> object:
    """What an object remembers, once: a thread must not hold its starter's trace for as long as it lives."""
    names = getattr(holder, "__dict__", None)
    if names is not None:
        return names.pop(_REMEMBERED, None)
    value = getattr(holder, _REMEMBERED, None)
    if value is not None:
        attempt(delattr, holder, _REMEMBERED)
    return value
