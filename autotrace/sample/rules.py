"""The rules of a file, compiled: takes an endpoint, gives the first rule that matches.

Five hundred rules cost hardly more than one: each stands under the letters that its endpoints begin with, so that only a
few are asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import TypeAlias

from autotrace.sample.rule import Rule

_Place: TypeAlias = tuple[int, Rule]

_REQUEST = re.compile(r"(?:(\S+) )?(/.*)", re.DOTALL)
_LITERAL = re.compile(r"[^*?{<]*")


class Rules:
    """Finds rules by what an endpoint begins with: its name, its method and path, or its path alone (any method)."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._name = _Beginnings()
        self._request = _Beginnings()
        self._path = _Beginnings()
        for place, rule in enumerate(rules):
            request = _REQUEST.fullmatch(rule.endpoint)
            if request is None:
                self._name.add(_LITERAL.match(rule.endpoint)[0], (place, rule))  # type: ignore[index]  # it always matches
                continue
            method, path = request.groups()
            literal = _LITERAL.match(path)[0]  # type: ignore[index]  # likewise
            if method in (None, "*"):
                self._path.add(literal, (place, rule))
            else:
                self._request.add(f"{method.upper()} {literal}", (place, rule))

    def find(self, endpoint: str) -> Rule | None:
        """The first rule, in the order of the file, that `endpoint` matches."""
        found = self._name.find(endpoint, endpoint)
        middle = endpoint.find(" /")
        if middle > 0:
            method, path = endpoint[:middle].upper(), endpoint[middle + 1 :]
            # The methods of HTTP, whatever a rule writes; a queue may also have a name like a path.
            found = [*found, *self._request.find(f"{method} {path}", endpoint), *self._path.find(path, endpoint)]
        return min(found, key=itemgetter(0))[1] if found else None


class _Beginnings:
    def __init__(self) -> None:
        self.lengths: list[int] = []
        self._rules: dict[str, list[_Place]] = {}

    def add(self, literal: str, rule: _Place) -> None:
        self._rules.setdefault(literal, []).append(rule)
        self.lengths = sorted({*self.lengths, len(literal)})

    def find(self, text: str, endpoint: str) -> list[_Place]:
        places = self._rules
        found: list[_Place] = []
        for length in self.lengths:
            if length > len(text):
                break
            for rule in places.get(text[:length], ()):
                if rule[1].matches(endpoint):
                    found.append(rule)
                    break
        return found
