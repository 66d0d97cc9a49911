"""Finds the config of a run: takes how the program is started, gives the file's path or None."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

VARIABLE = "AUTOTRACE_CONFIG"


def find_config(
    explicit: str | None = None,
    script: str | None = None,
    directory: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path | None:
    """The absolute path of the config, or None.

    `explicit` (`--config`) wins, then AUTOTRACE_CONFIG; both are returned whether or not they exist. Else for a
    `script` its folder upward, then `directory` (the working folder) upward; for `-m`, `-c`, stdin and console scripts leave
    `script` out. The way up ends with a folder that has `.git`, with the home folder, or before another device.
    """
    named = explicit or (os.environ if environ is None else environ).get(VARIABLE)
    if named == os.devnull:  # a traced parent process found none
        return None
    if named:
        return Path(named).expanduser().absolute()
    starts = [Path(directory or ".").absolute()]
    if script:
        starts.insert(0, Path(script).absolute().parent)
    for start in starts:
        for folder in _upward(start):
            found = _config_in(folder)
            if found:
                return found
    return None


def _upward(folder: Path) -> Iterator[Path]:
    home = _home()
    device = _device(folder)
    for place in (folder, *folder.parents):
        if device is None or _device(place) != device:
            return
        yield place
        if place == home or os.path.lexists(place / ".git"):
            return


def _config_in(folder: Path) -> Path | None:
    own = folder / "tracing.toml"
    if os.path.lexists(own):
        return own
    project = folder / "pyproject.toml"
    return project if _has_section(project) else None


def _has_section(project: Path) -> bool:
    try:
        content = project.read_bytes()
    except OSError:
        return False
    if b"autotrace" not in content:
        return False
    import tomli  # 20 ms, for a pyproject.toml that speaks of us only

    try:
        return "autotrace" in tomli.loads(content.decode()).get("tool", {})
    except (ValueError, AttributeError, TypeError, RecursionError):
        # Broken, so it may be meant for us: say what is wrong with it rather than run half-configured.
        return b"[tool.autotrace" in content


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def _device(folder: Path) -> int | None:
    try:
        return folder.stat().st_dev
    except OSError:
        return None
