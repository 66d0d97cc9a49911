"""Jaeger's Thrift, binary protocol: takes a resource and finished spans, gives the bytes of a `Batch`.

Source: jaeger-idl `thrift/jaeger.thrift` (field numbers), Thrift's "Binary protocol encoding", and OpenTelemetry's
"OpenTelemetry to Jaeger Transformation" (the names of the tags).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from struct import Struct

from autotrace.span.finished import AttributeValue, FinishedEvent, FinishedLink, FinishedSpan, Resource

TEXT_LIMIT = 64 * 1024
"""The longest text in characters; what is longer is cut."""

_BOOL, _DOUBLE, _I32, _I64, _STRING, _STRUCT, _LIST = 2, 4, 8, 10, 11, 12, 15
_STOP = b"\0"
_FOLLOWS_FROM = 1
_SAMPLED = 1
_LOW = 2**64 - 1
_LARGEST = 2**63 - 1
_LONGEST_INTEGER = 4096  # bits; Python refuses to print an integer of more than 4,300 digits in decimal

_field = Struct(">bh").pack
_text_field = Struct(">bhi").pack
_long_field = Struct(">bhq").pack
_double_field = Struct(">bhd").pack
_bool_field = Struct(">bhb").pack
_list_field = Struct(">bhbi").pack
# Ids are signed in Thrift and unsigned with us: the same 64 bits, so they are packed as what they are.
_span_ids = Struct(">bhQbhQbhQbhQ").pack
_reference_ids = Struct(">bhibhQbhQbhQ").pack
_flags_and_times = Struct(">bhibhqbhq").pack
_IS_STRING, _IS_DOUBLE, _IS_BOOL, _IS_LONG = (Struct(">bhi").pack(_I32, 2, kind) for kind in range(4))


def encode_batch(process: bytes, spans: Sequence[bytes]) -> bytes:
    """A `Batch` of what `encode_process` and `encode_span` gave."""
    return b"".join((_field(_STRUCT, 1), process, _list_field(_LIST, 2, _STRUCT, len(spans)), *spans, _STOP))


def encode_process(resource: Resource) -> bytes:
    """The `Process` of a resource: the service's name, every other attribute a tag."""
    attributes = {key: value for key, value in resource.attributes.items() if key != "service.name"}
    return _text(1, resource.service_name) + _tags(2, attributes) + _STOP


def encode_span(span: FinishedSpan) -> bytes:
    """A `Span`; sampled, never debug. Raises what the values of a broken span raise."""
    return b"".join(
        (
            *_identity(span),
            _text(5, span.name),
            _structs(6, [_reference(link) for link in span.links]),
            _flags_and_times(
                *(_I32, 7, _SAMPLED),
                *(_I64, 8, _microseconds(span.start_ns)),
                *(_I64, 9, _microseconds(span.duration_ns)),
            ),
            _tags(10, {**span.attributes, **_described(span)}),
            _structs(11, [_log(event) for event in span.events]),
            _STOP,
        )
    )


def _identity(span: FinishedSpan) -> Iterable[bytes]:
    low, high = span.trace_id & _LOW, span.trace_id >> 64
    yield _span_ids(_I64, 1, low, _I64, 2, high, _I64, 3, span.span_id, _I64, 4, span.parent_id)


def _described(span: FinishedSpan) -> dict[str, AttributeValue]:
    """The tags for what a span of OpenTelemetry has fields for; they win over attributes of the same name."""
    tags: dict[str, AttributeValue] = {"span.kind": span.kind, "otel.scope.name": span.scope}
    if span.status != "unset":
        tags["otel.status_code"] = span.status.upper()
    if span.status == "error":
        tags["error"] = True
    if span.status_message:
        tags["otel.status_description"] = span.status_message
    return tags


def _reference(link: FinishedLink) -> bytes:
    low, high = link.trace_id & _LOW, link.trace_id >> 64
    return _reference_ids(_I32, 1, _FOLLOWS_FROM, _I64, 2, low, _I64, 3, high, _I64, 4, link.span_id) + _STOP


def _log(event: FinishedEvent) -> bytes:
    return (
        _long_field(_I64, 1, _microseconds(event.time_ns)) + _tags(2, {"event": event.name, **event.attributes}) + _STOP
    )


def _tags(field: int, attributes: Mapping[str, AttributeValue]) -> bytes:
    return _structs(field, [_text(1, key) + _value(value) + _STOP for key, value in attributes.items()])


def _structs(field: int, structs: Sequence[bytes]) -> bytes:
    return b"".join((_list_field(_LIST, field, _STRUCT, len(structs)), *structs))


def _value(value: object) -> bytes:
    """The fields of a `Tag` behind its key: which of Jaeger's types it is, and the value."""
    if type(value) is str:  # most are
        return _IS_STRING + _text(3, value)
    if isinstance(value, bool):
        return _IS_BOOL + _bool_field(_BOOL, 5, value)
    if isinstance(value, int) and -_LARGEST - 1 <= value <= _LARGEST:
        return _IS_LONG + _long_field(_I64, 6, value)
    if isinstance(value, float):
        return _IS_DOUBLE + _double_field(_DOUBLE, 4, value)
    return _IS_STRING + _text(3, _spelled(value))


def _spelled(value: object) -> object:
    """A value that Jaeger has no type for, as text: long integers in digits, sequences in JSON."""
    if isinstance(value, int):
        return _digits(value)
    if isinstance(value, list | tuple):
        return json.dumps([_item(item) for item in value[:TEXT_LIMIT]], ensure_ascii=False)
    return value


def _item(value: object) -> object:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return int(value) if value.bit_length() <= _LONGEST_INTEGER else _digits(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return f"<{type(value).__name__}>"


def _digits(value: int) -> str:
    return int.__repr__(value) if value.bit_length() <= _LONGEST_INTEGER else hex(value)


def _text(field: int, value: object) -> bytes:
    # Never str(value): that would run the program's code.
    text = value if isinstance(value, str) else f"<{type(value).__name__}>"
    encoded = str.encode(text[:TEXT_LIMIT], "utf-8", "backslashreplace")
    return _text_field(_STRING, field, len(encoded)) + encoded


def _microseconds(nanoseconds: int) -> int:
    return max(0, min(nanoseconds // 1000, _LARGEST))
