"""Text that is safe and fits: takes whatever a span holds, gives one printable line of a known width."""

from __future__ import annotations

import unicodedata

_ELLIPSIS = "…"


def printable(text: str) -> str:
    """The text with control characters escaped: a name from the wire must not move the cursor of a terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape", "replace").decode() for char in text)


def width(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def fit(text: str, columns: int) -> str:
    """The text cut or padded to exactly this many columns."""
    if width(text) > columns:
        text = _cut(text, columns - 1) + _ELLIPSIS if columns > 0 else ""
    return text + " " * (columns - width(text))


def cut(text: str, columns: int) -> str:
    """The text cut to at most this many columns."""
    return text if width(text) <= columns else fit(text, columns).rstrip()


def format_duration(nanoseconds: int) -> str:
    """Three significant digits and a unit: `950 ns`, `12.3 us`, `812 ms`, `1.25 s`, `3 min 20 s`."""
    seconds = nanoseconds / 1e9
    if seconds >= 60:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size * 0.9995:
            return f"{_three_digits(seconds / size)} {unit}"
    return f"{nanoseconds} ns"


def _three_digits(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def _cut(text: str, columns: int) -> str:
    taken = 0
    for place, char in enumerate(text):
        taken += _columns(char)
        if taken > columns:
            return text[:place]
    return text


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
