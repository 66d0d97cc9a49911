"""Values an application gives to OpenTelemetry's API: takes anything, gives a bounded attribute value or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard, cast

from autotrace.span.capture import TEXT_LIMIT, attribute_of, type_name
from autotrace.span.finished import AttributeValue

_SCALARS = (str, bool, int, float, bytes)
_ITEM_LIMIT = 128


def value_of(value: object) -> AttributeValue | None:
    """A scalar, a tuple of scalars, or None for what has no attribute; nothing of the value is run but a subscript."""
    if isinstance(value, _SCALARS):
        return attribute_of(_plain(value))
    if isinstance(value, Sequence):
        items = value[:_ITEM_LIMIT]
        if all(item is None or isinstance(item, _SCALARS) for item in items):
            # None keeps its place, as the specification says ("Common: attribute").
            return cast("Sequence[str]", tuple(attribute_of(_plain(item)) for item in items))
    return None


def _plain(value: object) -> object:
    """A subclass (an enum, numpy's float) by the plain value that it holds, never by its own `str`."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int.__index__(value)
    return float.__float__(value) if isinstance(value, float) else value


def text_of(value: object) -> str:
    """A name or description, cut; of what is no text the name of its type."""
    return str.__str__(value)[:TEXT_LIMIT] if isinstance(value, str) else type_name(type(value))


def is_attribute_key(key: object) -> TypeGuard[str]:
    """Whether a key is text, not empty, and not endless."""
    return isinstance(key, str) and 0 < len(key) <= TEXT_LIMIT


def attributes_of(attributes: Mapping[str, object] | None) -> dict[str, AttributeValue]:
    """The attributes that OpenTelemetry would take, bounded."""
    plain: dict[str, AttributeValue] = {}
    for key, value in (attributes or {}).items():
        found = value_of(value)
        if found is not None and is_attribute_key(key) and len(plain) < _ITEM_LIMIT:
            plain[key] = found
    return plain
