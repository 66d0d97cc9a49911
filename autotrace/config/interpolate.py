"""Environment variables in strings: takes TOML data, gives it with `${VAR}` and `${VAR:-default}` replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_REFERENCE = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\{([^}]*)(\})?)")

Report = Callable[["tuple[str | int, ...]", str, str], None]
"""Takes a key path, what was found, and what would be right."""


def interpolate(data: Any, environ: Mapping[str, str], report: Report, path: tuple[str | int, ...] = ()) -> Any:
    """`data` with each string expanded; `$$` gives one `$`, and what cannot be expanded is reported and left."""
    if isinstance(data, str):
        return _expand(data, environ, report, path) if "$" in data else data
    if isinstance(data, Mapping):
        return {key: interpolate(value, environ, report, (*path, key)) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [interpolate(value, environ, report, (*path, index)) for index, value in enumerate(data)]
    return data


def _expand(text: str, environ: Mapping[str, str], report: Report, path: tuple[str | int, ...]) -> str:
    def replace(match: re.Match[str]) -> str:
        name, default, odd, closed = match.groups()
        if match.group() == "$$":
            return "$"
        if name is None:
            report(path, f'"{match.group()}" names no variable', _remedy(odd, closed))
            return match.group()
        value = environ.get(name, "")
        if value or (name in environ and default is None):
            return value
        if default is None:
            report(path, f"the variable {name} is not set", f"set it, or write ${{{name}:-default}}")
            return match.group()
        return default

    return _REFERENCE.sub(replace, text)


def _remedy(odd: str, closed: str | None) -> str:
    return "write ${NAME} or ${NAME:-default}, and $$ for a dollar sign" if closed or not odd else "close it with }"
