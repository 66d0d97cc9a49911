"""Whose modules are found: takes sys.path from our own imports to those of a program, as if we had imported nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator

from autotrace.hook.program import Program

_restored: list[str] = []


def leave_path() -> None:
    """Let our own imports find nothing of the program.

    What `python -m autotrace` or our console script put first on sys.path goes, and what the interpreter brings goes
    before PYTHONPATH, until the program is entered.
    """
    if not _is_path_safe():
        del sys.path[0]
    _restored[:] = sys.path
    prefixes = tuple({sys.prefix + os.sep, sys.base_prefix + os.sep})
    sys.path.sort(key=lambda folder: not folder.startswith(prefixes))


def enter_path(program: Program) -> None:
    """Make sys.path what `program` would find, and forget the modules of ours that it has its own of."""
    if _restored:
        sys.path[:] = _restored
    folder = _folder(program)
    if folder is not None:
        sys.path.insert(0, folder)
    _uncover(imports_runpy=program.kind in ("module", "directory", "zip"))


def hides(program: Program, names: Iterable[str]) -> bool:
    """Whether `program` would find a module of its own by one of these names of the standard library."""
    from importlib.machinery import PathFinder

    folder = _folder(program)
    path = [*(() if folder is None else (folder,)), *(_restored or sys.path)]
    standard = os.path.dirname(os.__file__)  # noqa: PTH120
    searched = path[: path.index(standard)] if standard in path else path
    return any(PathFinder.find_spec(name, searched) is not None for name in names)


def _is_path_safe() -> bool:
    """True when the interpreter puts no folder on sys.path by itself (-P, PYTHONSAFEPATH, -I)."""
    return bool(getattr(sys.flags, "safe_path", sys.flags.isolated))


def _folder(program: Program) -> str | None:
    if program.kind in ("directory", "zip"):
        return program.text
    if _is_path_safe():
        return None
    if program.kind == "script":
        return os.path.dirname(os.path.realpath(program.text))  # noqa: PTH120
    return os.getcwd() if program.kind == "module" else ""  # noqa: PTH109


def _uncover(*, imports_runpy: bool) -> None:
    """Take out of sys.modules what only we have imported and the program would find elsewhere: its own `queue.py`.

    We keep what we hold of it. A module is ours if it was imported after runpy, or after us where runpy is imported for
    the program, too.
    """
    from importlib.machinery import PathFinder

    standard = os.path.dirname(os.__file__)  # noqa: PTH120
    first = sys.path.index(standard) if standard in sys.path else 0
    searched = sys.path[:first]
    for name in list(_ours(imports_runpy=imports_runpy)):
        spec = PathFinder.find_spec(name, searched)
        loaded = getattr(sys.modules[name], "__spec__", None)
        if spec is None or spec.loader is None or loaded is None or spec.origin == loaded.origin:
            continue
        for module in [key for key in sys.modules if key == name or key.startswith(name + ".")]:
            del sys.modules[module]


def _ours(*, imports_runpy: bool) -> Iterator[str]:
    names = [name for name in sys.modules if "." not in name]
    first = names.index("autotrace")
    if not imports_runpy and "runpy" in names[:first]:
        first = names.index("runpy")
    for name in names[first:]:
        loaded = getattr(sys.modules[name], "__spec__", None)
        # Found before any folder is searched.
        if name != "autotrace" and loaded is not None and loaded.origin not in ("built-in", "frozen"):
            yield name
