"""What OpenTelemetry asks of a tracer, asked of the SDK's and of ours: parents, what is current, exceptions, threads."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    use_span,
)
from two_tracers import Ended, Traced

REMOTE = SpanContext(0xA1, 0xB2, True, TraceFlags(TraceFlags.SAMPLED), TraceState([("vendor", "1")]))


class Broken(Exception):
    pass


class Gone(BaseException):
    pass


def by_name(traced: Traced) -> dict[str, Ended]:
    return {span.name: span for span in traced.all_ended()}


# ---- parents


def test_a_span_without_a_parent_is_a_root(traced: Traced) -> None:
    with traced.tracer.start_as_current_span("a") as span:
        assert span.parent is None  # type: ignore[attr-defined]  # of ReadableSpan
    assert traced.ended().parent_id == 0


def test_a_span_below_the_current_one_is_its_child(traced: Traced) -> None:
    with traced.tracer.start_as_current_span("a") as a:
        assert trace.get_current_span() is a
        with traced.tracer.start_as_current_span("b") as b:
            assert trace.get_current_span() is b
            assert b.parent == a.get_span_context()  # type: ignore[attr-defined]  # of ReadableSpan
        assert trace.get_current_span() is a
    assert trace.get_current_span() is INVALID_SPAN
    spans = by_name(traced)
    assert spans["b"].trace_id == spans["a"].trace_id
    assert spans["b"].parent_id == spans["a"].span_id


def test_starting_a_span_does_not_make_it_current(traced: Traced) -> None:
    span = traced.tracer.start_span("a")
    assert trace.get_current_span() is INVALID_SPAN
    other = traced.tracer.start_span("b")
    assert other.get_span_context().trace_id != span.get_span_context().trace_id


def test_a_context_that_is_given_wins_over_the_current_one(traced: Traced) -> None:
    above = traced.tracer.start_span("above")
    with traced.tracer.start_as_current_span("current"):
        traced.tracer.start_span("child", context=trace.set_span_in_context(above)).end()
        traced.tracer.start_span("root", context=context.Context()).end()
    above.end()
    spans = by_name(traced)
    assert spans["child"].parent_id == spans["above"].span_id
    assert (spans["root"].parent_id, spans["root"].trace_id != spans["current"].trace_id) == (0, True)


def test_a_span_in_another_process_is_a_parent(traced: Traced) -> None:
    above = trace.set_span_in_context(NonRecordingSpan(REMOTE))
    with traced.tracer.start_as_current_span("x", context=above) as span:
        found: Any = span
        assert found.parent == REMOTE
        assert (found.parent.is_remote, found.parent.trace_state) == (True, REMOTE.trace_state)
        assert not span.get_span_context().is_remote
        assert span.get_span_context().trace_state == REMOTE.trace_state
        with traced.tracer.start_as_current_span("y") as child:
            assert child.get_span_context().trace_state == REMOTE.trace_state
    spans = by_name(traced)
    assert (spans["x"].trace_id, spans["x"].parent_id) == (0xA1, 0xB2)
    assert (spans["y"].trace_id, spans["y"].parent_id) == (0xA1, spans["x"].span_id)


@pytest.mark.parametrize("identity", [SpanContext(0, 0, True), SpanContext(0xA1, 0, True), SpanContext(0, 0xB2, True)])
def test_a_parent_that_is_not_valid_is_none(traced: Traced, identity: SpanContext) -> None:
    traced.tracer.start_span("x", context=trace.set_span_in_context(NonRecordingSpan(identity))).end()
    assert traced.ended().parent_id == 0
    assert traced.ended().trace_id not in (0, 0xA1)


def test_baggage_is_there_below_a_span_and_gone_behind_it(traced: Traced) -> None:
    token = context.attach(baggage.set_baggage("user", "7"))
    with traced.tracer.start_as_current_span("a"):
        assert baggage.get_baggage("user") == "7"
        inner = context.attach(baggage.set_baggage("order", "9"))
        with traced.tracer.start_as_current_span("b"):
            assert dict(baggage.get_all()) == {"user": "7", "order": "9"}
        context.detach(inner)
        assert baggage.get_baggage("order") is None
    context.detach(token)
    assert baggage.get_baggage("user") is None


# ---- exceptions that leave a block

Block = Callable[[Traced], Any]
BLOCKS: dict[str, Block] = {
    "start_as_current_span": lambda traced: traced.tracer.start_as_current_span("x"),
    "with start_span": lambda traced: traced.tracer.start_span("x"),
    "use_span": lambda traced: use_span(traced.tracer.start_span("x"), end_on_exit=True),
}


@pytest.fixture(params=BLOCKS)
def block(request: pytest.FixtureRequest) -> Block:
    """Each way to have a span around a block."""
    return BLOCKS[request.param]


def test_an_exception_is_recorded_once_and_raised_untouched(traced: Traced, block: Block) -> None:
    error = Broken("no stock")
    with pytest.raises(Broken) as caught, block(traced):
        raise error
    assert caught.value is error
    assert (error.__context__, error.__cause__) == (None, None)
    ended = traced.ended()
    assert [name for name, _, _ in ended.events] == ["exception"]
    assert ended.events[0][2]["exception.type"] == f"{__name__}.Broken"
    assert ended.status == "error"
    assert "no stock" in ended.description


def test_a_block_without_an_exception_leaves_the_status_alone(traced: Traced, block: Block) -> None:
    with block(traced):
        pass
    assert (traced.ended().status, traced.ended().events) == ("unset", [])


def test_a_span_that_is_ok_stays_ok_when_an_exception_leaves_it(traced: Traced, block: Block) -> None:
    with pytest.raises(Broken), block(traced) as span:
        span.set_status(StatusCode.OK)
        raise Broken
    assert (traced.ended().status, len(traced.ended().events)) == ("ok", 1)


def test_an_exception_after_the_end_is_not_recorded(traced: Traced, block: Block) -> None:
    with pytest.raises(Broken), block(traced) as span:
        span.end()
        raise Broken
    assert (traced.ended().status, traced.ended().events) == ("unset", [])


@pytest.mark.parametrize("records", [True, False])
@pytest.mark.parametrize("sets", [True, False])
@pytest.mark.parametrize("way", BLOCKS)
def test_what_is_said_of_an_exception_can_be_chosen(traced: Traced, way: str, records: bool, sets: bool) -> None:
    chosen = {"record_exception": records, "set_status_on_exception": sets}
    made = {
        "start_as_current_span": lambda: traced.tracer.start_as_current_span("x", **chosen),
        "with start_span": lambda: traced.tracer.start_span("x", **chosen),
        "use_span": lambda: use_span(traced.tracer.start_span("x"), end_on_exit=True, **chosen),
    }
    with pytest.raises(Broken), made[way]():
        raise Broken("no stock")
    ended = traced.ended()
    assert (len(ended.events), ended.status) == (int(records), "error" if sets else "unset")
    assert ("no stock" in ended.description) is sets


def test_what_is_no_exception_but_ends_a_program_passes(traced: Traced) -> None:
    for kind in (Gone, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError):
        with pytest.raises(kind), traced.tracer.start_as_current_span("x"):
            raise kind
    assert {(span.status, len(span.events)) for span in traced.all_ended()} == {("unset", 0)}


def test_the_end_can_be_left_to_the_application(traced: Traced) -> None:
    with traced.tracer.start_as_current_span("x", end_on_exit=False) as span:
        pass
    with use_span(span):
        assert trace.get_current_span() is span
    assert span.is_recording()
    assert traced.all_ended() == []
    span.end()
    traced.ended()


def test_everything_of_the_start_may_be_given_by_position(traced: Traced) -> None:
    options: Any = (None, SpanKind.CLIENT, {"a": 1}, [trace.Link(REMOTE)], 10**18, False, False)
    with pytest.raises(Broken), traced.tracer.start_as_current_span("x", *options, True):
        raise Broken
    traced.tracer.start_span("y", *options).end()
    for ended in traced.all_ended():
        assert (ended.kind, ended.attributes, ended.start, ended.status) == ("client", {"a": 1}, 10**18, "unset")
        assert (len(ended.links), ended.events) == (1, [])


# ---- decorators


def test_a_decorated_function_has_a_span_for_each_call(traced: Traced) -> None:
    @traced.tracer.start_as_current_span("x")
    def work(number: int) -> tuple[int, bool]:
        """Doc."""
        return number, trace.get_current_span().is_recording()

    assert (work(1), work(2)) == ((1, True), (2, True))
    assert (work.__name__, work.__doc__) == ("work", "Doc.")
    assert len({span.trace_id for span in traced.all_ended()}) == 2


def test_a_decorated_coroutine_function_has_its_span_while_it_runs(traced: Traced) -> None:
    @traced.tracer.start_as_current_span("x")
    async def work() -> bool:
        await asyncio.sleep(0.02)
        return trace.get_current_span().is_recording()

    assert asyncio.run(work())
    ended = traced.ended()
    assert ended.end - ended.start > 10**7


# ---- tasks and threads


def test_tasks_do_not_see_each_others_spans(traced: Traced) -> None:
    async def work(number: int) -> None:
        with traced.tracer.start_as_current_span(str(number)) as span:
            await asyncio.sleep(0.001 * (number % 3))
            assert trace.get_current_span() is span
            with traced.tracer.start_as_current_span(f"{number} inner"):
                await asyncio.sleep(0)

    async def main() -> None:
        with traced.tracer.start_as_current_span("main"):
            await asyncio.gather(*map(work, range(30)))

    asyncio.run(main())
    spans = by_name(traced)
    assert len(spans) == 61
    for number in range(30):
        assert spans[str(number)].parent_id == spans["main"].span_id
        assert spans[f"{number} inner"].parent_id == spans[str(number)].span_id


def test_a_thread_has_a_span_only_where_its_context_was_copied(traced: Traced) -> None:
    seen: list[Any] = []

    def look() -> None:
        seen.append(trace.get_current_span())

    with traced.tracer.start_as_current_span("x") as span:
        copied = contextvars.copy_context()
        for target in (look, lambda: copied.run(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [INVALID_SPAN, span]


def in_threads(work: Callable[[int], None], count: int = 8) -> None:
    """Run `work` in several threads that start at once; what one raises is raised."""
    barrier = threading.Barrier(count)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        barrier.wait()
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert failures == []


def test_eight_threads_write_into_one_span_and_nothing_is_lost(traced: Traced) -> None:
    span = traced.tracer.start_span("x")

    def work(number: int) -> None:
        for step in range(15):
            span.set_attribute(f"{number}.{step}", step)
            span.add_event(f"{number}.{step}")
            span.add_link(SpanContext(number + 1, step + 1, False))
            span.set_status(StatusCode.ERROR, str(number))

    in_threads(work)
    span.end()
    ended = traced.ended()
    assert (len(ended.attributes), len(ended.links)) == (120, 120)
    assert len({name for name, _, _ in ended.events}) == len(ended.events) == 120
    assert ended.status == "error"


def test_eight_threads_fill_a_span_to_its_limits_and_no_further(traced: Traced) -> None:
    span = traced.tracer.start_span("x")

    def work(number: int) -> None:
        for step in range(200):
            span.set_attribute(f"{number}.{step}", step)
            span.add_event(f"{number}.{step}")
            span.add_link(SpanContext(number + 1, step + 1, False))

    in_threads(work)
    span.end()
    ended = traced.ended()
    assert len(ended.events) in (127, 128)
    assert (len(ended.attributes), len(ended.links)) == (128, 128)


def test_of_eight_threads_that_end_a_span_one_does(traced: Traced) -> None:
    spans = [traced.tracer.start_span(str(number)) for number in range(200)]

    def work(number: int) -> None:
        for span in spans:
            span.set_attribute("thread", number)
            span.end()

    in_threads(work)
    assert sorted(int(span.name) for span in traced.all_ended()) == list(range(200))


def test_eight_threads_that_ask_for_the_current_span_get_the_same_one(traced: Traced) -> None:
    with traced.tracer.start_as_current_span("x") as span:
        copies = [contextvars.copy_context() for _ in range(8)]
        seen: list[Any] = []
        in_threads(lambda number: seen.append(copies[number].run(trace.get_current_span)))
    assert seen == [span] * 8


def test_eight_threads_start_and_end_spans_with_ids_of_their_own(traced: Traced) -> None:
    def work(number: int) -> None:
        for _ in range(50):
            with traced.tracer.start_as_current_span("a"), traced.tracer.start_as_current_span("b"):
                pass

    in_threads(work)
    spans = traced.all_ended()
    assert len({span.span_id for span in spans}) == 800
    assert len({span.trace_id for span in spans}) == 400
