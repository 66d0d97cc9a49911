"""Finds the config of a run: takes how the program is started, gives the file's path or None."""

# ruff: noqa: PTH109, PTH111, PTH116, PTH118, PTH120, PTH123, PTH206 - pathlib costs every start 5 ms

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

VARIABLE = "AUTOTRACE_CONFIG"


def find_config(
    explicit: str | None = None,
    script: str | None = None,
    directory: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> str | None:
    """The absolute path of the config, or None.

    `explicit` (`--config`) wins, then AUTOTRACE_CONFIG; both are returned whether or not they exist. Else for a
    `script` its folder upward, then `directory` (the working folder) upward; for `-m`, `-c`, stdin and console scripts leave
    `script` out. The way up ends with a folder that has `.git`, with the home folder, or before another device.
    """
    named = explicit or (os.environ if environ is None else environ).get(VARIABLE)
    if named == os.devnull:  # a traced parent process found none
        return None
    if named:
        return _absolute(os.path.expanduser(named))
    starts = [_absolute(directory or ".")]
    if script:
        starts.insert(0, os.path.dirname(_absolute(script)))
    for start in starts:
        for folder in _upward(start):
            found = _config_in(folder)
            if found:
                return found
    return None


def _absolute(path: str) -> str:
    """Joined, not normalised: `..` below a link is another folder than its text says."""
    parts = [part for part in os.path.join(os.getcwd(), path).split(os.sep) if part != "."]
    return os.sep.join(parts) or os.sep


def _upward(folder: str) -> Iterator[str]:
    home = os.path.expanduser("~")
    device = _device(folder)
    while device is not None and _device(folder) == device:
        yield folder
        above = os.path.dirname(folder)
        if folder in (home, above) or os.path.lexists(os.path.join(folder, ".git")):
            return
        folder = above


def _config_in(folder: str) -> str | None:
    own = os.path.join(folder, "tracing.toml")
    if os.path.lexists(own):
        return own
    project = os.path.join(folder, "pyproject.toml")
    return project if _has_section(project) else None


def _has_section(project: str) -> bool:
    try:
        with open(project, "rb") as file:
            content = file.read()
    except OSError:
        return False
    if b"autotrace" not in content:
        return False
    if b"\n[tool.autotrace]" in b"\n" + content and b'"""' not in content and b"'''" not in content:
        return True  # a header, and no text of several lines that only looks like one
    import tomli  # 20 ms, for a pyproject.toml that speaks of us otherwise

    try:
        return "autotrace" in tomli.loads(content.decode()).get("tool", {})
    except (ValueError, AttributeError, TypeError, RecursionError):
        # Broken, so it may be meant for us: say what is wrong with it rather than run half-configured.
        return b"[tool.autotrace" in content


def _device(folder: str) -> int | None:
    try:
        return os.stat(folder).st_dev
    except OSError:
        return None
