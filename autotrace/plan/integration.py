"""Reads the libraries that are traced out of the box: takes their names, gives the targets of `integrations/*.toml`.

A start reads only which module belongs to which library; the targets of a library are made when it is imported.
"""

# ruff: noqa: PTH100, PTH118, PTH120, PTH123, PTH208 - pathlib costs every start 5 ms

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from autotrace.plan.target import Origin, Target

DIRECTORY = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "integrations")
_COMMON_KEYS = frozenset({"at", "as", "span", "tags", "how", "min_duration", "evaluate"})
_ENDING = ".toml"


def library_names() -> tuple[str, ...]:
    """The names of all integrations, in the order of the alphabet."""
    try:
        files = os.listdir(DIRECTORY)
    except OSError:
        return ()
    return tuple(sorted(name.removesuffix(_ENDING) for name in files if name.endswith(_ENDING)))


@lru_cache(maxsize=1)
def libraries_by_module() -> dict[str, tuple[str, ...]]:
    """Which libraries have targets in a module, by the module's name."""
    found: dict[str, tuple[str, ...]] = {}
    for library in library_names():
        for line in _read(library).splitlines():
            if line.startswith("at "):
                module = line.partition('"')[2].partition(":")[0]
                found[module] = tuple(dict.fromkeys((*found.get(module, ()), library)))
    return found


def load_integrations(names: Iterable[str] | None = None) -> tuple[Target, ...]:
    """The targets of the named integrations, of all without names.

    The files are ours and are checked by a test, so that no start pays for the models.
    """
    return tuple(target for name in (library_names() if names is None else names) for target in load_integration(name))


@lru_cache(maxsize=64)
def load_integration(library: str) -> tuple[Target, ...]:
    """The targets of one library; FileNotFoundError when there is no integration of that name."""
    file = f"integrations/{library}{_ENDING}"
    return tuple(_target(entry, Origin(file), library) for entry in _entries(_read(library)))


def _read(library: str) -> str:
    with open(os.path.join(DIRECTORY, library + _ENDING), encoding="utf-8") as file:
        return file.read()


def _entries(text: str) -> list[dict[str, Any]]:
    """The `[[targets]]` of a file. Line by line, as most of them are plain: tomli costs a start 10 ms."""
    entries: list[dict[str, Any]] = []
    for line in text.splitlines():
        if line.startswith("[[targets]]"):
            entries.append({})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            if not entries or not _is_plain(value):
                import tomli

                found: list[dict[str, Any]] = tomli.loads(text)["targets"]
                return found
            value = value.strip()
            entries[-1][key.strip()] = value[1:-1] if value[0] == '"' else value == "true"
    return entries


def _is_plain(value: str) -> bool:
    """Whether a value is true, false, or one string without an escape, with nothing after it."""
    value = value.strip()
    if value in ("true", "false"):
        return True
    return len(value) > 1 and value[0] == value[-1] == '"' and '"' not in value[1:-1] and "\\" not in value


def _target(entry: dict[str, Any], origin: Origin, library: str) -> Target:
    module, _, qualname = entry["at"].partition(":")
    return Target(
        module=module,
        qualname=qualname,
        origin=origin,
        convention=entry.get("as", "function"),
        fields=tuple((key, value) for key, value in entry.items() if key not in _COMMON_KEYS),
        tags=tuple(entry.get("tags", {}).items()),
        span=entry.get("span"),
        how=entry.get("how", "auto"),
        min_duration_ns=_duration_ns(entry),
        evaluate=entry.get("evaluate", False),
        integration=library,
    )


def _duration_ns(entry: dict[str, Any]) -> int:
    if "min_duration" not in entry:
        return 0
    from autotrace.config.units import duration_ns

    return duration_ns(entry["min_duration"])
