"""Reads the libraries that are traced out of the box: takes their names, gives the targets of `integrations/*.toml`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import tomli

from autotrace.plan.target import Origin, Target

DIRECTORY = Path(__file__).parent.parent / "integrations"
_COMMON_KEYS = frozenset({"at", "as", "span", "tags", "how", "min_duration", "evaluate"})


def library_names() -> tuple[str, ...]:
    """The names of all integrations, in the order of the alphabet."""
    return tuple(sorted(path.stem for path in DIRECTORY.glob("*.toml")))


def load_integrations(names: Iterable[str] | None = None) -> tuple[Target, ...]:
    """The targets of the named integrations, of all without names.

    The files are ours and are checked by a test, so that no start pays for the models.
    """
    return tuple(target for name in (library_names() if names is None else names) for target in load_integration(name))


@lru_cache(maxsize=64)
def load_integration(library: str) -> tuple[Target, ...]:
    """The targets of one library; FileNotFoundError when there is no integration of that name."""
    file = f"integrations/{library}.toml"
    document = tomli.loads((DIRECTORY / f"{library}.toml").read_text("utf-8"))
    return tuple(_target(entry, Origin(file), library) for entry in document["targets"])


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
