"""Reads one step of a path: takes a value and a name, gives what is there without running code of the application.

Types are looked at through the slots of `type` itself, so that no metaclass has a say.
"""

from __future__ import annotations

import builtins
import operator
from collections import namedtuple
from collections.abc import Callable, Mapping
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final


class Sentinel:
    """A value that no program has."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


ABSENT: Final = Sentinel("ABSENT")
"""What a path gives when something on its way is missing."""
NOT_PLAIN: Final = Sentinel("NOT_PLAIN")
"""What a path gives when reading on would run code of the application."""

_bases_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__
_names_of: Callable[[type], Mapping[str, object]] = type.__dict__["__dict__"].__get__
_BUILTIN_TYPES = frozenset(id(one) for one in vars(builtins).values() if type(one) is type)
_NAMED_FIELD = type(namedtuple("_Pair", "first")("").__class__.__dict__["first"])


def plain_attribute(value: object, name: str) -> object:
    """`value.name` from slots and the instance's own dict, or from a plain class attribute; else ABSENT or NOT_PLAIN."""
    kind = type(value)
    on_class = _on_class(kind, name)
    if on_class is not ABSENT:
        descriptor = type(on_class)
        if is_field(on_class):
            return _read_slot(on_class, value)
        if descriptor is GetSetDescriptorType:
            known = id(on_class.__objclass__) in _BUILTIN_TYPES  # type: ignore[attr-defined] # the type was compared
            return _read_slot(on_class, value) if known else NOT_PLAIN
        if _has(descriptor, "__set__") or _has(descriptor, "__delete__"):
            return NOT_PLAIN
    own = _own_names(value, kind)
    if own is NOT_PLAIN:
        return NOT_PLAIN
    found = own.get(name, ABSENT) if type(own) is dict else ABSENT
    if found is not ABSENT:
        return found
    if on_class is not ABSENT:
        return NOT_PLAIN if _has(type(on_class), "__get__") else on_class
    return NOT_PLAIN if _has(kind, "__getattr__") or _overrides_access(kind) else ABSENT


def plain_item(value: object, key: str | int) -> object:
    """`value[key]` of an exact dict, list or tuple; else ABSENT or NOT_PLAIN."""
    kind = type(value)
    if kind is dict:
        return value.get(key, ABSENT)  # type: ignore[attr-defined] # the type was compared
    if kind is list or kind is tuple:
        if type(key) is int and -len(value) <= key < len(value):  # type: ignore[arg-type] # the type was compared
            return value[key]  # type: ignore[index] # the type was compared
        return ABSENT
    return NOT_PLAIN if _has(kind, "__getitem__") else ABSENT


def evaluated_attribute(value: object, name: str) -> object:
    """`value.name` as Python reads it; ABSENT when that raises."""
    try:
        return getattr(value, name)
    except Exception as error:
        return _absent_after(error)


def evaluated_item(value: object, key: str | int) -> object:
    """`value[key]` as Python reads it; ABSENT when that raises."""
    try:
        return operator.getitem(value, key)  # type: ignore[call-overload] # whatever has no item raises TypeError
    except Exception as error:
        return _absent_after(error)


def _absent_after(error: Exception) -> object:
    """ABSENT, unless a signal handler raised this while the path was read: that is the application's."""
    from autotrace.guard import is_from_signal

    if is_from_signal(error):
        raise error
    return ABSENT


def class_layers(kind: type) -> tuple[Mapping[str, object], ...]:
    """The dicts of a class and its bases in the order of look-up, without `object`'s."""
    return tuple(_names_of(one) for one in _bases_of(kind) if one is not object)


def is_field(held: object) -> bool:
    """Whether what a class holds of a name is a slot or the field of a named tuple, which are read without its code."""
    return type(held) is MemberDescriptorType or type(held) is _NAMED_FIELD


def is_passive(held: object) -> bool:
    """Whether what a class holds of a name, or ABSENT, leaves reading it to the instance's own dict."""
    return not any(_has(type(held), name) for name in ("__get__", "__set__", "__delete__"))


def reads_own_dict(kind: type) -> bool:
    """Whether an instance's `__dict__` is the interpreter's own, and nothing else has a say in reading from it."""
    return type(_on_class(kind, "__dict__")) is GetSetDescriptorType and id(kind) not in _BUILTIN_TYPES


def _on_class(kind: type, name: str) -> object:
    for one in _bases_of(kind):
        names = _names_of(one)
        if name in names:
            return names[name]
    return ABSENT


def _own_names(value: object, kind: type) -> Any:
    """The instance's dict, ABSENT without one, NOT_PLAIN when code of the application would make it."""
    descriptor = _on_class(kind, "__dict__")
    if type(descriptor) is GetSetDescriptorType or type(descriptor) is MemberDescriptorType:
        return _read_slot(descriptor, value)
    return ABSENT if descriptor is ABSENT else NOT_PLAIN


def _read_slot(descriptor: Any, value: object) -> object:
    try:
        return descriptor.__get__(value)
    except AttributeError:  # a slot that is not set
        return ABSENT


def _has(kind: type, name: str) -> bool:
    return _on_class(kind, name) is not ABSENT


def _overrides_access(kind: type) -> bool:
    return _on_class(kind, "__getattribute__") is not object.__getattribute__ and any(
        "__getattribute__" in _names_of(one) and id(one) not in _BUILTIN_TYPES for one in _bases_of(kind)
    )
