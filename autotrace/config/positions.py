"""Where everything stands in a TOML text: takes the text, gives line and column of each key and value by key path."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import tomli

KeyPath: TypeAlias = "tuple[str | int, ...]"

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BASIC_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL_STRING = re.compile(r"'[^'\n]*'")
_LONG_BASIC_STRING = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}', re.DOTALL)
_LONG_LITERAL_STRING = re.compile(r"'''(?:[^']|'(?!''))*'{3,5}")
_SPACE = re.compile(r"[ \t]*")
_SPACE_AND_COMMENTS = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_DATE_WITH_SPACE = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*")
_PLAIN_VALUE = re.compile(r"[^\s,\]}#]+")
_STRINGS = (("'''", _LONG_LITERAL_STRING), ('"""', _LONG_BASIC_STRING), ("'", _LITERAL_STRING), ('"', _BASIC_STRING))
# tomli stops at 400 levels; the scanner reads what tomli has accepted.
_DEEPEST = 450


class Place(NamedTuple):
    """A line and a column, both counted from 1, the column in characters."""

    line: int
    column: int


class Duplicate(NamedTuple):
    """A key path that a text sets twice."""

    path: KeyPath
    first: Place
    second: Place


@dataclass(frozen=True)
class Positions:
    """The places of one text; a table's own value stands where its header or its brace stands."""

    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    duplicates: tuple[Duplicate, ...] = ()
    plain_strings: frozenset[KeyPath] = frozenset()  # values in one pair of quotes, without an escape

    def below(self, prefix: KeyPath) -> Positions:
        """The same places, with `prefix` cut off (`[tool.autotrace]` read as a file of its own)."""
        size = len(prefix)
        return Positions(
            {path[size:]: place for path, place in self.keys.items() if path[:size] == prefix},
            {path[size:]: place for path, place in self.values.items() if path[:size] == prefix},
            tuple(duplicate for duplicate in self.duplicates if duplicate.path[:size] == prefix),
            frozenset(path[size:] for path in self.plain_strings if path[:size] == prefix),
        )


def scan(text: str) -> Positions:
    """The places of a TOML 1.0 text; of a broken one, those before the first thing that could not be read."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    try:
        scanner.read_document()
    except _UnreadableError:
        pass
    return Positions(scanner.keys, scanner.values, tuple(scanner.duplicates), frozenset(scanner.plain_strings))


class _UnreadableError(Exception):
    """The text is no TOML from here on; tomli says why."""


class _Scanner:
    """Walks one text once; it checks nothing that tomli has checked, except what it needs to find its way."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0
        self.line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self.keys: dict[KeyPath, Place] = {}
        self.values: dict[KeyPath, Place] = {}
        self.duplicates: list[Duplicate] = []
        self.plain_strings: set[KeyPath] = set()
        self.lengths: dict[KeyPath, int] = {}  # of arrays of tables
        self.headers: set[KeyPath] = set()
        self.depth = 0

    def read_document(self) -> None:
        table: KeyPath = ()
        while True:
            self.skip(_SPACE_AND_COMMENTS)
            if self.offset >= len(self.text):
                return
            if self.text.startswith("[[", self.offset):
                table = self.read_array_header()
            elif self.peek() == "[":
                table = self.read_table_header()
            else:
                self.read_pair(table)

    def read_table_header(self) -> KeyPath:
        start = self.place()
        self.offset += 1
        parts = self.read_key()
        self.expect("]")
        path = self.open_parents(parts)
        if path in self.headers:
            self.duplicates.append(Duplicate(path, self.keys[path], start))
        self.headers.add(path)
        self.keys.setdefault(path, parts[-1][1])
        self.values.setdefault(path, start)
        return self.inside(path)

    def read_array_header(self) -> KeyPath:
        start = self.place()
        self.offset += 2
        parts = self.read_key()
        self.expect("]]")
        path = self.open_parents(parts)
        self.keys.setdefault(path, parts[-1][1])
        self.values.setdefault(path, start)
        index = self.lengths.get(path, 0)
        self.lengths[path] = index + 1
        element = (*path, index)
        self.keys[element] = self.values[element] = start
        return element

    def open_parents(self, parts: list[tuple[str, Place]]) -> KeyPath:
        """The full path of a header, in which a part that is an array of tables means its last element."""
        path: KeyPath = ()
        for name, place in parts[:-1]:
            path = (*path, name)
            self.keys.setdefault(path, place)
            self.values.setdefault(path, place)
            path = self.inside(path)
        return (*path, parts[-1][0])

    def inside(self, path: KeyPath) -> KeyPath:
        return (*path, self.lengths[path] - 1) if path in self.lengths else path

    def read_pair(self, table: KeyPath) -> None:
        parts = self.read_key()
        path = table
        for name, place in parts[:-1]:
            path = (*path, name)
            self.keys.setdefault(path, place)
            self.values.setdefault(path, place)
        name, place = parts[-1]
        path = (*path, name)
        if path in self.keys:
            self.duplicates.append(Duplicate(path, self.keys[path], place))
        self.keys.setdefault(path, place)
        self.expect("=")
        self.skip(_SPACE)
        self.read_value(path)

    def read_value(self, path: KeyPath) -> None:
        self.values.setdefault(path, self.place())
        character = self.peek()
        if character in {"[", "{"}:
            self.depth += 1
            if self.depth > _DEEPEST:
                raise _UnreadableError
            self.read_array(path) if character == "[" else self.read_inline_table(path)
            self.depth -= 1
        elif character in {"'", '"'}:
            self.read_string(path)
        elif not (self.skip(_DATE_WITH_SPACE) or self.skip(_PLAIN_VALUE)):
            raise _UnreadableError

    def read_string(self, path: KeyPath) -> None:
        quotes, pattern = next(pair for pair in _STRINGS if self.text.startswith(pair[0], self.offset))
        text = self.skip(pattern)
        if not text:
            raise _UnreadableError
        if len(quotes) == 1 and (quotes == "'" or "\\" not in text):
            self.plain_strings.add(path)

    def read_array(self, path: KeyPath) -> None:
        self.offset += 1
        index = 0
        while True:
            self.skip(_SPACE_AND_COMMENTS)
            if self.accept("]"):
                return
            element = (*path, index)
            self.keys[element] = self.place()
            self.read_value(element)
            index += 1
            self.skip(_SPACE_AND_COMMENTS)
            if not self.accept(","):
                self.expect("]")
                return

    def read_inline_table(self, path: KeyPath) -> None:
        self.offset += 1
        while True:
            self.skip(_SPACE_AND_COMMENTS)
            if self.accept("}"):
                return
            self.read_pair(path)
            self.skip(_SPACE_AND_COMMENTS)
            if not self.accept(","):
                self.expect("}")
                return

    def read_key(self) -> list[tuple[str, Place]]:
        parts = [self.read_key_part()]
        while self.accept("."):
            parts.append(self.read_key_part())
        return parts

    def read_key_part(self) -> tuple[str, Place]:
        self.skip(_SPACE)
        place = self.place()
        if self.peek() == "'":
            name = self.skip(_LITERAL_STRING)[1:-1]
        elif self.peek() == '"':
            name = _unquote(self.skip(_BASIC_STRING))
        else:
            name = self.skip(_BARE_KEY)
            if not name:
                raise _UnreadableError
        self.skip(_SPACE)
        return name, place

    def skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.offset)
        if match is None:
            return ""
        self.offset = match.end()
        return match.group()

    def peek(self) -> str:
        return self.text[self.offset : self.offset + 1]

    def accept(self, token: str) -> bool:
        found = self.text.startswith(token, self.offset)
        self.offset += len(token) if found else 0
        return found

    def expect(self, token: str) -> None:
        self.skip(_SPACE)
        if not self.accept(token):
            raise _UnreadableError

    def place(self) -> Place:
        line = bisect_right(self.line_starts, self.offset)
        return Place(line, self.offset - self.line_starts[line - 1] + 1)


def _unquote(quoted: str) -> str:
    if "\\" not in quoted:
        return quoted[1:-1]
    try:
        return next(iter(tomli.loads(f"{quoted} = 0")))
    except tomli.TOMLDecodeError as error:
        raise _UnreadableError from error
