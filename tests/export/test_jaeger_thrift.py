"""The bytes for Jaeger, read by the classes that Jaeger generated from its own IDL."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaeger_sink import decode, jaeger, tags

from autotrace.export.thrift import TEXT_LIMIT, encode_batch, encode_process, encode_span
from autotrace.span.finished import FinishedEvent, FinishedLink, FinishedSpan, Resource

HIGH_BIT = 2**63


def finished(**changes: Any) -> FinishedSpan:
    """A span of a shop."""
    span = FinishedSpan(
        trace_id=0x8000000000000001_F000000000000002,
        span_id=0xFFFFFFFFFFFFFFFE,
        parent_id=0x8000000000000003,
        name="create_order",
        kind="server",
        start_ns=1_700_000_000_123_456_789,
        duration_ns=50_000_999,
        status="unset",
        status_message="",
        attributes={},
        events=[],
        links=[],
        scope="autotrace",
        local_root=True,
    )
    return span._replace(**changes)


def sent(span: FinishedSpan, resource: Resource = Resource("shop", {})) -> Any:  # noqa: B008 - it is frozen
    """The batch with one span, as Jaeger reads it."""
    return decode(encode_batch(encode_process(resource), [encode_span(span)]))


def arrived(**changes: Any) -> Any:
    (span,) = sent(finished(**changes)).spans
    span.validate()
    return span


def signed(number: int) -> int:
    return number - 2**64 if number >= HIGH_BIT else number


def test_ids_arrive_as_the_same_64_bits() -> None:
    span = arrived()
    assert span.traceIdHigh == signed(0x8000000000000001)
    assert span.traceIdLow == signed(0xF000000000000002)
    assert (span.spanId, span.parentSpanId) == (-2, signed(0x8000000000000003))


def test_a_root_has_the_parent_0() -> None:
    assert arrived(parent_id=0).parentSpanId == 0


def test_times_are_microseconds() -> None:
    span = arrived()
    assert (span.startTime, span.duration) == (1_700_000_000_123_456, 50_000)


def test_a_span_is_sampled_and_never_debug() -> None:
    assert arrived().flags == 1


@pytest.mark.parametrize("kind", ["internal", "server", "client", "producer", "consumer"])
def test_the_kind_is_a_tag(kind: str) -> None:
    assert tags(arrived(kind=kind)) == {"span.kind": kind, "otel.scope.name": "autotrace"}


def test_an_error_is_marked_as_jaeger_and_opentelemetry_mark_it() -> None:
    found = tags(arrived(status="error", status_message="no stock", attributes={"error": "shadowed"}))
    assert found["error"] is True
    assert (found["otel.status_code"], found["otel.status_description"]) == ("ERROR", "no stock")


def test_a_span_that_is_ok_has_no_error_tag() -> None:
    found = tags(arrived(status="ok"))
    assert found["otel.status_code"] == "OK"
    assert "error" not in found


def test_the_resource_is_in_the_process() -> None:
    process = sent(
        finished(), Resource("shop", {"service.name": "shop", "process.pid": 7, "host.name": "here"})
    ).process
    assert process.serviceName == "shop"
    assert tags(process) == {"process.pid": 7, "host.name": "here"}


def test_an_event_is_a_log() -> None:
    (log,) = arrived(events=[FinishedEvent("exception", 2_000_999, {"exception.type": "KeyError"})]).logs
    assert log.timestamp == 2_000
    assert tags(log) == {"event": "exception", "exception.type": "KeyError"}


def test_a_link_follows_from_what_it_names() -> None:
    (reference,) = arrived(links=[FinishedLink(5 << 64 | HIGH_BIT, 2**64 - 1, {})]).references
    assert reference.refType == jaeger.SpanRefType.FOLLOWS_FROM
    assert (reference.traceIdHigh, reference.traceIdLow, reference.spanId) == (5, -HIGH_BIT, -1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (-(2**63), -(2**63)),
        (2**63, str(2**63)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (10**5000, hex(10**5000)),
        (math.inf, math.inf),
        ("a\ud800b", "a\\ud800b"),
        ("\0", "\0"),
        ("x" * (TEXT_LIMIT + 1), "x" * TEXT_LIMIT),
        ((1, 2), "[1, 2]"),
        (["a\udfff", 'b"é'], '["a\\udfff", "b\\"é"]'),
        ([1.5, math.nan, -math.inf], '[1.5, "NaN", "-Infinity"]'),
        ([2**80, 10**5000], f'[{2**80}, "{hex(10**5000)}"]'),
        (None, "<NoneType>"),
        (object(), "<object>"),
    ],
    ids=lambda value: repr(type(value)) if isinstance(value, int) else None,
)
def test_a_value_that_jaeger_has_no_type_for_is_text(value: Any, expected: object) -> None:
    assert tags(arrived(attributes={"key": value}))["key"] == expected


def test_not_a_number_is_a_number_of_jaeger() -> None:
    assert math.isnan(tags(arrived(attributes={"key": math.nan}))["key"])


SCALARS = st.one_of(st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=())))
VALUES = st.one_of(SCALARS, *(st.lists(kind) for kind in (st.text(), st.booleans(), st.integers(), st.floats())))


@given(st.dictionaries(st.text().map("shop.".__add__), VALUES), st.text())
def test_whatever_the_attributes_hold_it_can_be_read_again(attributes: dict[str, Any], name: str) -> None:
    span = arrived(name=name, attributes=attributes)
    found = tags(span)
    assert span.operationName == name
    for key, value in attributes.items():
        shown = found[key]
        if isinstance(value, list):
            assert len(json.loads(shown)) == len(value)
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            assert shown == str(value)
        elif isinstance(value, str):
            assert shown == value.encode("utf-8", "backslashreplace").decode()
        else:
            assert (shown == value) or (math.isnan(shown) and math.isnan(value))
