"""Attributes of objects whose class was looked at before: takes a name, gives a quick way to read it from any value.

`plain_attribute` walks the classes of a value each time. What it finds there is remembered for a few classes, and each read
makes sure that it still holds: a property that is put on the class later is found as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from autotrace.plan.plain import ABSENT, class_layers, is_field, is_passive, plain_attribute, reads_own_dict

_KNOWN_LIMIT = 16
_read_generic = object.__getattribute__


Known: TypeAlias = tuple[type, tuple[Mapping[str, object], ...], object]
"""A class, the dicts of it and its bases, and what they hold of the name: a slot, a plain value, nothing (ABSENT)."""

_NOBODY: Known = (type("Nobody", (), {}), (), None)


def attribute_reader(name: str) -> Callable[[object], object]:
    """What gives `value.name` as `plain_attribute` does."""
    # By id: a metaclass may have a hash of its own. The entry keeps the class, so that its id stays its own.
    known: dict[int, Known] = {}
    latest = _NOBODY

    def read(value: object) -> object:
        nonlocal latest
        kind, layers, held = latest
        if type(value) is not kind:
            entry = known.get(id(type(value)))
            if entry is None:
                return _learn(known, value, name)
            latest = entry
            kind, layers, held = entry
        for names in layers:
            if name in names:
                holds = names[name] is held
                break
        else:
            holds = held is ABSENT
        if holds:
            try:
                # With a slot or nothing on the class this looks at the value alone, and makes no dict of it.
                return _read_generic(value, name)
            except AttributeError:
                pass
        return plain_attribute(value, name)

    return read


def _learn(known: dict[int, Known], value: object, name: str) -> object:
    """Read the slow way, and remember the class where the quick way gives the same."""
    found = plain_attribute(value, name)
    kind = type(value)
    layers = class_layers(kind)
    held: Any = next((names[name] for names in layers if name in names), ABSENT)
    if found is not ABSENT and (is_field(held) or (is_passive(held) and reads_own_dict(kind))):
        if len(known) >= _KNOWN_LIMIT:
            known.clear()  # a program that makes classes as it goes: none of them is kept for long
        known[id(kind)] = (kind, layers, held)
    return found
