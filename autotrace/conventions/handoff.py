"""`handoff`: takes a call that hands work to another thread, lets the work see the span that was current at that call.

There is no span of its own. Fields, all parameters or paths to an object that exists for this one piece of work:
`work` (a parameter: the function that will be called elsewhere), `give` (the object that remembers what is current now),
`take` (what it remembers is current during this call), `enter` (it is current from this call on: a new thread's first). A
target with none of them starts what serves everybody, such as the threads of a pool: inside, nothing is current.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias

from autotrace import guard
from autotrace.conventions.around import HIDDEN, complete
from autotrace.conventions.environment import Place
from autotrace.conventions.field import ReadArgument, argument, attempt, field, parameters
from autotrace.plan.path import ABSENT
from autotrace.span.context import get_current, set_current

Function: TypeAlias = Callable[..., Any]

_REMEMBERED = "_autotrace_current"


def build(place: Place) -> Function | None:
    """What takes the place of a function; None for a coroutine function, which runs in the context of its task."""
    original = place.original
    if inspect.iscoroutinefunction(original):
        return None
    return complete(original, _replacement(place, original))


def _replacement(place: Place, original: Function) -> Function:
    if place.word("work"):
        return _with_work(place, original)
    for name, replace in (("give", _giving), ("take", _taking), ("enter", _entering)):
        text = place.word(name)
        read = argument(place, text) if text.isidentifier() else field(place, name)
        if read is not None and text:
            return replace(original, read)
    return _detaching(original)


def _call(value: object, function: Function, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a function while `value` is current."""
    before = get_current()
    set_current(value)
    try:
        return function(*args, **kwargs)
    finally:
        set_current(before)


def _giving(original: Function, read: ReadArgument) -> Function:
    def give(*args: Any, **kwargs: Any) -> Any:
        value = get_current()
        holder = attempt(read, None, args, kwargs) if value is not None else None
        if holder is not None:
            attempt(setattr, holder, _REMEMBERED, value)
        try:
            with HIDDEN:
                return original(*args, **kwargs)
        except BaseException:
            _recall(holder)
            raise

    return give


def _taking(original: Function, read: ReadArgument) -> Function:
    def take(*args: Any, **kwargs: Any) -> Any:
        # Nothing is current where it remembers nothing: whatever the thread did before is not its business.
        with HIDDEN:
            return _call(_recall(attempt(read, None, args, kwargs)), original, args, kwargs)

    return take


def _entering(original: Function, read: ReadArgument) -> Function:
    def enter(*args: Any, **kwargs: Any) -> Any:
        value = _recall(attempt(read, None, args, kwargs))
        if value is not None:
            set_current(value)
        with HIDDEN:
            return original(*args, **kwargs)

    return enter


def _detaching(original: Function) -> Function:
    def detach(*args: Any, **kwargs: Any) -> Any:
        with HIDDEN:
            return _call(None, original, args, kwargs)

    return detach


class Work:
    """A function that is called with what was current when it was handed over; otherwise it is that function."""

    __slots__ = ("__wrapped__", "_value")

    def __init__(self, function: Function, value: object) -> None:
        self.__wrapped__ = function
        self._value = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with HIDDEN:
            return _call(self._value, self.__wrapped__, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == (other.__wrapped__ if isinstance(other, Work) else other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


def _with_work(place: Place, original: Function) -> Function:
    name = place.word("work")
    names = parameters(place)
    read = argument(place, name)

    def hand_over(*args: Any, **kwargs: Any) -> Any:
        try:
            function = read(None, args, kwargs)
            if function is not ABSENT and callable(function) and not inspect.iscoroutinefunction(function):
                work = Work(function, get_current())
                index = names.index(name)
                if index < len(args):
                    args = (*args[:index], work, *args[index + 1 :])
                else:
                    kwargs = {**kwargs, name: work}
        except BaseException as failure:
            guard.swallow(failure)
        with HIDDEN:
            return original(*args, **kwargs)

    return hand_over


def _recall(holder: Any) -> object:
    """What an object remembers, once: a thread must not hold its starter's trace for as long as it lives."""
    names = getattr(holder, "__dict__", None)
    if names is not None:
        return names.pop(_REMEMBERED, None)
    value = getattr(holder, _REMEMBERED, None)
    if value is not None:
        attempt(delattr, holder, _REMEMBERED)
    return value
