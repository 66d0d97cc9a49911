"""Headers of requests and httpx: takes one, says whether names stand in it, and copies it as its own class would.

Their classes do it header by header, in Python: that is most of what sending the trace's ids would cost. What is relied on
here is private to them, so it is tried before it is used, and a version that is otherwise is left to its own methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Protocol

from autotrace.conventions.field import attempt
from autotrace.propagate.carrier import with_headers


class Known(Protocol):
    """What is known of one class of headers."""

    def __init__(self, names: frozenset[str]) -> None: ...

    def has_any(self, headers: Any) -> bool:
        """Whether one of the names (lower case) stands in the headers."""

    def with_new(self, headers: Any, added: Mapping[str, str]) -> Any:
        """A copy with `added` in it, of which nothing stands in the headers."""


class RequestsHeaders:
    """`requests.structures.CaseInsensitiveDict`: `_store` has the name as written and the value, by lower-case name."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names

    def has_any(self, headers: Any) -> bool:
        return not self.names.isdisjoint(headers._store)

    def with_new(self, headers: Any, added: Mapping[str, str]) -> Any:
        copied = object.__new__(type(headers))
        copied._store = store = headers._store.copy()
        for item in added.items():
            store[item[0].lower()] = item
        return copied


class HttpxHeaders:
    """`httpx.Headers`: `_list` has the name as it is written, in lower case, and the value, all as bytes."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = frozenset(name.encode() for name in names)

    def has_any(self, headers: Any) -> bool:
        return not self.names.isdisjoint([name for _, name, _ in headers._list])

    def with_new(self, headers: Any, added: Mapping[str, str]) -> Any:
        copied = object.__new__(type(headers))
        copied._list = [*headers._list, *[(*_encoded(name), added[name].encode()) for name in added]]
        copied._encoding = headers.encoding
        return copied


_CLASSES: dict[tuple[str, str], type[Known]] = {
    ("requests.structures", "CaseInsensitiveDict"): RequestsHeaders,
    ("httpx", "Headers"): HttpxHeaders,
}


def known(kind: type, names: frozenset[str]) -> Known | None:
    """What is known of headers of this class; None for any other class, and where they are not as they were."""
    found = _CLASSES.get((kind.__module__, kind.__qualname__))
    if found is None:
        return None
    made = found(names)
    return made if attempt(_holds, made, kind, names) else None


def _holds(made: Known, kind: type, names: frozenset[str]) -> bool:
    headers = kind({"Accept": "*/*"})
    added = {name.title(): "1" for name in names}
    copied, expected = made.with_new(headers, added), with_headers(headers, added, fresh=True)
    same = type(copied) is type(expected) and vars(copied) == vars(expected)
    return same and made.has_any(copied) and not made.has_any(headers) and bool(headers == {"Accept": "*/*"})


@lru_cache(maxsize=64)
def _encoded(name: str) -> tuple[bytes, bytes]:
    return name.encode(), name.lower().encode()
