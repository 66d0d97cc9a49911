"""What OpenTelemetry's specification asks of a span, asked of the SDK's span and of ours; where they differ, a test says so.

Facts from the specification ("Trace API", "Trace SDK", "Common: attribute limits") and from the SDK's behaviour.
"""

from __future__ import annotations

import enum
import math
import time
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from two_tracers import Traced

OTHER = SpanContext(0xA1, 0xB2, is_remote=True)
MOMENT = 10**18


class Color(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


# ---- attributes


@pytest.mark.parametrize(
    "value",
    [
        *("", "text", "é\U0001f600", "with\0nul"),
        *(True, False, 0, 1, -1, 2**63 - 1, -(2**63), 0.0, -0.0, 1.5, math.inf),
        *((), ("a", "b"), (True, False), (1, 2), (1.5, 2.5), ("a", None, "b"), (1, 2.5), (True, 1, "x")),
    ],
    ids=repr,
)
def test_a_value_of_each_type_stays_what_it_is(traced: Traced, value: Any) -> None:
    span = traced.tracer.start_span("x", attributes={"start": value})
    span.set_attribute("one", value)
    span.set_attributes({"many": value})
    span.add_event("e", {"event": value})
    span.add_link(OTHER, {"link": value})
    span.end()
    ended = traced.ended()
    found = [*ended.attributes.values(), ended.events[0][2]["event"], ended.links[0][2]["link"]]
    assert found == [value] * 5
    for one in found:
        assert type(one) is type(value)
        if isinstance(value, tuple):
            assert [type(item) for item in one] == [type(item) for item in value]


def test_not_a_number_is_a_value(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    span.set_attribute("a", math.nan)
    span.end()
    assert math.isnan(traced.ended().attributes["a"])


def test_a_list_is_taken_as_it_is_then(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    items = ["a", "b"]
    given: dict[str, Any] = {"k": items}
    span.set_attribute("a", items)
    span.add_event("e", given)
    span.add_link(OTHER, given)
    items.append("c")
    given["late"] = 1
    span.end()
    ended = traced.ended()
    assert ended.attributes == {"a": ("a", "b")}
    assert ended.events[0][2] == ended.links[0][2] == {"k": ("a", "b")}


def test_an_enumeration_is_the_value_that_it_holds(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    span.set_attributes({"color": Color.RED, "level": Level.HIGH, "levels": [Level.HIGH]})
    span.end()
    assert traced.ended().attributes == {"color": "red", "level": 3, "levels": (3,)}


@pytest.mark.parametrize("key", ["", None, 0], ids=repr)
def test_a_key_must_be_text_that_is_not_empty(traced: Traced, key: Any) -> None:
    span = traced.tracer.start_span("x")
    span.set_attribute(key, "value")
    span.set_attribute("good", 1)
    span.end()
    assert traced.ended().attributes == {"good": 1}


def test_a_value_of_no_type_of_attributes_costs_itself_only(traced: Traced) -> None:
    span = traced.tracer.start_span("x", attributes={"odd": object(), "a": 1})
    span.set_attributes({"odder": {1, 2}, "b": 2})
    span.add_event("e", {"odd": object(), "c": 3})
    span.end()
    ended = traced.ended()
    assert {key: ended.attributes[key] for key in "ab"} == {"a": 1, "b": 2}
    assert ended.events[0][2]["c"] == 3
    if traced.is_ours:  # the SDK calls str() of it, which is the application's code
        assert set(ended.attributes) == {"a", "b"}
        assert set(ended.events[0][2]) == {"c"}


def test_the_last_value_of_a_key_stays(traced: Traced) -> None:
    span = traced.tracer.start_span("x", attributes={"a": 1})
    span.set_attribute("a", "two")
    span.set_attributes({"a": 3.0})
    span.end()
    assert traced.ended().attributes == {"a": 3.0}


# ---- limits


def test_a_span_has_at_most_128_attributes_and_those_may_still_change(traced: Traced) -> None:
    span = traced.tracer.start_span("x", attributes={f"start{number}": number for number in range(100)})
    for number in range(100):
        span.set_attribute(f"later{number}", number)
    present = "start99"
    span.set_attribute(present, "changed")
    span.end()
    attributes = traced.ended().attributes
    assert len(attributes) == 128
    assert attributes[present] == "changed"
    # The specification discards what comes when there is no room; the SDK discards the oldest.
    assert ("start0" in attributes) is traced.is_ours


@pytest.mark.parametrize("where", ["start", "event", "link"])
def test_too_many_attributes_at_once_are_cut_to_128(traced: Traced, where: str) -> None:
    many = {f"key{number}": number for number in range(1000)}
    span = traced.tracer.start_span("x", attributes=many if where == "start" else None)
    span.add_event("e", many if where == "event" else None)
    span.add_link(OTHER, many if where == "link" else None)
    span.end()
    ended = traced.ended()
    counts = {"start": len(ended.attributes), "event": len(ended.events[0][2]), "link": len(ended.links[0][2])}
    assert counts == {"start": 0, "event": 0, "link": 0, where: 128}


def test_a_span_has_at_most_128_events_and_the_last_stay(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    for number in range(300):
        span.add_event(str(number))
    span.end()
    names = [name for name, _, _ in traced.ended().events]
    count = 127 if traced.is_ours else 128  # one place is kept for the exception that ends the span
    assert names == [str(number) for number in range(300 - count, 300)]


def test_the_exception_that_ends_a_span_is_there_however_many_events_were(traced: Traced) -> None:
    with pytest.raises(KeyError), traced.tracer.start_as_current_span("x") as span:
        for number in range(300):
            span.add_event(str(number))
        raise KeyError("last")
    events = traced.ended().events
    assert len(events) == 128
    assert (events[-1][0], events[-2][0]) == ("exception", "299")


def test_a_span_has_at_most_128_links_and_the_last_stay(traced: Traced) -> None:
    at_start = [Link(SpanContext(number, 1, is_remote=False)) for number in range(1, 201)]
    span = traced.tracer.start_span("x", links=at_start)
    for number in range(201, 301):
        span.add_link(SpanContext(number, 1, is_remote=False))
    span.end()
    assert [trace_id for trace_id, _, _ in traced.ended().links] == list(range(173, 301))


def test_a_long_text_is_bounded_with_us(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    span.set_attribute("a", "x" * 10_000_000)
    span.set_attribute("list", ["x" * 10_000])
    span.set_status(StatusCode.ERROR, "x" * 10_000)
    span.update_name("x" * 10_000)
    span.end()
    ended = traced.ended()
    lengths = (len(ended.attributes["a"]), len(ended.attributes["list"][0]), len(ended.description), len(ended.name))
    assert lengths == ((4096,) * 4 if traced.is_ours else (10_000_000, 10_000, 10_000, 10_000))


# ---- status

UNSET, OK, ERROR = StatusCode.UNSET, StatusCode.OK, StatusCode.ERROR


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([], ("unset", "")),
        ([(UNSET,)], ("unset", "")),
        ([(OK,)], ("ok", "")),
        ([(ERROR,)], ("error", "")),
        ([(ERROR, "bad")], ("error", "bad")),
        ([(OK, "why")], ("ok", "")),
        ([(UNSET, "why")], ("unset", "")),
        ([(Status(ERROR, "bad"),)], ("error", "bad")),
        ([(Status(OK, "why"),)], ("ok", "")),
        ([(Status(ERROR, "bad"), "ignored")], ("error", "bad")),
        ([(Status(ERROR), "ignored")], ("error", "")),
        ([(ERROR, "first"), (ERROR, "second")], ("error", "second")),
        ([(ERROR, "first"), (ERROR,)], ("error", "")),
        ([(ERROR, "bad"), (UNSET,)], ("error", "bad")),
        ([(ERROR, "bad"), (OK,)], ("ok", "")),
        ([(OK,), (ERROR, "bad")], ("ok", "")),
        ([(OK,), (UNSET,)], ("ok", "")),
        ([(OK,), (OK,)], ("ok", "")),
        ([(ERROR, 5)], ("error", "")),
        ([("error",)], ("unset", "")),
        ([(None,)], ("unset", "")),
        ([(2, "bad")], ("unset", "")),
    ],
    ids=lambda value: None if isinstance(value, tuple) else " ".join(map(repr, value)) or "nothing",
)
def test_ok_is_final_and_unset_says_nothing(traced: Traced, calls: list[Any], expected: tuple[str, str]) -> None:
    span = traced.tracer.start_span("x")
    for words in calls:
        span.set_status(*words)
    assert (span.status.status_code.name.lower(), span.status.description or "") == expected  # type: ignore[attr-defined]
    span.end()
    assert traced.ended()[7:9] == expected


# ---- events, links, name


def test_events_are_in_their_order_with_their_times(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    before = time.time_ns()
    span.add_event("now")
    span.add_event("said", {"n": 1}, timestamp=MOMENT)
    span.add_event("again", None)
    span.end()
    (first, at, nothing), second, third = traced.ended().events
    assert (first, nothing) == ("now", {})
    assert abs(at - before) < 10**9
    assert second == ("said", MOMENT, {"n": 1})
    assert third[0] == "again"


def test_links_of_the_start_come_first(traced: Traced) -> None:
    span = traced.tracer.start_span("x", links=[Link(OTHER, {"a": 1}), Link(SpanContext(3, 4, False))])
    span.add_link(SpanContext(5, 6, False), {"b": True})
    span.end()
    assert traced.ended().links == [(0xA1, 0xB2, {"a": 1}), (3, 4, {}), (5, 6, {"b": True})]


@pytest.mark.parametrize("at_start", [True, False], ids=["at start", "later"])
def test_a_link_to_nothing_that_says_nothing_is_none(traced: Traced, at_start: bool) -> None:
    nothing = SpanContext(0, 0, False)
    state = SpanContext(0, 0, False, TraceFlags(0), TraceState([("vendor", "1")]))
    links = [Link(nothing), Link(nothing, {"reason": "lost"}), Link(state)]
    span = traced.tracer.start_span("x", links=links if at_start else None)
    if not at_start:
        for link in links:
            span.add_link(link.context, link.attributes)
        span.add_link(None)  # type: ignore[arg-type]  # people do
    span.end()
    assert traced.ended().links == [(0, 0, {"reason": "lost"}), (0, 0, {})]


def test_the_last_name_stays(traced: Traced) -> None:
    span = traced.tracer.start_span("first")
    span.update_name("second")
    span.update_name("third")
    assert span.name == "third"  # type: ignore[attr-defined]  # of ReadableSpan
    span.end()
    assert traced.ended().name == "third"


@pytest.mark.parametrize("kind", list(SpanKind))
def test_the_kind_is_the_one_of_the_start(traced: Traced, kind: SpanKind) -> None:
    span = traced.tracer.start_span("x", kind=kind)
    assert span.kind is kind  # type: ignore[attr-defined]  # of ReadableSpan
    span.end()
    assert traced.ended().kind == kind.name.lower()


def test_the_kind_is_internal_if_nothing_is_said(traced: Traced) -> None:
    traced.tracer.start_span("x").end()
    assert (traced.ended().kind, traced.ended().scope) == ("internal", "shop")


# ---- the end


def test_after_the_end_nothing_changes(traced: Traced) -> None:
    span = traced.tracer.start_span("x", attributes={"a": 1})
    assert span.is_recording()
    span.end()
    before = traced.ended()
    assert not span.is_recording()
    span.set_attribute("a", 2)
    span.set_attributes({"b": 2})
    span.add_event("late")
    span.add_link(OTHER)
    span.update_name("late")
    span.set_status(StatusCode.ERROR, "late")
    span.record_exception(ValueError("late"))
    span.end()
    assert traced.ended() == before
    read: Any = span
    assert (read.name, dict(read.attributes), read.events, read.links) == ("x", {"a": 1}, (), ())
    assert read.status.status_code is StatusCode.UNSET


def test_the_first_end_counts(traced: Traced) -> None:
    span = traced.tracer.start_span("x", start_time=MOMENT)
    span.end(MOMENT + 5)
    span.end(MOMENT + 9)
    span.end()
    assert (traced.ended().start, traced.ended().end) == (MOMENT, MOMENT + 5)
    assert (span.start_time, span.end_time) == (MOMENT, MOMENT + 5)  # type: ignore[attr-defined]  # of ReadableSpan


def test_the_times_are_now_if_nothing_is_said(traced: Traced) -> None:
    before = time.time_ns()
    span = traced.tracer.start_span("x")
    assert span.end_time is None  # type: ignore[attr-defined]  # of ReadableSpan
    span.end()
    ended = traced.ended()
    assert abs(ended.start - before) < 10**9
    assert ended.start <= ended.end < ended.start + 10**9


# ---- exceptions


class Broken(Exception):
    pass


def test_an_exception_is_an_event_with_its_type_message_and_stack(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    try:
        raise Broken("no stock")
    except Broken as error:
        span.record_exception(error, {"extra": 1}, timestamp=MOMENT)
    span.end()
    ((name, at, attributes),) = traced.ended().events
    assert (name, at) == ("exception", MOMENT)
    assert attributes["exception.type"] == f"{__name__}.Broken"
    assert attributes["exception.message"] == "no stock"
    assert __file__ in attributes["exception.stacktrace"]
    assert attributes["extra"] == 1
    assert traced.ended().status == "unset"


def test_attributes_that_are_given_win_over_those_of_the_exception(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    span.record_exception(ValueError("secret"), {"exception.message": "***", "exception.type": "Hidden"})
    span.end()
    attributes = traced.ended().events[0][2]
    assert (attributes["exception.message"], attributes["exception.type"]) == ("***", "Hidden")


def test_an_exception_that_was_never_raised_has_a_type(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    span.record_exception(ValueError())
    span.end()
    attributes = traced.ended().events[0][2]
    assert (attributes["exception.type"], attributes["exception.message"]) == ("ValueError", "")


# ---- identity


def test_the_context_of_a_span_never_changes(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    first = span.get_span_context()
    span.update_name("y")
    assert span.get_span_context() == first
    span.end()
    assert span.get_span_context() == first
    assert first.is_valid
    assert not first.is_remote
    assert first.trace_flags.sampled
    assert (traced.ended().trace_id, traced.ended().span_id) == (first.trace_id, first.span_id)


def test_ids_are_valid_and_unique(traced: Traced) -> None:
    spans = [traced.tracer.start_span("x").get_span_context() for _ in range(2000)]
    assert all(span.is_valid for span in spans)
    assert len({span.span_id for span in spans}) == len({span.trace_id for span in spans}) == 2000
    assert max(span.span_id for span in spans) > 2**62
    assert max(span.trace_id for span in spans) > 2**126


def test_a_span_is_the_apis(traced: Traced) -> None:
    span = traced.tracer.start_span("x")
    assert isinstance(span, trace.Span)
    span.end()
