"""Fields of a call: takes a path such as `request.method`, gives what reads it from arguments or a result."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from autotrace.conventions.environment import Place
from autotrace.guard import is_from_signal
from autotrace.plan.path import ABSENT, NOT_PLAIN, getter, parse
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tagged import TaggedSite

Arguments: TypeAlias = tuple[Any, ...]
Keywords: TypeAlias = Mapping[str, Any]
ReadArgument: TypeAlias = Callable[[Any, Arguments, Keywords], Any]
"""Reads from the instance, the positional and the keyword arguments of one call."""


def parameters(place: Place) -> tuple[str, ...]:
    """The names of the parameters, in order; a C function without a signature has them in its field `parameters`."""
    listed = place.word("parameters")
    if listed:
        return tuple(listed.split())
    try:
        return tuple(inspect.signature(place.original).parameters)
    except (TypeError, ValueError):
        return ()


def argument(place: Place, name: str) -> ReadArgument:
    """Reads the parameter `name`; `ABSENT` where the call does not give it."""
    names = parameters(place)
    if name not in names:
        return lambda instance, args, kwargs: ABSENT
    index = names.index(name)
    kind = _kind(place, name)
    if kind is inspect.Parameter.VAR_POSITIONAL:
        return lambda instance, args, kwargs: args[index if instance is None else index - 1 :]
    if kind is inspect.Parameter.VAR_KEYWORD:
        return lambda instance, args, kwargs: {key: value for key, value in kwargs.items() if key not in names}

    def read(instance: Any, args: Arguments, kwargs: Keywords) -> Any:
        # A bound call does not list what it is bound to.
        position = index if instance is None else index - 1
        if position < 0:
            return instance
        if position < len(args):
            return args[position]
        return kwargs.get(name, ABSENT)

    return read


def _kind(place: Place, name: str) -> object:
    if place.word("parameters"):
        return None
    return inspect.signature(place.original).parameters[name].kind


def tag_arguments(place: Place, site: Site) -> Callable[[Span, Any, Arguments, Keywords], None]:
    """What sets the tags of a target that come from the arguments of a call."""
    readers = [(root, argument(place, root)) for root in site.roots] if isinstance(site, TaggedSite) else []

    def tag(span: Span, instance: Any, args: Arguments, kwargs: Keywords) -> None:
        for root, read in readers:
            value = read(instance, args, kwargs)
            if value is not ABSENT:
                site.tag(span, root, value)

    return tag


def field(place: Place, name: str) -> ReadArgument | None:
    """Reads the field `name` before the call; None if the target has no such field."""
    text = place.word(name)
    return read_path(place, text) if text else None


def read_path(place: Place, text: str) -> ReadArgument:
    """Reads a path that begins with a parameter; None where there is nothing, or what may not be read."""
    path = parse(text)
    if path.constant is not None:
        return lambda instance, args, kwargs: path.constant
    read = getter(path, place.target.evaluate)
    root = argument(place, path.root)

    def read_field(instance: Any, args: Arguments, kwargs: Keywords) -> Any:
        value = root(instance, args, kwargs)
        return None if value is ABSENT else plain(read(value))

    return read_field


def result_field(place: Place, name: str) -> Callable[[Any], Any] | None:
    """Reads the field `name`, which begins with `result`, after the call; None if the target has no such field."""
    text = place.word(name)
    if not text:
        return None
    read = getter(parse(text), place.target.evaluate)
    return lambda result: plain(read(result))


def plain(found: Any) -> Any:
    """What a path found; None for nothing."""
    return None if found is ABSENT or found is NOT_PLAIN else found


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call what belongs to a library or the application for a value of ours; None where it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        if is_from_signal(error):
            raise
        return None


def text(value: Any) -> str:
    """The text of a URL or a method, whatever a library makes of it."""
    if type(value) is str:
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    converted = None if value is None else attempt(str, value)
    return converted if type(converted) is str else ""
