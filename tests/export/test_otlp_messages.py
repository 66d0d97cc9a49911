"""The bytes of OTLP, read by OpenTelemetry's own classes and compared with what its own encoder makes."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, SpanFlags, Status
from otlp_messages import attributes_of, decode, encoded, sdk_spans, spans_of

from autotrace.export.otlp import SpanEncoder, encode_request
from autotrace.export.otlp_values import TEXT_LIMIT, any_value, varint
from autotrace.span.finished import FinishedEvent, FinishedLink, FinishedSpan, Resource

NOW = 1_700_000_000_123_456_789


def finished(**changes: Any) -> FinishedSpan:
    """A span of a shop."""
    span = FinishedSpan(
        trace_id=0x8000000000000001_F000000000000002,
        span_id=0xFFFFFFFFFFFFFFFE,
        parent_id=0x8000000000000003,
        name="create_order",
        kind="server",
        start_ns=NOW,
        duration_ns=50_000_999,
        status="unset",
        status_message="",
        attributes={},
        events=[],
        links=[],
        scope="autotrace",
        local_root=False,
    )
    return span._replace(**changes)


def arrived(**changes: Any) -> Span:
    (span,) = spans_of(decode(encoded([finished(**changes)])))
    return span


def official(spans: list[FinishedSpan]) -> ExportTraceServiceRequest:
    """What OpenTelemetry's encoder makes of the same spans, but for what we say more exactly or cannot know.

    It leaves out that a span was sampled and says "unset" in a message; we do not know whether a link is remote.
    """
    request = encode_spans(sdk_spans(spans))
    for span in spans_of(request):
        span.flags |= 1
        if span.status == Status():
            span.ClearField("status")
        for link in span.links:
            link.flags = 0
    return request


def canonical(request: ExportTraceServiceRequest) -> bytes:
    """Bytes to compare: not-a-number is not equal to itself in messages."""
    return request.SerializeToString(deterministic=True)


TEXTS = st.text(max_size=300)
INTEGERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-3000, 3000))
SCALARS = st.one_of(st.booleans(), INTEGERS, st.floats(), TEXTS)
VALUES = st.one_of(SCALARS, *(st.lists(kind, max_size=5) for kind in (TEXTS, st.booleans(), INTEGERS, st.floats())))
KEYS = st.one_of(st.sampled_from(["a", "order.id", "http.request.method"]), st.text(min_size=1))
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=8)
SPAN_IDS = st.integers(1, 2**64 - 1)
TRACE_IDS = st.integers(1, 2**128 - 1)
TIMES = st.integers(0, 2**63 - 1)
SPANS = st.builds(
    FinishedSpan,
    trace_id=TRACE_IDS,
    span_id=SPAN_IDS,
    parent_id=st.one_of(st.just(0), SPAN_IDS),
    name=TEXTS,
    kind=st.sampled_from(["internal", "server", "client", "producer", "consumer"]),
    start_ns=TIMES,
    duration_ns=TIMES,
    status=st.sampled_from(["unset", "ok", "error"]),
    status_message=st.just(""),
    attributes=ATTRIBUTES,
    events=st.lists(st.builds(FinishedEvent, TEXTS, TIMES, ATTRIBUTES), max_size=3),
    links=st.lists(st.builds(FinishedLink, TRACE_IDS, SPAN_IDS, ATTRIBUTES), max_size=3),
    scope=st.sampled_from(["autotrace", "shop.tracer", ""]),
    local_root=st.booleans(),
    trace_state=st.sampled_from(["", "ot=th:c", "ot=th:8,vendor=1"]),
) | st.builds(lambda message: finished(status="error", status_message=message), TEXTS)

KEPT = SpanEncoder()
"""One for all examples, so that what it remembers of one is used for another."""


@settings(max_examples=150, deadline=None)
@given(st.lists(SPANS, max_size=8))
def test_our_bytes_mean_what_the_official_encoder_says(spans: list[FinishedSpan]) -> None:
    for encoder, sent in ((SpanEncoder(), spans), (KEPT, spans * 3)):
        ours = decode(encoded(sent, encoder))
        if not spans:
            ours.ClearField("resource_spans")  # a request without spans is never sent
        assert canonical(ours) == canonical(official(sent))


def test_spans_that_share_the_attributes_of_their_place_have_them_each() -> None:
    place, other = {"code.function.name": "shop.create"}, {"code.function.name": "shop.charge"}
    spans = [
        finished(**changes, attributes=attributes)
        for attributes in (place, place, place, other, place, {}, place, place)
        for changes in ({}, {"status": "error"}, {"parent_id": 0}, {"events": [FinishedEvent("e", NOW, {})]})
    ]
    assert canonical(decode(encoded(spans))) == canonical(official(spans))


@pytest.mark.parametrize(
    "length", [0, 1, 95, 96, 97, 123, 124, 127, 128, 129, 2047, 2048, 2049, 16383, 16384, TEXT_LIMIT]
)
def test_texts_of_every_length_arrive_whole(length: int) -> None:
    value = "é" * length
    span = arrived(
        name=value,
        attributes={value: value, "list": [value]},
        status="error",
        status_message=value,
        events=[FinishedEvent(value, NOW, {"a": value})],
    )
    assert span.name == span.status.message == span.events[0].name == value
    assert attributes_of(span.attributes) == {value: value, "list": [value]}
    assert attributes_of(span.events[0].attributes) == {"a": value}


@given(st.integers(0, 2**64 - 1))
def test_a_varint_is_read_back(number: int) -> None:
    read = sum((byte & 127) << 7 * place for place, byte in enumerate(varint(number)))
    assert read == number
    assert [byte > 127 for byte in varint(number)] == [True] * (len(varint(number)) - 1) + [False]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-(2**63), -(2**63)),
        (2**63 - 1, 2**63 - 1),
        (2**63, str(2**63)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (10**5000, hex(10**5000)),
        (math.inf, math.inf),
        (-0.0, -0.0),
        ("", ""),
        ("a\ud800b", "a\\ud800b"),
        ("\0", "\0"),
        ("x" * 50_000_000, "x" * TEXT_LIMIT),
        ("\ud800" * 50_000, ("\\ud800" * 50_000)),
        ((1, 2), [1, 2]),
        ([], []),
        (["a\udfff"], ["a\\udfff"]),
        ([2**63, 1.5, True, None], [str(2**63), 1.5, True, None]),
        ([[1], ["x"]], [[1], ["x"]]),
        (b"\xff\0", b"\xff\0"),
        (None, None),
        (object(), "<object>"),
        ({"a": 1}, "<dict>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_arrives_as_near_as_otlp_can_say_it(value: Any, expected: object) -> None:
    span = arrived(attributes={"key": value}, events=[FinishedEvent("e", NOW, {"key": value})])
    for pairs in (span.attributes, span.events[0].attributes):
        found = attributes_of(pairs)["key"]
        assert (found, type(found)) == (expected, type(expected))


def test_true_and_one_and_one_point_zero_stay_what_they_are() -> None:
    values = (True, 1, 1.0, "1", False, 0, 0.0)
    encoder = SpanEncoder()
    for _ in range(2):
        request = decode(encoded([finished(attributes={"key": value}) for value in values], encoder))
        found = [attributes_of(span.attributes)["key"] for span in spans_of(request)]
        assert [(type(value), value) for value in found] == [(type(value), value) for value in values]


def test_a_subclass_is_its_plain_value_and_none_of_its_code_runs() -> None:
    def fail(*words: object) -> Any:
        raise AssertionError

    hostile = dict.fromkeys(("__str__", "__repr__", "encode", "__format__", "__eq__", "__and__", "__lt__"), fail)
    hostile["__hash__"] = fail
    made = [type("Hostile", (kind,), hostile)(value) for kind, value in ((str, "x"), (int, 7), (float, 1.5))]
    found = attributes_of(arrived(attributes={"s": made[0], "i": made[1], "f": made[2]}).attributes)
    assert found == {"s": "x", "i": 7, "f": 1.5}


def test_a_lone_surrogate_is_escaped_wherever_text_stands() -> None:
    broken, escaped = "a\ud800", "a\\ud800"
    span = arrived(
        name=broken,
        status="error",
        status_message=broken,
        attributes={broken: 1},
        events=[FinishedEvent(broken, NOW, {})],
    )
    assert span.name == span.status.message == span.events[0].name == span.attributes[0].key == escaped
    request = decode(encoded([finished(scope=broken)]))
    assert request.resource_spans[0].scope_spans[0].scope.name == escaped


def test_a_name_that_is_no_text_is_the_name_of_its_type() -> None:
    assert arrived(attributes={1: "x"}, name=None).attributes[0].key == "<int>"
    assert arrived(name=None).name == "<NoneType>"


def test_a_kind_that_nobody_knows_is_unspecified() -> None:
    assert arrived(kind="other").kind == Span.SPAN_KIND_UNSPECIFIED


REMOTE = SpanFlags.SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK
KNOWN = SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"parent_id": 0, "local_root": True}, KNOWN),
        ({"parent_id": 5, "local_root": True}, KNOWN | REMOTE),
        ({"parent_id": 5, "local_root": False}, KNOWN),
    ],
    ids=["no parent", "a parent in another process", "a parent here"],
)
def test_the_flags_say_sampled_and_where_the_parent_is(changes: dict[str, Any], flags: int) -> None:
    span = arrived(**changes)
    assert span.flags == flags | 1
    assert span.parent_span_id == (changes["parent_id"].to_bytes(8, "big") if changes["parent_id"] else b"")


def test_the_resource_has_the_name_of_the_service() -> None:
    (found,) = decode(encoded([finished()])).resource_spans
    assert attributes_of(found.resource.attributes) == {"service.name": "shop", "host.name": "here", "process.pid": 7}
    body = encode_request(SpanEncoder().resource(Resource("cart", {"a": [1.5], 7: "odd"})), "", [])  # type: ignore[dict-item]
    resource = decode(body).resource_spans[0].resource
    assert attributes_of(resource.attributes) == {"a": [1.5], "<int>": "odd", "service.name": "cart"}


def test_only_our_own_scope_has_our_version() -> None:
    (resource,) = decode(encoded([finished(), finished(scope="x")], version="1.2")).resource_spans
    assert [(found.scope.name, found.scope.version) for found in resource.scope_spans] == [
        ("autotrace", "1.2"),
        ("x", ""),
    ]


def test_what_is_remembered_is_bounded() -> None:
    encoder = SpanEncoder()
    many = [
        finished(
            name=f"name {number}", attributes={f"key{number}": number, "n": number, "s": str(number), "x": "y" * number}
        )
        for number in range(5000)
    ]
    expected = official(many)
    assert canonical(decode(encoded(many, encoder))) == canonical(expected)
    assert canonical(decode(encoded(many, encoder))) == canonical(expected)
    assert _size_of(encoder) < 5_000_000


def _size_of(value: Any) -> int:
    """Bytes that the texts and bytes below an object hold, about."""
    if isinstance(value, bytes | str):
        return len(value) + 40
    if isinstance(value, dict):
        return sum(100 + _size_of(key) + _size_of(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_size_of, value))
    names = [*getattr(value, "__slots__", ()), *getattr(value, "__dict__", ())]
    return sum(_size_of(getattr(value, name)) for name in names)


@pytest.mark.parametrize(
    "changes",
    [
        {"start_ns": -1},
        {"start_ns": 2**64},
        {"start_ns": None},
        {"span_id": 2**64},
        {"trace_id": 2**128},
        {"events": [FinishedEvent("e", None, {})]},  # type: ignore[arg-type]
        {"attributes": {"a": [[]]}},
    ],
    ids=str,
)
def test_a_number_that_does_not_fit_is_an_error_of_its_span(changes: dict[str, Any]) -> None:
    if "attributes" in changes:
        changes["attributes"]["a"][0].append(changes["attributes"]["a"])  # it holds itself
    with pytest.raises((struct.error, TypeError, RecursionError)):
        SpanEncoder().encode(finished(**changes))


def test_a_value_that_is_its_types_default_is_there() -> None:
    assert any_value(0) == b"\x18\x00"
    assert any_value("") == b"\x0a\x00"
    assert any_value(False) == b"\x10\x00"
