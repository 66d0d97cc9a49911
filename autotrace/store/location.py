"""Where the local store lies: takes the plan's path and the environment, gives an absolute path, makes its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autotrace.errors import StoreError

DIRECTORY = ".autotrace"
FILE = "traces.db"


def locate(plan_store_path: str | None, directory: str, environ: Mapping[str, str]) -> Path:
    """The store's file: AUTOTRACE_STORE, else `[store] path` relative to the config's directory, else the default.

    `directory` is the config's, or the working directory when there is no config.
    """
    override = environ.get("AUTOTRACE_STORE")
    if override:
        return _file(Path(override).expanduser().absolute())
    base = Path(directory).absolute()
    if plan_store_path:
        return _file(base / Path(plan_store_path).expanduser())
    return base / DIRECTORY / FILE


def _file(path: Path) -> Path:
    return path / FILE if path.is_dir() else path


def prepare_directory(store: Path) -> None:
    """Make the directory of the store: mode 0700, and nothing in it ever committed to git. Raises StoreError."""
    directory = store.parent
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        directory.mkdir(mode=0o700, exist_ok=True)
        if directory.name == DIRECTORY:
            ignore = directory / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{directory}: cannot make the store's directory: {reason}; name another in AUTOTRACE_STORE"
        ) from error
