"""Turns finished spans into rows of the store: takes FinishedSpans, gives tuples in the order of schema.sql."""

from __future__ import annotations

import json.encoder
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from autotrace.span.finished import FinishedEvent, FinishedLink, FinishedSpan

Row: TypeAlias = tuple[Any, ...]
Texts: TypeAlias = dict[Row, str]
"""JSON that was made before; it holds as long as the spans that it was made of."""

EXTERNAL_ID = "autotrace.external_id"
PART_INSERT = "INSERT INTO parts VALUES (?,?,?,?,?,?,?,?,?,?)"
SPANS_INSERT = "INSERT INTO spans VALUES (?,?,?)"

_RECORD = "QQqqI"
RECORD = struct.Struct(f">{_RECORD}")
"""One span in `spans.records`: its id, its parent's (0 for none), start, duration, the place of its description."""

_PACKED = 32 * len(_RECORD)  # numbers that are packed at once

# What a value of a span can raise while a row is made of it.
REFUSALS = (OverflowError, TypeError, ValueError, AttributeError, RecursionError, struct.error)

_LARGEST = 2**63 - 1
_REMOTE = 2**62  # added to the start of a root that has a parent elsewhere, so that the true root sorts first


def part_rows(identifier: int, resource: int, spans: Sequence[FinishedSpan], texts: Texts) -> tuple[Row, Row]:
    """The row of `parts` and the row of `spans` for spans of one trace. Raises what their values raise: `REFUSALS`."""
    records: list[int] = []
    places: dict[Row, int] = {}
    descriptions: list[str] = []
    root = spans[0]
    root_order = _LARGEST
    start_ns, end_ns, errors, external_id = root.start_ns, 0, 0, None
    for span in spans:
        _, span_id, parent, name, kind, start, duration, status, message, attributes, events, links, scope, local, _ = (
            span
        )
        head = (name, kind, status, message, scope, local)
        # By identity: the spans of one place share their attributes, and comparing them would cost more than it saves.
        key = (head, id(attributes))
        place = places.get(key)
        if place is None or events or links:
            place = len(descriptions)
            text = texts.get(key)
            if text is None:
                start_of_text = texts.get(head)
                if start_of_text is None:
                    start_of_text = texts[head] = _encode((name, kind, status, message, scope, bool(local)))[:-1]
                text = texts[key] = f"{start_of_text},{encode_attributes(attributes)}"
            if events or links:
                text = (
                    f"{text},{_encode([_event(event) for event in events])},{_encode([_link(link) for link in links])}"
                )
            else:
                places[key] = place
            descriptions.append(text)
            if EXTERNAL_ID in attributes and external_id is None:
                external_id = attributes[EXTERNAL_ID]
        records += (span_id, parent, start, duration, place)
        if start < start_ns:
            start_ns = start
        if start + duration > end_ns:
            end_ns = start + duration
        if status == "error":
            errors += 1
        if local or not parent:
            order = _root_order(span)
            if order < root_order:
                root, root_order = span, order
    part = (
        identifier, root.trace_id.to_bytes(16, "big"), resource, start_ns, min(end_ns, _LARGEST), len(spans), errors,
        root.name, root_order, external_id if isinstance(external_id, str) else None,
    )  # fmt: skip
    return part, (identifier, _pack(records), f"[{'],'.join(descriptions)}]]")


def _pack(records: Sequence[int]) -> bytes:
    # Not by one format for any number of spans: `struct` keeps a hundred of them, which may be a megabyte each.
    if len(records) <= _PACKED:
        return _packing(len(records))(*records)
    return b"".join([_pack(records[first : first + _PACKED]) for first in range(0, len(records), _PACKED)])


@cache
def _packing(count: int) -> Callable[..., bytes]:
    return struct.Struct(f">{_RECORD * (count // len(_RECORD))}").pack


def encode_attributes(attributes: Mapping[str, Any]) -> str:
    """Attributes as JSON text. Raises TypeError or ValueError for what JSON cannot say."""
    return _encode(attributes if type(attributes) is dict else dict(attributes))


def _root_order(span: FinishedSpan) -> int:
    """Which span names the trace: one without any parent, else the earliest local root, else the first span."""
    if not span.parent_id:
        return min(span.start_ns, _REMOTE)
    return min(span.start_ns + _REMOTE, _LARGEST - 1)


def _event(event: FinishedEvent) -> dict[str, Any]:
    return {"name": event.name, "time_ns": event.time_ns, "attributes": dict(event.attributes)}


def _link(link: FinishedLink) -> dict[str, Any]:
    return {
        "trace_id": f"{link.trace_id:032x}",
        "span_id": f"{link.span_id:016x}",
        "attributes": dict(link.attributes),
    }


def _encoder() -> Callable[[object], str]:
    """JSON without spaces. Text stays text (SQLite refuses a lone surrogate when it is bound), and what JSON cannot say
    is refused. `JSONEncoder.encode` makes this very object anew for each call, which costs as much as the encoding."""
    make = getattr(json.encoder, "c_make_encoder", None)
    plain = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if make is None:
        return plain.encode
    chunks = make(None, plain.default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(chunks(value, 0))


_encode = _encoder()
