"""Headers of any make: takes whatever a library calls headers, gives text by lower-case name; never raises for a value.

Message brokers hand over bytes, None and integers, servers hand over pairs, and a name may occur twice. What comes out is
text or absent; values of the same name are joined by a comma, as HTTP does (RFC 9110, section 5.3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

Read: TypeAlias = Callable[[str], str | None]
"""Gives the value of a header by its lower-case name."""

VALUE_LIMIT = 8192


def reader(carrier: object, names: Iterable[str]) -> Read:
    """A reader of `names` (lower case) over a mapping, or over pairs of names and values."""
    return read_headers(carrier, frozenset(names)).get


def read_headers(carrier: object, wanted: frozenset[str]) -> dict[str, str]:
    """Those of the `wanted` names (lower case) that a mapping, or pairs of names and values, has, with their text."""
    if not isinstance(carrier, dict | Mapping):
        return _found(_pairs(carrier), wanted)
    # The keys alone: what libraries make of a mapping takes its time for each value.
    named = [key for key in carrier if type(key) is not str or key.lower() in wanted]
    return _found([(key, carrier[key]) for key in named], wanted) if named else {}


def _found(pairs: Iterable[tuple[object, object]], wanted: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in pairs:
        name = text_of(key)
        if name is None or (name := name.lower()) not in wanted:
            continue
        text = text_of(value)
        if text is not None:
            found[name] = f"{found[name]},{text}" if name in found else text
    return found


def environ_reader(environ: Mapping[str, object]) -> Read:
    """A reader over a WSGI environment (PEP 3333), where `X-Trace-ID` is `HTTP_X_TRACE_ID`."""

    def read(name: str) -> str | None:
        value = environ.get(_variable(name))
        return None if value is None else text_of(value)

    return read


@lru_cache(maxsize=64)
def _variable(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")


def text_of(value: object) -> str | None:
    """The text of a header's value; None for what is no text, bytes, number or list of these, or is too long."""
    if type(value) is str or isinstance(value, str):
        return str(value) if len(value) <= VALUE_LIMIT else None
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("latin-1") if len(value) <= VALUE_LIMIT else None
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return _digits(value)
    if isinstance(value, list | tuple):
        parts = [text_of(part) for part in value[:16] if not isinstance(part, list | tuple)]
        return ",".join(part for part in parts if part is not None) or None
    return None


def with_headers(headers: Any, added: Mapping[str, str], fresh: bool = False) -> Any:
    """A copy of `headers`, of the same make, with `added` in it; the caller's own object stays as it is.

    `fresh`: none of the names stands in `headers`.
    """
    if headers is None:
        return dict(added)
    if isinstance(headers, list | tuple):
        return _with_pairs(headers, added)
    copied = headers.copy() if hasattr(headers, "copy") else dict(headers)
    if not fresh:
        lowered = {name.lower() for name in added}
        for key in [key for key in copied if (text_of(key) or "").lower() in lowered]:
            if key in copied:
                del copied[key]
    copied.update(added)
    return copied


def _with_pairs(headers: Any, added: Mapping[str, str]) -> Any:
    lowered = {name.lower() for name in added}
    kept = [pair for pair in headers if (text_of(pair[0]) or "").lower() not in lowered]
    as_bytes = bool(kept) and isinstance(kept[0][0], bytes)
    pairs = [(name.encode(), value.encode()) if as_bytes else (name, value) for name, value in added.items()]
    return type(headers)([*kept, *pairs])


def _pairs(carrier: object) -> Iterable[tuple[object, object]]:
    if isinstance(carrier, list | tuple):
        return [(pair[0], pair[1]) for pair in carrier if isinstance(pair, list | tuple) and len(pair) == 2]
    return ()


def _digits(value: int) -> str | None:
    # str() of a huge integer raises (sys.set_int_max_str_digits), and no header is that long.
    return str(value) if value.bit_length() <= 512 else None
