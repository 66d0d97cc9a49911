"""Values an application gives to OpenTelemetry's API: takes anything, gives a bounded attribute value or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from autotrace.span.capture import TEXT_LIMIT, attribute_of
from autotrace.span.finished import AttributeValue

_SCALARS = (str, bool, int, float, bytes)
_ITEM_LIMIT = 128


def value_of(value: object) -> AttributeValue | None:
    """A scalar, a sequence of scalars of one kind, or None for what OpenTelemetry does not take."""
    if isinstance(value, _SCALARS):
        return attribute_of(_plain(value))
    if isinstance(value, Sequence):
        items = [attribute_of(item) for item in value[:_ITEM_LIMIT] if isinstance(item, _SCALARS)]
        if len({type(item) for item in items}) == 1:
            return cast("Sequence[str]", items)
        return [] if not items else None
    return None


def _plain(value: str | bool | int | float | bytes) -> object:
    """A subclass (an enum, numpy's float) by the plain value that it holds, never by its own `str`."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool | bytes):
        return value
    return int.__index__(value) if isinstance(value, int) else float.__float__(value)


def is_attribute_key(key: object) -> bool:
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
