"""Where the source of a module lies: takes a module's name, gives its file, and what tells whether that has changed.

Nothing is imported or run: a module is looked for down its packages.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from typing import NamedTuple


class Source(NamedTuple):
    """A file that a plan was checked against; without `module` it is the entry, without `file` there was none.

    `changed_ns` is the time of its last change in nanoseconds since the epoch, `size` in bytes; 0 where it cannot be read.
    """

    module: str
    file: str | None
    changed_ns: int = 0
    size: int = 0


def look_at(module: str, file: str | None) -> Source:
    """The Source as it is now."""
    try:
        status = os.stat(file) if file is not None else None  # noqa: PTH116 - pathlib costs every start 5 ms
    except (OSError, ValueError):
        status = None
    return Source(module, file) if status is None else Source(module, file, status.st_mtime_ns, status.st_size)


def find_source(module: str, path: Sequence[str]) -> str | None:
    """The .py file of a module; None when there is none."""
    parts = module.split(".")
    locations: Sequence[str] = path
    spec: ModuleSpec | None = None
    for size in range(1, len(parts) + 1):
        try:
            spec = PathFinder.find_spec(".".join(parts[:size]), locations)
        except (ImportError, ValueError, OSError):
            return None
        if spec is None:
            return None
        locations = list(spec.submodule_search_locations or ())
    origin = spec.origin if spec else None
    return origin if origin and origin.endswith(".py") else None


def is_unchanged(source: Source, path: Sequence[str]) -> bool:
    """Whether a module would still be found in the same file, and the file is the same."""
    if source.module and find_source(source.module, path) != source.file:
        return False
    return look_at(source.module, source.file) == source
