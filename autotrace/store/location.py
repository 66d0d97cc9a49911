"""Where the local store lies: takes the plan's path and the environment, gives an absolute path, makes its folder."""

# ruff: noqa: PTH103, PTH109, PTH110, PTH111, PTH112, PTH118, PTH119, PTH120, PTH123 - pathlib costs every start 5 ms

from __future__ import annotations

import os
from collections.abc import Mapping

from autotrace.errors import StoreError

DIRECTORY = ".autotrace"
FILE = "traces.db"


def locate(plan_store_path: str | None, directory: str, environ: Mapping[str, str]) -> str:
    """The store's file: AUTOTRACE_STORE, else `[store] path` relative to the config's directory, else the default.

    `directory` is the config's, or the working directory when there is no config.
    """
    override = environ.get("AUTOTRACE_STORE")
    if override:
        return _file(os.path.join(os.getcwd(), os.path.expanduser(override)))
    base = os.path.join(os.getcwd(), directory)
    if plan_store_path:
        return _file(os.path.join(base, os.path.expanduser(plan_store_path)))
    return os.path.join(base, DIRECTORY, FILE)


def _file(path: str) -> str:
    return os.path.join(path, FILE) if os.path.isdir(path) else path


def prepare_directory(store: str | os.PathLike[str]) -> None:
    """Make the directory of the store: mode 0700, and nothing in it ever committed to git. Raises StoreError."""
    directory = os.path.dirname(store)
    try:
        make_directory(directory)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{directory}: cannot make the store's directory: {reason}; name another in AUTOTRACE_STORE"
        ) from error


def make_directory(directory: str) -> None:
    """Make a directory of ours as `prepare_directory` does. Raises OSError."""
    os.makedirs(os.path.dirname(directory) or ".", exist_ok=True)
    if not os.path.isdir(directory):
        os.makedirs(directory, mode=0o700, exist_ok=True)
    if os.path.basename(directory) == DIRECTORY:
        ignore = os.path.join(directory, ".gitignore")
        if not os.path.exists(ignore):
            with open(ignore, "w", encoding="utf-8") as file:
                file.write("*\n")
