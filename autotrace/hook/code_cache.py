"""Woven code on disk: takes source and what was chosen for it, gives the compiled code of an earlier run, or nothing.

It lies in a folder of ours and never under a name that plain Python would load.
"""

from __future__ import annotations

import importlib.util
import marshal
import os
import sys

from autotrace.hook.woven import Compiled, Woven
from autotrace.store.location import make_directory

_FORMAT = 1


class CodeCache:
    """A folder of compiled modules; None as folder: nothing is kept."""

    def __init__(self, folder: str | None, choices: str) -> None:
        self._folder = folder
        self._choices = choices

    def load(self, source: bytes, filename: str, name: str) -> Compiled | None:
        """What an earlier run compiled from the same source, with the same choices and interpreter."""
        if self._folder is None:
            return None
        try:
            with open(self._path(source, filename, name), "rb") as file:  # noqa: PTH123 - pathlib costs 4 ms
                code, woven = marshal.load(file)
            return Compiled(code, tuple(Woven(*record) for record in woven))
        except (OSError, ValueError, EOFError, TypeError):
            return None

    def save(self, source: bytes, filename: str, name: str, compiled: Compiled) -> None:
        """Keep code for the next run; a folder that cannot be written is no reason to complain."""
        if self._folder is None or sys.dont_write_bytecode or compiled.failed:
            return
        path = self._path(source, filename, name)
        records = [(record.number, record.qualname, record.target, record.roots) for record in compiled.woven]
        temporary = f"{path}.{os.getpid()}"
        try:
            make_directory(os.path.dirname(self._folder))  # noqa: PTH120 - as above
            os.makedirs(self._folder, mode=0o700, exist_ok=True)  # noqa: PTH103 - as above
            with open(temporary, "wb") as file:  # noqa: PTH123 - as above
                marshal.dump((compiled.code, records), file)
            os.replace(temporary, path)  # noqa: PTH105 - as above
        except (OSError, ValueError):
            return

    def _path(self, source: bytes, filename: str, name: str) -> str:
        made_of = repr((_FORMAT, name, filename, self._choices, sys.flags.optimize, len(source))).encode(
            errors="replace"
        )
        key = importlib.util.source_hash(source) + importlib.util.source_hash(made_of)
        assert self._folder is not None
        return os.path.join(self._folder, f"{key.hex()}.{sys.implementation.cache_tag}")  # noqa: PTH118 - as above
