"""The parameters of a function that is wrapped: takes it, gives their names and kinds, and what reads and replaces one.

A plain function says it all in its code; only what pretends to another signature, or is written in C, needs `inspect`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple, TypeAlias

from autotrace.plan.path import ABSENT

Arguments: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]
Read: TypeAlias = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]
"""Reads one parameter from the instance, the positional and the keyword arguments of a call; `ABSENT` if it gives none."""
Replace: TypeAlias = Callable[[Any, tuple[Any, ...], dict[str, Any], Any], Arguments]
"""Gives the arguments of a call with another value for one parameter."""

_COROUTINE = 0x80
_OTHER_KINDS = 0x20 | 0x100 | 0x200  # generators, what `types.coroutine` made, asynchronous generators (inspect.CO_*)
_REST = 0x04
_KEYWORDS = 0x08
_PRETENDING = frozenset({"__wrapped__", "__signature__", "__text_signature__"})
_MARKED = frozenset({"_is_coroutine_mark", "_is_coroutine_marker", "_is_coroutine"})


class Parameters(NamedTuple):
    """Names by position, of those by keyword alone, and of `*` and `**` ("" for none).

    `unnamed` is how many of those by position take no keyword.
    """

    positional: tuple[str, ...] = ()
    keyword: tuple[str, ...] = ()
    rest: str = ""
    keywords: str = ""
    unnamed: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of the signature."""
        return tuple(name for name in (*self.positional, self.rest, *self.keyword, self.keywords) if name)


def own_parameters(function: FunctionType) -> Parameters:
    """The parameters that stand in a function's own code."""
    code = function.__code__
    names = code.co_varnames
    count = code.co_argcount
    end = count + code.co_kwonlyargcount
    rest = names[end] if code.co_flags & _REST else ""
    keywords = names[end + bool(rest)] if code.co_flags & _KEYWORDS else ""
    return Parameters(names[:count], names[count:end], rest, keywords, code.co_posonlyargcount)


def parameters_of(function: Any) -> Parameters:
    """The parameters by which a function is called, as its signature has them; none where it has no signature."""
    if type(function) is FunctionType and _PRETENDING.isdisjoint(vars(function)):
        return own_parameters(function)
    import inspect  # 10 ms that a start does not pay for plain functions

    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return Parameters()
    kinds = inspect.Parameter
    names = {kind: tuple(one.name for one in found if one.kind is kind) for kind in {one.kind for one in found}}
    unnamed = names.get(kinds.POSITIONAL_ONLY, ())
    (rest,), (keywords,) = names.get(kinds.VAR_POSITIONAL, ("",)), names.get(kinds.VAR_KEYWORD, ("",))
    positional = (*unnamed, *names.get(kinds.POSITIONAL_OR_KEYWORD, ()))
    return Parameters(positional, names.get(kinds.KEYWORD_ONLY, ()), rest, keywords, len(unnamed))


def is_awaited(function: Any) -> bool:
    """Whether a call gives a coroutine, as `inspect.iscoroutinefunction` says."""
    if type(function) is FunctionType and _MARKED.isdisjoint(vars(function)):
        return bool(function.__code__.co_flags & _COROUTINE)
    import inspect

    return inspect.iscoroutinefunction(function)


def is_plain(function: Any) -> bool:
    """Whether it is a Python function that returns or is awaited: another one can stand in its place."""
    return type(function) is FunctionType and not function.__code__.co_flags & _OTHER_KINDS


def reader(parameters: Parameters, name: str) -> Read:
    """What reads the parameter `name`; `"-1"` is the last argument by position."""
    if name.startswith("-"):
        return lambda instance, args, kwargs: args[int(name)] if len(args) >= -int(name) else ABSENT
    if name == parameters.rest:
        count = len(parameters.positional)
        return lambda instance, args, kwargs: args[count - (instance is not None) :]
    if name == parameters.keywords:
        return lambda instance, args, kwargs: {k: v for k, v in kwargs.items() if k not in parameters.names}
    if name not in parameters.positional:
        return lambda instance, args, kwargs: kwargs.get(name, ABSENT) if name in parameters.keyword else ABSENT
    index = parameters.positional.index(name)

    def read(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # A bound call does not list what it is bound to.
        position = index - (instance is not None)
        if position < 0:
            return instance
        return args[position] if position < len(args) else kwargs.get(name, ABSENT)

    return read


def replacer(parameters: Parameters, name: str) -> Replace:
    """What replaces the parameter `name` in the arguments of a call."""

    def replace(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any], value: Any) -> Arguments:
        if value is ABSENT:
            return args, kwargs
        if name.startswith("-"):
            position = len(args) + int(name)
        elif name in parameters.positional:
            position = parameters.positional.index(name) - (instance is not None)
        else:
            position = len(args)
        if name in kwargs or position >= len(args):
            return args, {**kwargs, name: value}
        return (*args[:position], value, *args[position + 1 :]), kwargs

    return replace
