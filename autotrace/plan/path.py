"""The field language: takes a text such as `order['type']`, gives a Path, and a closure that reads it from a value.

Nothing is evaluated: a path is names, attributes, keys and indexes, read one after another.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from autotrace.errors import PathError
from autotrace.plan.known import attribute_reader
from autotrace.plan.plain import ABSENT, NOT_PLAIN, evaluated_attribute, evaluated_item, plain_item

__all__ = ["ABSENT", "NOT_PLAIN", "Attribute", "Item", "Path", "getter", "parse"]

Reader: TypeAlias = Callable[[object], object]

_LONGEST = 1000
_NAME = re.compile(r"[^\W\d]\w*")
_INDEX = re.compile(r"\[(-?[0-9]{1,9})\]")
_QUOTED = re.compile(r"'((?:[^'\\]|\\['\"\\])*)'|\"((?:[^\"\\]|\\['\"\\])*)\"")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MARKS = {
    "(": "a call",
    ")": "a call",
    "{": "a literal",
    ":": "a slice",
    "=": "an assignment",
    " ": "a space",
    "@": "@",
}


class Attribute(NamedTuple):
    """The step `.name`."""

    name: str


class Item(NamedTuple):
    """The step `['key']` or `[0]`."""

    key: str | int


class Path(NamedTuple):
    """A parsed path: `root` is a parameter's name, `self`, `result` or `error`; a constant has the root `""`."""

    root: str
    steps: tuple[Attribute | Item, ...] = ()
    constant: str | None = None


@lru_cache(maxsize=4096)
def parse(text: str) -> Path:
    """The Path of a text; PathError with the column (from 1) of the first thing that is none."""
    if len(text) > _LONGEST:
        raise PathError(f"it is longer than {_LONGEST} characters", _LONGEST)
    quoted = _QUOTED.match(text)
    if quoted:
        if quoted.end() != len(text):
            raise PathError("nothing may follow a constant", quoted.end() + 1)
        return Path("", (), _unquote(quoted))
    root, offset = _read_name(text, 0)
    steps: list[Attribute | Item] = []
    while offset < len(text):
        step, offset = _read_step(text, offset)
        steps.append(step)
    return Path(root, tuple(steps))


def getter(path: Path, evaluate: bool = False) -> Callable[[object], object]:
    """A closure from the value of the root to the value of the path.

    It gives ABSENT when something on the way is missing, NOT_PLAIN when reading on would run code of the application
    (a property, `__getattr__`, `__getitem__`) and `evaluate` is false. A constant ignores the value.
    """
    if path.constant is not None:
        constant = path.constant
        return lambda value: constant
    readers = tuple(_reader(step, evaluate) for step in path.steps)
    if not readers:
        return lambda value: value
    return readers[0] if len(readers) == 1 else lambda value: _read_all(readers, value)


def _read_all(readers: tuple[Reader, ...], value: object) -> object:
    for read in readers:
        value = read(value)
        if value is ABSENT or value is NOT_PLAIN:
            return value
    return value


def _reader(step: Attribute | Item, evaluate: bool) -> Reader:
    if isinstance(step, Attribute):
        name = step.name
        return (lambda value: evaluated_attribute(value, name)) if evaluate else attribute_reader(name)
    key = step.key
    return (lambda value: evaluated_item(value, key)) if evaluate else (lambda value: plain_item(value, key))


def _read_step(text: str, offset: int) -> tuple[Attribute | Item, int]:
    if text[offset] == ".":
        name, end = _read_name(text, offset + 1)
        return Attribute(name), end
    if text[offset] != "[":
        raise PathError(_unexpected(text, offset), offset + 1)
    index = _INDEX.match(text, offset)
    if index:
        return Item(int(index.group(1))), index.end()
    key = _QUOTED.match(text, offset + 1)
    if key is None:
        raise PathError("between [ and ] stands a 'key' in quotes or a whole number", offset + 2)
    if not text.startswith("]", key.end()):
        raise PathError("] is missing after the key", key.end() + 1)
    return Item(_unquote(key)), key.end() + 1


def _read_name(text: str, offset: int) -> tuple[str, int]:
    match = _NAME.match(text, offset)
    if match is None:
        raise PathError(_unexpected(text, offset) if offset < len(text) else "a name is missing", offset + 1)
    name = match.group()
    if name.startswith("__") and name.endswith("__"):
        raise PathError(f"{name} is not for paths", offset + 1)
    if not name.isascii():
        from unicodedata import normalize  # as Python does with its own names

        name = normalize("NFKC", name)
    return name, match.end()


def _unexpected(text: str, offset: int) -> str:
    character = text[offset]
    if character in "+-*/%&|^<>~":
        return f"arithmetic ({character}) is not for paths"
    what = _MARKS.get(character)
    return f"{what} is not for paths" if what else f"unexpected {character!r}"


def _unquote(match: re.Match[str]) -> str:
    quoted = match.group(1) if match.group(1) is not None else match.group(2)
    return _ESCAPE.sub(r"\1", quoted)
