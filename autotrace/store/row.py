"""Turns finished spans into rows of the store: takes FinishedSpans, gives tuples in the order of schema.sql."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from autotrace.span.finished import FinishedEvent, FinishedLink, FinishedSpan

Row: TypeAlias = tuple[Any, ...]

EXTERNAL_ID = "autotrace.external_id"
SPAN_INSERT = "INSERT INTO spans VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
PART_INSERT = "INSERT INTO parts VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?)"

_LARGEST = 2**63 - 1
_REMOTE = 2**62  # added to the start of a root that has a parent elsewhere, so that the true root sorts first

# Text stays text (SQLite refuses a lone surrogate when it is bound), and what JSON cannot say is refused here.
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def span_row(identifier: int, resource: int, span: FinishedSpan) -> Row:
    """One row of `spans`. Raises what its values raise: OverflowError, TypeError, ValueError."""
    return (
        identifier,
        span.trace_id.to_bytes(16, "big"),
        span.span_id.to_bytes(8, "big"),
        span.parent_id.to_bytes(8, "big") if span.parent_id else None,
        resource,
        span.name,
        span.kind,
        span.start_ns,
        span.duration_ns,
        span.status,
        span.status_message or None,
        encode_attributes(span.attributes) if span.attributes else None,
        _encode([_event(event) for event in span.events]) if span.events else None,
        _encode([_link(link) for link in span.links]) if span.links else None,
        span.scope,
        1 if span.local_root else 0,
    )


def encode_attributes(attributes: Mapping[str, Any]) -> str:
    """Attributes as JSON text. Raises TypeError or ValueError for what JSON cannot say."""
    return _encode(attributes if type(attributes) is dict else dict(attributes))


def part_row(resource: int, numbered: Sequence[tuple[int, FinishedSpan]]) -> Row:
    """One row of `parts`: the summary of the spans that one delivery brought of one trace, with their row numbers."""
    spans = [span for _, span in numbered]
    root = min(spans, key=_root_order)
    return (
        root.trace_id.to_bytes(16, "big"),
        resource,
        numbered[0][0],
        numbered[-1][0],
        min(span.start_ns for span in spans),
        min(max(span.start_ns + span.duration_ns for span in spans), _LARGEST),
        len(spans),
        sum(span.status == "error" for span in spans),
        root.name,
        _root_order(root),
        next((_external_id(span) for span in spans if EXTERNAL_ID in span.attributes), None),
    )


def _root_order(span: FinishedSpan) -> int:
    """Which span names the trace: one without any parent, else the earliest local root, else the earliest span."""
    if not span.parent_id:
        return min(span.start_ns, _REMOTE)
    if span.local_root:
        return min(span.start_ns + _REMOTE, _LARGEST - 1)
    return _LARGEST


def _external_id(span: FinishedSpan) -> str | None:
    value = span.attributes[EXTERNAL_ID]
    return value if isinstance(value, str) else None


def _event(event: FinishedEvent) -> dict[str, Any]:
    return {"name": event.name, "time_ns": event.time_ns, "attributes": dict(event.attributes)}


def _link(link: FinishedLink) -> dict[str, Any]:
    return {
        "trace_id": f"{link.trace_id:032x}",
        "span_id": f"{link.span_id:016x}",
        "attributes": dict(link.attributes),
    }
