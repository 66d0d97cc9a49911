"""Attributes in OTLP: takes names and plain values, gives the bytes of protobuf's `KeyValue` and `AnyValue` messages.

Source: opentelemetry-proto `common/v1/common.proto` (field numbers), Protocol Buffers' "Encoding". A field is its tag (its
number * 8 + the wire type) and its value; text, bytes and messages have their length before them.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Any

TEXT_LIMIT = 64 * 1024
"""The longest text in characters, and list in items; what is longer is cut."""

_WORD = 2**64 - 1
_TABLE = 2048
_LONGEST_INTEGER = 4096  # bits; Python refuses to print an integer of more than 4,300 digits in decimal

_KEPT_NAMES = 512
_KEPT_VALUES = 128  # of one name
_KEPT_TEXT = 96  # characters; to hash a long text takes longer than to encode it

_double = Struct("<d").pack


def varint(number: int) -> bytes:
    """A number from 0 to 2**64 - 1, seven bits a byte, the lowest first."""
    if number < _TABLE:
        return _VARINTS[number]
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def field(tag: bytes, content: bytes) -> bytes:
    """A field of text, bytes, or a message."""
    length = len(content)
    return tag + (_VARINTS[length] if length < _TABLE else varint(length)) + content


def text(value: object) -> bytes:
    """Text as UTF-8, cut; a lone surrogate becomes its escape, and what is no text the name of its type."""
    if type(value) is str:
        try:
            return value[:TEXT_LIMIT].encode()
        except UnicodeEncodeError:
            pass
    # Never str(value): that would run the program's code.
    shown = str.__str__(value) if isinstance(value, str) else f"<{type(value).__name__}>"
    return shown[:TEXT_LIMIT].encode("utf-8", "backslashreplace")


class AttributeEncoder:
    """Encodes the attributes of one kind of message, whose field for them has `tag`; remembers what comes again.

    Programs use few names, and of most names few values. What is remembered stays; once there is enough nothing is added,
    so that a name whose values never repeat costs a look-up each, and the memory is bounded.
    """

    def __init__(self, tag: bytes) -> None:
        self._tag = tag
        self._names: dict[str, _Name] = {}

    def append(self, parts: list[bytes], attributes: Mapping[str, Any]) -> None:
        """Append each attribute to `parts`. Raises what a mapping raises, and RecursionError."""
        names = self._names
        for key, value in attributes.items():
            name = names.get(key) or self._name(key)
            # By exact type: the values of a subclass could run the program's code. In the order of how many there are.
            kind = type(value)
            if kind is str:
                known = name.texts.get(value) if len(value) <= _KEPT_TEXT else None
                if known is not None:
                    parts.append(known)
                else:
                    name.append_text(parts, value)
            elif kind is float:
                parts += name.double, _double(value)
            elif kind is bool:
                parts.append(name.bools[value])
            elif kind is int:
                known = name.integers.get(value)
                if known is not None:
                    parts.append(known)
                else:
                    name.append_integer(parts, value)
            else:
                name.append(parts, any_value(value))

    def _name(self, key: object) -> _Name:
        encoded = text(key)
        name = _Name(self._tag, field(b"\x0a", encoded))
        if type(key) is str and len(key) <= _KEPT_TEXT and len(self._names) < _KEPT_NAMES:
            self._names[key] = name
        return name


class _Name:
    """The bytes that come again with one name."""

    __slots__ = ("bools", "double", "heads", "integers", "key", "tag", "texts")

    def __init__(self, tag: bytes, key: bytes) -> None:
        self.tag = tag
        self.key = key
        self.double = tag + varint(len(key) + 11) + key + b"\x12\x09\x21"
        self.bools = tuple(field(tag, key + value) for value in (b"\x12\x02\x10\x00", b"\x12\x02\x10\x01"))
        self.integers: dict[int, bytes] = {}
        self.texts: dict[str, bytes] = {}
        self.heads: dict[int, bytes] = {}

    def append(self, parts: list[bytes], value: bytes) -> None:
        """Append the attribute with an AnyValue."""
        parts.append(field(self.tag, self.key + field(b"\x12", value)))

    def append_integer(self, parts: list[bytes], value: int) -> None:
        """Append the attribute with an integer that is not among `integers`."""
        encoded = field(self.tag, self.key + field(b"\x12", _integer(value)))
        if len(self.integers) < _KEPT_VALUES and value.bit_length() < 64:
            self.integers[value] = encoded
        parts.append(encoded)

    def append_text(self, parts: list[bytes], value: str) -> None:
        """Append the attribute with a text that is not among `texts`."""
        if len(value) > _KEPT_TEXT:
            self.append(parts, field(b"\x0a", text(value)))
            return
        encoded = text(value)
        length = len(encoded)
        head = self.heads.get(length) or self._head(length)
        parts += head, encoded
        if len(self.texts) < _KEPT_VALUES:
            self.texts[value] = head + encoded

    def _head(self, length: int) -> bytes:
        """All before a text of that many bytes; of kept texts there are few lengths."""
        inner = 1 + len(varint(length)) + length
        outer = len(self.key) + 1 + len(varint(inner)) + inner
        head = b"".join((self.tag, varint(outer), self.key, b"\x12", varint(inner), b"\x0a", varint(length)))
        self.heads[length] = head
        return head


def any_value(value: object) -> bytes:
    """An AnyValue. What OTLP has no type for is text, as the local store spells it."""
    if isinstance(value, str):
        return field(b"\x0a", text(value))
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int):
        return _integer(int.__index__(value))
    if isinstance(value, float):
        return b"\x21" + _double(value)
    if isinstance(value, list | tuple):
        return field(b"\x2a", b"".join([field(b"\x0a", any_value(item)) for item in value[:TEXT_LIMIT]]))
    if isinstance(value, bytes):
        return field(b"\x3a", value[:TEXT_LIMIT])
    if value is None:
        return b""
    return field(b"\x0a", text(value))


def _integer(value: int) -> bytes:
    if -(2**63) <= value < 2**63:
        return b"\x18" + varint(value & _WORD)
    digits = str(value) if value.bit_length() <= _LONGEST_INTEGER else hex(value)
    return field(b"\x0a", text(digits))


_VARINTS = tuple(bytes((n,)) if n < 128 else bytes((n & 127 | 128, n >> 7)) for n in range(_TABLE))
