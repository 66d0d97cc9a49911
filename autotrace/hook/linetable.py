"""Line tables: takes code with instructions at the line NOWHERE, gives code in which they have a line of the source.

A debugger, a coverage tool or `sys.settrace` then sees what it would see untraced: entering has no line, leaving has
the line of the statement that leaves. Where that cannot be known (an exception, branches that meet at the end) it is the
line of the `def`, as with a `with` of the language; none there would break pdb, which compares line numbers. The formats
are those of `Objects/locations.md` (3.11 and later) and `Objects/lnotab_notes.txt` (3.10) in CPython.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import CodeType

from autotrace.hook.inject import NOWHERE

_NO_LOCATION = 15
_LONG = 14
_NO_COLUMNS = 13
_ONE_LINE = (10, 11, 12)
_HANDLERS = frozenset(dis.opmap[name] for name in ("PUSH_EXC_INFO", "WITH_EXCEPT_START") if name in dis.opmap)


def erase_nowhere(code: CodeType) -> CodeType:
    """The same code, and all code inside it, without the line NOWHERE."""
    constants = tuple(erase_nowhere(item) if isinstance(item, CodeType) else item for item in code.co_consts)
    table = code.co_linetable
    if any(line is not None and line >= NOWHERE for _, _, line in code.co_lines()):
        table = bytes(_erase_new(code) if sys.version_info >= (3, 11) else _erase_old(code))
    return code.replace(co_consts=constants, co_linetable=table)


class _Places:
    """What line an instruction at NOWHERE gets, going through a code object from its first instruction on."""

    def __init__(self, code: CodeType) -> None:
        self._code = code
        self._joins = frozenset(dis.findlabels(code.co_code))  # type: ignore[arg-type]  # takes bytes, whatever typeshed says
        self._line: int | None = None
        self._entered = False

    def at(self, offset: int, line: int | None) -> int | None:
        if line is not None and line < NOWHERE:
            # What stands before our entering on the line of the `def` (cells, RESUME) is no statement.
            if self._entered or line != self._code.co_firstlineno:
                self._line = line
            return line
        self._entered = self._entered or line is not None
        if offset in self._joins or self._code.co_code[offset] in _HANDLERS:
            self._line = self._code.co_firstlineno
        return self._line if line is not None else None


def _erase_old(code: CodeType) -> Iterator[int]:
    places = _Places(code)
    previous = code.co_firstlineno
    for start, end, line in code.co_lines():
        for offset in range(start, end, 2):
            new = places.at(offset, line)
            delta = 0 if new is None else new - previous
            yield from _pairs(2, delta, none=new is None)
            previous += delta


def _pairs(length: int, delta: int, *, none: bool) -> Iterator[int]:
    while not none and not -127 <= delta <= 127:
        part = max(-127, min(127, delta))
        yield from (0, part & 0xFF)
        delta -= part
    while length > 254:
        yield from (254, 0x80 if none else delta & 0xFF)
        length, delta = length - 254, 0
    yield from (length, 0x80 if none else delta & 0xFF)


def _erase_new(code: CodeType) -> Iterator[int]:
    places = _Places(code)
    line = written = code.co_firstlineno
    offset = 0
    for kind, units, payload in _entries(code.co_linetable):
        delta = _line_delta(kind, payload)
        line += delta
        new = places.at(offset, None if kind == _NO_LOCATION else line)
        offset += 2 * units
        if new is None:
            yield 0x80 | _NO_LOCATION << 3 | units - 1
        elif new != line:
            yield 0x80 | _NO_COLUMNS << 3 | units - 1
            yield from _varint(new - written)
            written = new
        else:
            yield from _entry(kind, units, payload, delta, new - written)
            written = new


def _entry(kind: int, units: int, payload: bytes, old: int, new: int) -> Iterator[int]:
    if old != new:
        yield from _rewrite(kind, units, payload, new)
        return
    yield 0x80 | kind << 3 | units - 1
    yield from payload


def _entries(table: bytes) -> Iterator[tuple[int, int, bytes]]:
    position = 0
    while position < len(table):
        end = position + 1
        # Only the first byte of an entry has its high bit set.
        while end < len(table) and not table[end] & 0x80:
            end += 1
        first = table[position]
        yield first >> 3 & 15, (first & 7) + 1, table[position + 1 : end]
        position = end


def _line_delta(kind: int, payload: bytes) -> int:
    if kind in (_LONG, _NO_COLUMNS):
        return _signed(payload)[0]
    return kind - 10 if kind in _ONE_LINE else 0


def _rewrite(kind: int, units: int, payload: bytes, delta: int) -> Iterator[int]:
    if kind in (_LONG, _NO_COLUMNS):
        yield 0x80 | kind << 3 | units - 1
        yield from _varint(delta)
        yield from payload[_signed(payload)[1] :]
        return
    if kind in _ONE_LINE:
        start, end = payload
    else:
        start = kind << 3 | payload[0] >> 4
        end = start + (payload[0] & 15)
    yield 0x80 | _LONG << 3 | units - 1
    yield from _varint(delta)
    yield 0
    for column in (start, end):
        yield from _unsigned(column + 1)


def _signed(payload: bytes) -> tuple[int, int]:
    value = shift = size = 0
    while True:
        byte = payload[size]
        value |= (byte & 63) << shift
        shift, size = shift + 6, size + 1
        if not byte & 64:
            break
    return (-(value >> 1) if value & 1 else value >> 1), size


def _varint(value: int) -> Iterator[int]:
    yield from _unsigned(-value << 1 | 1 if value < 0 else value << 1)


def _unsigned(value: int) -> Iterator[int]:
    while value > 63:
        yield 64 | value & 63
        value >>= 6
    yield value
