"""Turns finished spans into rows of the store: takes FinishedSpans, gives tuples in the order of schema.sql."""

from __future__ import annotations

import json.encoder
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from autotrace.span.finished import FinishedEvent, FinishedLink, FinishedSpan

Row: TypeAlias = tuple[Any, ...]
Texts: TypeAlias = dict[Row, str]
"""The JSON of descriptions that were met before; it holds as long as the spans that it was made of."""

EXTERNAL_ID = "autotrace.external_id"
PART_INSERT = "INSERT INTO parts VALUES (?,?,?,?,?,?,?,?,?,?)"
SPANS_INSERT = "INSERT INTO spans VALUES (?,?,?)"

_RECORD = "QQqqI"
RECORD = struct.Struct(f">{_RECORD}")
"""One span in `spans.records`: its id, its parent's (0 for none), start, duration, the place of its description."""

# What a value of a span can raise while a row is made of it.
REFUSALS = (OverflowError, TypeError, ValueError, AttributeError, RecursionError, struct.error)

_LARGEST = 2**63 - 1
_REMOTE = 2**62  # added to the start of a root that has a parent elsewhere, so that the true root sorts first


def part_rows(identifier: int, resource: int, spans: Sequence[FinishedSpan], texts: Texts) -> tuple[Row, Row]:
    """The row of `parts` and the row of `spans` for spans of one trace. Raises what their values raise: `REFUSALS`."""
    records: list[int] = []
    places: dict[Row, int] = {}
    root = spans[0]
    root_order = _LARGEST
    start_ns, end_ns, errors, external_id = root.start_ns, 0, 0, None
    for span in spans:
        _, span_id, parent_id, name, kind, start, duration, status, message, attributes, events, links, scope, local = (
            span
        )
        # By identity: the spans of one place share their attributes, and comparing them would cost more than it saves.
        description = (name, kind, status, message, scope, local, id(attributes), id(events), id(links))
        place = places.get(description)
        if place is None:
            place = places[description] = len(places)
            if description not in texts:
                texts[description] = _describe(span)
            if EXTERNAL_ID in attributes and external_id is None:
                external_id = attributes[EXTERNAL_ID]
        records += (span_id, parent_id, start, duration, place)
        if start < start_ns:
            start_ns = start
        if start + duration > end_ns:
            end_ns = start + duration
        if status == "error":
            errors += 1
        if local or not parent_id:
            order = _root_order(span)
            if order < root_order:
                root, root_order = span, order
    part = (
        identifier, root.trace_id.to_bytes(16, "big"), resource, start_ns, min(end_ns, _LARGEST), len(spans), errors,
        root.name, root_order, external_id if isinstance(external_id, str) else None,
    )  # fmt: skip
    descriptions = f"[{','.join([texts[description] for description in places])}]"
    return part, (identifier, struct.pack(f">{_RECORD * len(spans)}", *records), descriptions)


def encode_attributes(attributes: Mapping[str, Any]) -> str:
    """Attributes as JSON text. Raises TypeError or ValueError for what JSON cannot say."""
    return _encode(_plain(attributes))


def _describe(span: FinishedSpan) -> str:
    """All of a span but its ids and times, as JSON."""
    return _encode(
        (
            span.name,
            span.kind,
            span.status,
            span.status_message,
            span.scope,
            bool(span.local_root),
            _plain(span.attributes),
            [_event(event) for event in span.events],
            [_link(link) for link in span.links],
        )
    )


def _root_order(span: FinishedSpan) -> int:
    """Which span names the trace: one without any parent, else the earliest local root, else the first span."""
    if not span.parent_id:
        return min(span.start_ns, _REMOTE)
    return min(span.start_ns + _REMOTE, _LARGEST - 1)


def _event(event: FinishedEvent) -> dict[str, Any]:
    return {"name": event.name, "time_ns": event.time_ns, "attributes": _plain(event.attributes)}


def _link(link: FinishedLink) -> dict[str, Any]:
    return {
        "trace_id": f"{link.trace_id:032x}",
        "span_id": f"{link.span_id:016x}",
        "attributes": _plain(link.attributes),
    }


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return attributes if type(attributes) is dict else dict(attributes)


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
