"""OTLP, the protocol of OpenTelemetry: takes a resource and finished spans, gives the bytes of its protobuf messages.

Source: opentelemetry-proto `collector/trace/v1/trace_service.proto` and `trace/v1/trace.proto` (field numbers). Written by
hand, because protobuf's classes cost twenty times as much, and its versions clash with those of applications.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from struct import Struct

from autotrace.export.otlp_values import AttributeEncoder, field, text, varint
from autotrace.span.finished import AttributeValue, FinishedEvent, FinishedLink, FinishedSpan, Resource

OWN_SCOPE = "autotrace"

_LOW = 2**64 - 1
_KINDS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
_STATUS = {"ok": b"\x18\x01", "error": b"\x18\x02"}
# W3C's "sampled", "it is known whether the parent is remote", and "it is" (SpanFlags in trace.proto).
_LOCAL_PARENT, _REMOTE_PARENT = 0x101, 0x301
_NO_PARENT = 0x10101  # as with a local one
_KEPT_PLACES = 1024
_KEPT_NAME = 256  # characters

_flags = Struct("<2sI").pack
_ids = Struct(">HQQHQ").pack
_ids_and_parent = Struct(">HQQHQHQ").pack
_IDS_SIZE, _IDS_AND_PARENT_SIZE = 28, 38
_TRACE_ID, _SPAN_ID, _PARENT_ID = 0x0A10, 0x1208, 0x2208
_times = Struct("<BQBQ").pack
_TIMES_SIZE = 18
_time = Struct("<BQ").pack
_START, _END, _EVENT_TIME = 0x39, 0x41, 0x09


class SpanEncoder:
    """Encodes spans one by one, so that a broken one costs itself only; remembers the bytes of what comes again."""

    def __init__(self) -> None:
        self._attributes = AttributeEncoder(b"\x4a")
        self._event_attributes = AttributeEncoder(b"\x1a")
        self._link_attributes = AttributeEncoder(b"\x22")
        self._places: dict[tuple[str, str, int], _Place] = {}

    def encode(self, span: FinishedSpan) -> bytes:
        """A `Span`, as a field of `ScopeSpans`. Raises what the values of a broken span raise."""
        # Unpacked, because fifteen attributes of a tuple take four times as long.
        (
            trace, own, parent, name, kind, start, duration, status, message, attributes, events, links, _, local, state,
        ) = span  # fmt: skip
        if parent:
            flags = _REMOTE_PARENT if local else _LOCAL_PARENT
            ids = _ids_and_parent(_TRACE_ID, trace >> 64, trace & _LOW, _SPAN_ID, own, _PARENT_ID, parent)
        else:
            flags = _NO_PARENT
            ids = _ids(_TRACE_ID, trace >> 64, trace & _LOW, _SPAN_ID, own)
        times = _times(_START, start, _END, start + duration)
        place = self._places.get((name, kind, flags)) or self._place(name, kind, flags)
        if not (events or links or state) and status == "unset":
            if not attributes:
                return place.bare + ids + times
            # What is known of a place only is one mapping for all its spans, and never changes.
            if attributes is place.attributes:
                return (place.described or self._describe(place)) + ids + times
            place.attributes, place.described = attributes, b""
        parts = [place.shared, ids, times]
        if state:
            parts.append(field(b"\x1a", text(state)))
        self._attributes.append(parts, attributes)
        for event in events:
            self._append_event(parts, event)
        for link in links:
            self._append_link(parts, link)
        if status != "unset":
            parts.append(_status(status, message))
        content = b"".join(parts)
        return b"\x12" + varint(len(content)) + content

    def resource(self, resource: Resource) -> bytes:
        """A `Resource`, as a field of `ResourceSpans`. Raises what the values of a broken resource raise."""
        parts: list[bytes] = []
        named = {**resource.attributes, "service.name": resource.service_name}
        AttributeEncoder(b"\x0a").append(parts, named)
        return field(b"\x0a", b"".join(parts))

    def _place(self, name: str, kind: str, flags: int) -> _Place:
        shared = _flags(b"\x85\x01", flags & 0xFFFF) + field(b"\x2a", text(name)) + bytes((0x30, _KINDS.get(kind, 0)))
        place = _Place(shared, _TIMES_SIZE + (_IDS_SIZE if flags == _NO_PARENT else _IDS_AND_PARENT_SIZE))
        if type(name) is str and len(name) <= _KEPT_NAME:
            if len(self._places) >= _KEPT_PLACES:
                self._places.clear()
            self._places[name, kind, flags] = place
        return place

    def _describe(self, place: _Place) -> bytes:
        """Remember the head of a span with the attributes of its place."""
        parts = [place.shared]
        self._attributes.append(parts, place.attributes)
        place.described = _head(b"".join(parts), place.rest)
        return place.described

    def _append_event(self, parts: list[bytes], event: FinishedEvent) -> None:
        name, time_ns, attributes = event
        own = [_time(_EVENT_TIME, time_ns), field(b"\x12", text(name))]
        self._event_attributes.append(own, attributes)
        parts.append(field(b"\x5a", b"".join(own)))

    def _append_link(self, parts: list[bytes], link: FinishedLink) -> None:
        trace, span, attributes = link
        own = [_ids(_TRACE_ID, trace >> 64, trace & _LOW, _SPAN_ID, span)]
        self._link_attributes.append(own, attributes)
        parts.append(field(b"\x6a", b"".join(own)))


class _Place:
    """What spans of one name, kind and parentage share: flags, name and kind, and often all their attributes.

    `bare` and `described` are the head of a span of which nothing else is known but `rest` bytes of ids and times.
    """

    __slots__ = ("attributes", "bare", "described", "rest", "shared")

    def __init__(self, shared: bytes, rest: int) -> None:
        self.shared = shared
        self.rest = rest
        self.bare = _head(shared, rest)
        self.attributes: Mapping[str, AttributeValue] = {}
        self.described = b""


def encode_request(resource: bytes, version: str, scopes: Iterable[tuple[str, Sequence[bytes]]]) -> bytes:
    """An `ExportTraceServiceRequest` of what a SpanEncoder gave; `version` is that of autotrace's own scope."""
    parts = [resource]
    for scope, spans in scopes:
        described = field(b"\x0a", text(scope)) + (
            field(b"\x12", text(version)) if scope == OWN_SCOPE and version else b""
        )
        parts.append(field(b"\x12", b"".join((field(b"\x0a", described), *spans))))
    return field(b"\x0a", b"".join(parts))


def _head(shared: bytes, rest: int) -> bytes:
    return b"\x12" + varint(len(shared) + rest) + shared


def _status(status: str, message: str) -> bytes:
    return field(b"\x7a", (field(b"\x12", text(message)) if message else b"") + _STATUS[status])
