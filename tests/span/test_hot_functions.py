"""A function that is called extremely often is limited by itself: bounded, counted, its errors kept, other traces whole."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from time import perf_counter_ns
from typing import Any

import pytest
from recording import Recording, attributes, target

from autotrace.declare.site import DeclaredSite
from autotrace.plan.path import getter, parse
from autotrace.span import hushed
from autotrace.span.context import get_current, set_current
from autotrace.span.drive import GeneratorSite
from autotrace.span.hushed import HushedSite, take_limited
from autotrace.span.site import SendingSite, ShortSite, Site
from autotrace.span.span import Span
from autotrace.span.tagged import Results, ShortTaggedSite, Tag, TaggedSite

LIMIT = 5000
CALLS = 20_000
HOURS = 10**13


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recording]:
    """A recording in which whoever is silent stays silent, and a busy machine calls often enough."""
    monkeypatch.setattr(hushed, "PAUSE", HOURS)
    monkeypatch.setattr(hushed, "HOT", 1000)
    found = Recording()
    yield found
    found.stop()
    take_limited()
    assert get_current() is None


def tag(attribute: str, text: str) -> Tag:
    path = parse(text)
    return Tag(attribute, path.root, getter(path, False))


def tagged(recording: Recording) -> TaggedSite:
    return TaggedSite(recording.tracer, "hot", [tag("number", "n"), tag("outcome", "result")])


def call(site: Any, number: int = 0) -> None:
    with site.nullcontext((number,)) if isinstance(site, TaggedSite) else site.nullcontext():
        pass


def flood(site: Any, calls: int = CALLS) -> None:
    for number in range(calls):
        call(site, number)


def counted(recording: Recording, name: str = "hot") -> tuple[int, int]:
    """How many calls have left a span, and how many the only local root says have not."""
    (root,) = recording.roots[-1:]
    return sum(span.name == name for span in recording.spans()), root.dropped


@pytest.mark.parametrize(
    "made",
    [
        lambda recording: Site(recording.tracer, "hot"),
        tagged,
        lambda recording: ShortSite(recording.tracer, "hot", min_duration=1),
        lambda recording: ShortTaggedSite(recording.tracer, "hot", [tag("number", "n")], min_duration=1),
        lambda recording: DeclaredSite(recording.tracer, "hot", [], "internal", {}, ("n",), reads=True),
    ],
    ids=["plain", "tagged", "min_duration", "tagged_min_duration", "declared"],
)
def test_a_hot_function_is_limited_in_its_local_root_which_says_how_many_calls_left_no_span(
    recording: Recording, made: Callable[[Recording], Site]
) -> None:
    site = made(recording)
    with recording.span("request"):
        flood(site)
    recorded, dropped = counted(recording)
    assert recorded == LIMIT + 1
    assert recorded + dropped == CALLS


def test_a_trace_that_is_not_sampled_is_bounded_too_and_says_what_it_has_lost(recording: Recording) -> None:
    recording.sampled = False
    site = Site(recording.tracer, "hot")
    with recording.span("request") as request:
        flood(site)
        assert len(request.root.finished) <= LIMIT
    recorded, dropped = counted(recording)
    assert recorded + dropped == CALLS
    assert recorded <= LIMIT


def test_the_function_is_recorded_as_ever_in_every_other_trace(recording: Recording) -> None:
    site = tagged(recording)
    with recording.span("request"):
        flood(site)
        current = get_current()
        set_current(None)
        with recording.span("other"):
            flood(site, 10)
        set_current(current)
        assert isinstance(site, HushedSite)
    others = [span for span in recording.spans() if span.root.span.name == "other" and span.name == "hot"]
    assert [attributes(span)["number"] for span in others] == list(range(10))
    assert {root.span.name: root.dropped for root in recording.roots}["other"] == 0


def test_other_functions_of_the_same_trace_are_recorded_as_ever(recording: Recording) -> None:
    hot, rare = Site(recording.tracer, "hot"), Site(recording.tracer, "rare")
    with recording.span("request"):
        for number in range(CALLS):
            with hot.nullcontext():
                if number % 100 == 0:
                    call(rare)
    assert sum(span.name == "rare" for span in recording.spans()) == CALLS // 100


def test_functions_that_are_hot_together_are_limited_together(recording: Recording) -> None:
    sites = [Site(recording.tracer, name) for name in ("a", "b")]
    with recording.span("request"):
        for _ in range(CALLS):
            for site in sites:
                call(site)
    assert len(recording.spans()) <= LIMIT + 3
    assert recording.roots[-1].dropped == 2 * CALLS + 1 - len(recording.spans())


def test_a_steady_function_is_recorded_however_many_calls_a_trace_has(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hushed, "HOT", 10**9)  # no function can be called so often
    with recording.span("request"):
        flood(Site(recording.tracer, "hot"))
    assert counted(recording) == (CALLS, 0)


def test_a_few_quick_calls_are_no_flood_where_a_trace_may_hold_only_a_few(recording: Recording) -> None:
    recording.tracer.limit = 10
    with recording.span("request"):
        flood(Site(recording.tracer, "hot"), 1000)
    assert counted(recording) == (1000, 0)


def test_where_a_trace_may_hold_hundreds_a_hot_function_is_limited_too(recording: Recording) -> None:
    recording.tracer.limit = 500
    with recording.span("request"):
        flood(Site(recording.tracer, "hot"))
    assert counted(recording) == (501, CALLS - 501)


def test_once_the_burst_is_over_every_call_is_recorded_again(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hushed, "PAUSE", 20_000_000)
    site = Site(recording.tracer, "hot")
    with recording.span("request"):
        flood(site, LIMIT + 100)
        threading.Event().wait(0.03)
        flood(site, 64)  # one of them reads the clock
        assert type(site) is Site
        dropped = recording.roots[-1].dropped
        flood(site, 10)
    assert recording.roots[-1].dropped == dropped <= 99 + 64


def test_a_function_that_stays_hot_is_recorded_for_a_moment_in_every_pause(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hushed, "PAUSE", 1_000_000)
    calls = 0
    site = Site(recording.tracer, "hot")
    with recording.span("request"):
        while len(recording.spans()) < 2 * LIMIT and calls < 10**7:
            flood(site, 1000)
            calls += 1000
    recorded, dropped = counted(recording)
    assert recorded >= 2 * LIMIT
    assert recorded + dropped == calls


def test_a_call_that_fails_while_silent_leaves_its_span_and_marks_its_local_root(recording: Recording) -> None:
    site = tagged(recording)
    with recording.span("request") as request:
        flood(site)
        with pytest.raises(ValueError, match="broken"), site.nullcontext((7,)):
            raise ValueError("broken")
        assert request.root.error
        assert get_current() is request
    (failed,) = [span for span in recording.spans() if span.details().status == "error"]
    assert (failed.name, failed.parent) == ("hot", request)
    assert attributes(failed)["error.type"] == "ValueError"
    assert attributes(failed)["autotrace.limited"] is True
    assert sum(counted(recording)) == CALLS + 1


def test_a_function_that_fails_all_the_time_is_limited_as_well_and_its_trace_still_in_error(
    recording: Recording,
) -> None:
    site = Site(recording.tracer, "hot")
    with recording.span("request") as request:
        flood(site, LIMIT + 1)
        request.root.error = False
        for _ in range(1000):
            with pytest.raises(ValueError, match="broken"), site.nullcontext():
                raise ValueError("broken")
        request.root.error = False
        with pytest.raises(ValueError, match="broken"), site.nullcontext():
            raise ValueError("broken")
        assert request.root.error
    assert sum(span.details().status == "error" for span in recording.spans()) == 100
    assert sum(counted(recording)) == LIMIT + 1 + 1001


@pytest.mark.parametrize("error", [GeneratorExit(), StopIteration(), SystemExit(0), asyncio.CancelledError()])
def test_control_flow_that_leaves_a_silent_call_is_no_error(recording: Recording, error: BaseException) -> None:
    site = Site(recording.tracer, "hot")
    with recording.span("request") as request:
        flood(site)
        with pytest.raises(type(error)), site.nullcontext() as _:
            raise error
        assert not request.root.error
    assert sum(counted(recording)) == CALLS + 1


def test_what_a_silent_call_calls_is_below_its_caller(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")
    with recording.span("request") as request:
        flood(site)
        with site.nullcontext():
            assert get_current() is request
            with recording.span("below") as below:
                assert below.parent is request


def test_an_awaited_function_is_limited_in_every_task_of_its_request(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")

    async def hot() -> None:
        with site.nullcontext():
            await asyncio.sleep(0)

    async def worker() -> None:
        for _ in range(CALLS // 10):
            await hot()

    async def main() -> None:
        with recording.span("request"):
            await asyncio.gather(*(worker() for _ in range(10)))

    asyncio.run(main())
    recorded, dropped = counted(recording)
    assert recorded + dropped == CALLS
    assert recorded <= LIMIT + 10


def test_a_silent_generator_is_silent_to_its_end_and_changes_nothing_else(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")
    steps = GeneratorSite(site)

    def numbers() -> Any:
        yield get_current()
        yield get_current()

    with recording.span("request") as request:
        for _ in range(CALLS):
            assert all(isinstance(value, Span) for value in steps.iter(numbers()))
        begun = steps.iter(numbers())
        assert next(begun) is request
        site.hush._over = 0  # the pause ends between two steps
        flood(site, 64)
        assert type(site) is Site
        assert list(begun) == [request]
    recorded, dropped = counted(recording)
    assert recorded + dropped == CALLS + 1 + 64


def test_a_silent_generator_that_fails_marks_its_local_root(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")

    def numbers() -> Any:
        yield 1
        raise ValueError("broken")

    with recording.span("request") as request:
        flood(site)
        with pytest.raises(ValueError, match="broken"):
            list(GeneratorSite(site).iter(numbers()))
        assert request.root.error
        assert get_current() is request


async def test_an_asynchronous_generator_is_limited(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")

    async def numbers() -> AsyncIterator[int]:
        yield 1

    with recording.span("request"):
        for _ in range(LIMIT + 500):
            driver = GeneratorSite(site).aiter(numbers())  # type: ignore[arg-type]  # an AsyncIterator
            assert await driver.__anext__() == 1
            await driver.aclose()
    assert counted(recording) == (LIMIT + 1, 499)


@pytest.mark.parametrize("sampled", [True, False])
def test_threads_that_work_for_one_request_are_limited_together(recording: Recording, sampled: bool) -> None:
    recording.sampled = sampled
    for _ in range(10):
        site = Site(recording.tracer, "hot")
        with recording.span("request") as request:

            def work(site: Site = site, request: Span = request) -> None:
                set_current(request)
                flood(site)

            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        spans = [span for span in recording.spans() if span.root is request.root]
        assert len({id(span) for span in spans}) == len(spans), "delivered twice"
        assert len(spans) <= 5 * LIMIT  # at worst each thread fills it once more before it hears of it
        if sampled:
            assert len(spans) > LIMIT


def test_threads_with_requests_of_their_own_do_not_silence_each_other(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")

    def work(calls: int) -> None:
        with recording.span(f"request of {calls}"):
            flood(site, calls)

    threads = [threading.Thread(target=work, args=(calls,)) for calls in (CALLS, 300, CALLS, 300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for root in recording.roots:
        if root.span.name == "request of 300":
            assert root.dropped == 0
    assert sum(span.root.span.name == "request of 300" for span in recording.spans()) == 602


def test_a_patched_function_is_limited(recording: Recording) -> None:
    def hot(number: int) -> int:
        return number

    traced = recording.traced(hot, target("shop:hot", span="hot"))
    with recording.span("request"):
        assert [traced(number) for number in range(CALLS)] == list(range(CALLS))
        with pytest.raises(TypeError):
            traced()
    recorded, dropped = counted(recording)
    assert recorded + dropped == CALLS + 1
    assert recorded == LIMIT + 2  # the one that failed, too


def test_a_tag_from_a_result_of_a_silent_call_is_not_put_on_the_call_around_it(recording: Recording) -> None:
    site = tagged(recording)
    results = Results(site)
    with recording.span("request"), site.nullcontext((1,)) as _:
        outer = get_current()
        flood(site)
        with site.nullcontext((2,)):
            assert results.cast(None, "inner") == "inner"
        assert isinstance(outer, Span)
        assert "outcome" not in attributes(outer)


def test_a_function_that_is_a_local_root_each_time_is_limited(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")
    flood(site, 50_000)
    assert len(recording.roots) == 2 * 4096
    assert take_limited() == {"hot": 50_000 - len(recording.roots)}


def test_below_a_request_such_a_function_is_recorded_as_ever(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")
    flood(site, 50_000)
    with recording.span("request"):
        flood(site, 10)
    assert counted(recording)[1] == 0
    assert sum(span.root.span.name == "request" for span in recording.spans()) == 11


def test_a_local_root_that_fails_while_silent_is_a_trace_in_error(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")
    flood(site, 50_000)
    before = len(recording.roots)
    with pytest.raises(ValueError, match="broken"), site.nullcontext():
        raise ValueError("broken")
    (root,) = recording.roots[before:]
    assert root.error
    assert get_current() is None


def test_a_local_root_is_recorded_again_after_the_pause(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hushed, "PAUSE", 20_000_000)
    site = Site(recording.tracer, "hot")
    flood(site, 2 * 4096 + 100)
    threading.Event().wait(0.03)
    flood(site, 64)
    before = len(recording.roots)
    flood(site, 10)
    assert len(recording.roots) == before + 10


def test_local_roots_at_a_rate_that_a_server_may_have_are_all_recorded(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hushed, "HOT", 10**9)
    flood(Site(recording.tracer, "hot"), 50_000)
    assert len(recording.roots) == 50_000


@pytest.mark.parametrize("kind", ["client", "server", "producer", "consumer"])
def test_what_goes_out_and_what_comes_in_is_never_limited(recording: Recording, kind: str) -> None:
    sites = [SendingSite(recording.tracer, "sent", kind), Site(recording.tracer, "met", kind)]
    for site in sites:
        flood(site, 10_000)
        with recording.span("request"):
            flood(site, 10_000)
    assert len(recording.spans()) == 40_002


def test_a_function_with_min_duration_keeps_its_slow_calls_however_often_it_is_called(recording: Recording) -> None:
    site = ShortSite(recording.tracer, "hot", min_duration=100_000_000)
    with recording.span("request"):
        flood(site)
        with site.nullcontext():
            threading.Event().wait(0.11)
    assert [span.name for span in recording.spans()] == ["request", "hot"]


def test_a_context_of_opentelemetry_below_the_root_changes_nothing(recording: Recording) -> None:
    from opentelemetry import baggage, context

    from autotrace.span import runtime_context

    runtime_context.take_slot()
    try:
        site = Site(recording.tracer, "hot")
        with recording.span("request"):
            token = context.attach(baggage.set_baggage("tier", "gold"))
            flood(site)
            context.detach(token)
    finally:
        runtime_context.leave_slot()
    assert counted(recording) == (LIMIT + 1, CALLS - LIMIT - 1)


def test_deep_direct_recursion_returns_what_it_returns_untraced(recording: Recording) -> None:
    site = Site(recording.tracer, "hot")

    def fact(number: int) -> int:
        with site.nullcontext():
            return 1 if number < 2 else number * fact(number - 1)

    limit = sys.getrecursionlimit()
    product = 1
    for number in range(2, 301):
        product *= number
    with recording.span("request"):
        assert [fact(300) for _ in range(100)] == [product] * 100
    assert sys.getrecursionlimit() == limit
    assert sum(counted(recording)) == 30_000
    assert counted(recording)[0] <= LIMIT + 301


def test_a_limited_call_adds_at_most_half_of_what_a_recorded_one_adds(recording: Recording) -> None:
    site, limited = Site(recording.tracer, "hot"), Site(recording.tracer, "hot")
    recording.sampled = False

    def bare() -> None:
        pass

    def recorded() -> None:
        with site.nullcontext():
            pass

    def silent() -> None:
        with limited.nullcontext():
            pass

    best = dict.fromkeys((bare, recorded, silent), float("inf"))
    for attempt in range(200):
        with recording.span("request"):
            flood(limited, LIMIT + 1)
            assert isinstance(limited, HushedSite)
            for function in best:
                best[function] = min(best[function], _time(function))
        share = (best[silent] - best[bare]) / (best[recorded] - best[bare])
        if attempt >= 10 and share <= 0.5:
            break
    print(f"a limited call adds {share:.2f} of what a recorded one adds")
    assert share <= 0.5


def _time(function: Callable[[], None]) -> int:
    start = perf_counter_ns()
    for _ in range(1000):
        function()
    return perf_counter_ns() - start
