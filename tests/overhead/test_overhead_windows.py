"""Windows in which the tracer's calls are timed: they change nothing, and leave nothing behind."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

import pytest
from recording import Recording

from autotrace.overhead.costs import Costs, Key
from autotrace.overhead.places import places
from autotrace.overhead.stopwatch import Event, Stopwatch
from autotrace.overhead.window import Window
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.store.overhead import CREATION, RECORDING, TAGS


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def window(events: list[Event]) -> Iterator[Window]:
    window = Window(Stopwatch(events.append))
    yield window
    window.close()


@pytest.fixture
def recording() -> Iterator[Recording]:
    recording = Recording()
    yield recording
    recording.stop()


def spin(nanoseconds: int) -> None:
    end = time.perf_counter_ns() + nanoseconds
    while time.perf_counter_ns() < end:
        pass


def test_a_call_within_a_timed_call_is_not_counted_twice(events: list[Event]) -> None:
    stopwatch = Stopwatch(events.append)
    inner = stopwatch.timed(lambda: spin(20_000_000), TAGS, "inner")
    outer = stopwatch.timed(lambda: (spin(5_000_000), inner()), CREATION, "outer")
    outer()
    (event,) = events
    assert event.kind == "outer"
    assert 0 < event.stages[CREATION] < event.stages[TAGS]


def test_an_exception_passes_through_a_timed_call(events: list[Event]) -> None:
    def fail() -> None:
        raise ValueError("no stock")

    with pytest.raises(ValueError, match="no stock"):
        Stopwatch(events.append).timed(fail, TAGS, "fails")()
    assert [event.kind for event in events] == ["fails"]


def test_what_is_left_out_of_a_call_is_not_its_cost(events: list[Event]) -> None:
    stopwatch = Stopwatch(events.append)

    def work() -> None:
        before = time.perf_counter_ns()
        spin(20_000_000)
        stopwatch.leave_out(time.perf_counter_ns() - before)

    stopwatch.timed(work, TAGS, "works")()
    assert sum(events[0].stages) < 10_000_000


def test_waiting_is_no_cost(events: list[Event]) -> None:
    Stopwatch(events.append).timed(lambda: time.sleep(0.05), TAGS, "waits")()
    assert sum(events[0].stages) < 25_000_000


def test_a_window_changes_no_span_and_is_gone_when_it_closes(
    window: Window, events: list[Event], recording: Recording
) -> None:
    codes = [place.function.__code__ for place in places()]
    window.open()
    with recording.span("outer"), recording.span("inner"):
        pass
    window.close()
    assert recording.tree(2) == ["internal outer", "  internal inner"]
    assert [place.function.__code__ for place in places()] == codes
    seen = len(events)
    assert [event.kind for event in events] == ["plain", "plain", "exit", "exit"]
    with recording.span("later"):
        pass
    assert len(events) == seen


def test_keywords_and_defaults_of_a_timed_function_stay(window: Window) -> None:
    import autotrace.conventions.headers

    add = autotrace.conventions.headers.Headers.add
    before = (add.__kwdefaults__, add.__defaults__, add.__name__)
    window.open()
    assert (add.__kwdefaults__, add.__defaults__, add.__name__) == before
    headers = autotrace.conventions.headers.Headers.__new__(autotrace.conventions.headers.Headers)
    headers.replaces, headers.names, headers._last = "headers", frozenset(), (type(None), None)
    call = autotrace.conventions.headers.Sending(Span(), None)
    assert headers.add(call, (), {"a": "1"}, {"b": "2"})  # without `fresh`, which has a default
    assert call.replaced == {"a": "1", "b": "2"}


def test_of_two_windows_one_is_open(window: Window) -> None:
    other = Window(Stopwatch(lambda event: None))
    window.open()
    assert not other.may_open
    window.close()
    assert other.may_open


def test_patched_calls_are_timed_and_put_back(window: Window, events: list[Event]) -> None:
    requests = pytest.importorskip("requests")
    recording = Recording("requests")
    try:
        window.open()
        with pytest.raises(requests.exceptions.RequestException):
            requests.get("http://127.0.0.1:1/", timeout=1)
        window.close()
        kinds = [event.kind for event in events]
        assert "begin" in kinds and "raised" in kinds
        with pytest.raises(requests.exceptions.RequestException):
            requests.get("http://127.0.0.1:1/", timeout=1)
        assert [event.kind for event in events] == kinds
    finally:
        recording.stop()


def test_a_call_that_was_interrupted_counts_little() -> None:
    site, costs = Site(Recording().tracer, "work"), Costs()
    for nanoseconds in (*[1000] * 50, 10_000_000):
        costs.take(Event("plain", site, (nanoseconds, 0, 0, 0), 0, 1))
        costs.take(Event("exit", site, (0, 0, 500, 0), 1, 0))
    found = costs.of(Key("work", "internal", ""))
    assert 1000 <= found[CREATION] < 1300
    assert found[RECORDING] == 500


def test_a_place_that_was_not_timed_costs_what_others_of_its_kind_do() -> None:
    site, costs = Site(Recording().tracer, "work"), Costs()
    costs.take(Event("plain", site, (1000, 0, 0, 0), 0, 1))
    costs.take(Event("exit", site, (0, 0, 500, 0), 1, 0))
    assert costs.of(Key("unknown", "internal", "")) == costs.of(Key("work", "internal", ""))


def test_measuring_ends_with_the_collector_as_it_was() -> None:
    from autotrace.overhead.meter import Meter

    before = list(gc.callbacks)
    stop = Meter().start()
    stop()
    assert gc.callbacks == before
