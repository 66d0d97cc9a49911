"""`handoff`: takes a call that hands work to another thread, lets the work see the span that was current at that call.

There is no span of its own. Fields, all parameters or paths to an object that exists for this one piece of work:
`work` (a parameter: the function that will be called elsewhere), `give` (the object that remembers what is current now),
`take` (what it remembers is current during this call), `enter` (it is current from this call on: a new thread's first). A
target with none of them starts what serves everybody, such as the threads of a pool: inside, nothing is current.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType, TracebackType
from typing import Any

from autotrace.conventions.around import HIDDEN, Begin, Call, Wrapper, complete, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import ReadArgument, argument, attempt, field, parameters
from autotrace.plan.path import ABSENT
from autotrace.span.context import get_current, set_current

_REMEMBERED = "_autotrace_current"


def build(place: Place) -> Wrapper | Callable[..., Any] | None:
    """The wrapper of a function that hands work over or does it."""
    begin = _begin(place)
    if isinstance(place.original, FunctionType) and not inspect.iscoroutinefunction(place.original):
        return complete(place.original, surround(place.original, begin))
    return surround(place.original, begin)


def _begin(place: Place) -> Begin:
    if place.word("work"):
        return _replacing(place)
    for name, kind in (("give", Giving), ("take", Taking), ("enter", Entering)):
        read = field(place, name)
        if read is not None:
            return _remembering(read, kind)
    return lambda instance, args, kwargs: Resumed(args, kwargs, None)


def _remembering(read: ReadArgument, kind: Callable[[tuple[Any, ...], dict[str, Any], Any], Call]) -> Begin:
    return lambda instance, args, kwargs: kind(args, kwargs, read(instance, args, kwargs))


class Giving(Call):
    """The object remembers what is current; if the call fails, nothing."""

    __slots__ = ("holder",)

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], holder: Any) -> None:
        super().__init__(args, kwargs)
        self.holder = holder
        value = get_current()
        if value is not None:
            attempt(setattr, holder, _REMEMBERED, value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            _recall(self.holder)


class Resumed(Call):
    """A call in which something else is current."""

    __slots__ = ("before", "value")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], value: object) -> None:
        super().__init__(args, kwargs)
        self.value = value

    def __enter__(self) -> None:
        self.before = get_current()
        set_current(self.value)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        set_current(self.before)


class Taking(Resumed):
    """What the object remembers is current during the call; nothing, if it remembers nothing."""

    __slots__ = ()

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], holder: Any) -> None:
        super().__init__(args, kwargs, _recall(holder))


class Entering(Call):
    """What the object remembers is current from now on."""

    __slots__ = ()

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], holder: Any) -> None:
        super().__init__(args, kwargs)
        value = _recall(holder)
        if value is not None:
            set_current(value)


class Work:
    """A function that is called with what was current when it was handed over; otherwise it is that function."""

    __slots__ = ("__wrapped__", "_value")

    def __init__(self, function: Callable[..., Any], value: object) -> None:
        self.__wrapped__ = function
        self._value = value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with Resumed(args, kwargs, self._value), HIDDEN:
            return self.__wrapped__(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__wrapped__, name)

    def __eq__(self, other: object) -> bool:
        return bool(self.__wrapped__ == (other.__wrapped__ if isinstance(other, Work) else other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


def _replacing(place: Place) -> Begin:
    name = place.word("work")
    names = parameters(place)
    read = argument(place, name)

    def begin(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        function = read(instance, args, kwargs)
        # A coroutine function's context is that of the task which runs it.
        if function is ABSENT or not callable(function) or inspect.iscoroutinefunction(function):
            return None
        work = Work(function, get_current())
        index = names.index(name) - (instance is not None)
        if index < len(args):
            return Call((*args[:index], work, *args[index + 1 :]), kwargs)
        return Call(args, {**kwargs, name: work})

    return begin


def _recall(holder: Any) -> object:
    """What an object remembers, once: a thread must not hold its starter's trace for as long as it lives."""
    value = getattr(holder, _REMEMBERED, None)
    if value is not None:
        attempt(delattr, holder, _REMEMBERED)
    return value
