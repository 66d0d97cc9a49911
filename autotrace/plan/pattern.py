"""Globs over dotted names: takes the text of a file, gives a Pattern that says which modules or functions it means."""

from __future__ import annotations

import re
from functools import lru_cache

_WILDCARDS = frozenset("*?[|")
_PIECES = re.compile(r"\*+|\?|\[!?[^\]]+\]|.", re.DOTALL)


class Pattern:
    """One compiled glob: `*` and `?` stay within a dotted part, `**` crosses dots, `[...]` is one character of a set.

    A wildcard never means a dunder (`__init__`) unless its part of the pattern starts with `__` itself. `a|b` means
    either. `literal` is the name itself when there is no wildcard, else None.
    """

    __slots__ = ("_alternatives", "literal", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.literal: str | None = None if _WILDCARDS.intersection(text) else text
        self._alternatives = tuple(_Glob(one) for one in text.split("|"))

    def matches(self, name: str) -> bool:
        """Whether the pattern means this dotted name."""
        return name == self.literal or any(glob.matches(name) for glob in self._alternatives)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"


@lru_cache(maxsize=4096)
def compile_pattern(text: str) -> Pattern:
    """The Pattern of a text; any text is one, and an unclosed `[` means itself."""
    return Pattern(text)


class _Glob:
    __slots__ = ("crosses", "dunders", "fullmatch", "parts")

    def __init__(self, text: str) -> None:
        self.parts = text.split(".")
        self.crosses = "**" in text
        self.fullmatch = _expression(text).fullmatch
        self.dunders = tuple(_expression(part).fullmatch for part in self.parts if part.startswith("__"))

    def matches(self, name: str) -> bool:
        if self.fullmatch(name) is None:
            return False
        return "__" not in name or self._allows_dunders(name.split("."))

    def _allows_dunders(self, names: list[str]) -> bool:
        if self.crosses:
            return all(any(fullmatch(name) for fullmatch in self.dunders) for name in filter(_is_dunder, names))
        return all(part.startswith("__") or not _is_dunder(name) for part, name in zip(self.parts, names, strict=True))


def _expression(glob: str) -> re.Pattern[str]:
    return re.compile("".join(_translate(piece) for piece in _PIECES.findall(glob)), re.DOTALL)


def _is_dunder(name: str) -> bool:
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def _translate(piece: str) -> str:
    if piece[0] == "*":
        return "[^.]*" if len(piece) == 1 else ".*"
    if piece == "?":
        return "[^.]"
    if piece[0] == "[" and len(piece) > 2:
        negated = piece.startswith("[!") and len(piece) > 3
        members = re.sub(r"([\\^\[&~|])", r"\\\1", piece[2:-1] if negated else piece[1:-1])
        try:
            re.compile(f"[{members}]")
        except re.error:  # a range from z to a
            return re.escape(piece)
        return f"[^.{members}]" if negated else f"(?!\\.)[{members}]"
    return re.escape(piece)
