"""Globs that no text can make slow: takes parts of a pattern, gives a regular expression that never tries a thing twice.

`.*` in an expression is tried at each length anew, and two of them at each pair of lengths: a request for a long path would
then hold a server for seconds. What stands between two stars is therefore looked for once, where it comes first, and as
short as can be (as `fnmatch.translate` does; a group that was found by looking ahead is not left again).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

STAR = "*"
"""The part of a pattern that is any text, also none; the others are regular expressions."""

PIECE = "[^/]+?"
"""One part of a path."""


def expression(parts: Sequence[str], name: str = "g") -> str:
    """The regular expression of `parts`, for a full match with `re.DOTALL`; `name` begins the names of its groups."""
    pieces = [""]
    for part in parts:
        if part == STAR:
            pieces.append("")
        else:
            pieces[-1] += part
    first, *rest = pieces
    if not rest:
        return first
    found = [_once(first, f"{name}0") if PIECE in first else first]
    found += [_once(f".*?{piece}", f"{name}{place}") for place, piece in enumerate(rest[:-1], 1) if piece]
    return "".join(found) + ".*" + rest[-1]


def text_glob(text: str) -> str:
    """The expression of a text in which `*` is any text and `?` one character."""
    return expression([STAR if part == "*" else "." if part == "?" else re.escape(part) for part in text])


def _once(piece: str, name: str) -> str:
    return f"(?=(?P<{name}>{piece}))(?P={name})"
