"""The export thread and the others: whose turn it is."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from operator import length_hint

import pytest

from autotrace.export.pipeline import Pipeline
from autotrace.export.resource import ProcessResource
from autotrace.export.turns import Batch, Turns
from autotrace.span.finished import FinishedSpan, Resource
from autotrace.span.site import Site
from autotrace.span.tracer import Tracer

SPANS = 20_000
MILLISECOND = 1_000_000


class Reader:
    """An exporter that reads every span, by a few steps of Python each."""

    reading = done = False

    def __init__(self) -> None:
        self.gave_turns: list[bool] = []

    def deliver(self, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
        self.reading = True
        self.gave_turns.append(isinstance(spans, Batch))
        for span in spans:
            repr(span)
        self.done = True

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def nobody_is_interrupted() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(30)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("nobody_is_interrupted")
def test_while_spans_are_exported_another_thread_gets_its_turn_without_taking_it() -> None:
    reader = Reader()
    pipeline = Pipeline((reader,), ProcessResource("orders", "0"), 2**30)
    tracer = Tracer(lambda root: True, lambda root: True, pipeline.deliver, limit=2 * SPANS)
    site = Site(tracer, "work")
    with site.nullcontext():
        for _ in range(SPANS):
            with site.nullcontext():
                pass
    turns = 0
    while not reader.done:
        time.sleep(0.001)
        turns += reader.reading
    pipeline.shutdown(10**9)
    # Without turns it is one: the whole trace is one batch, and nothing in it waits.
    assert turns > 10


def test_where_too_much_waits_the_export_thread_gives_no_turns_until_it_has_caught_up() -> None:
    reader = Reader()
    pipeline = Pipeline((reader,), ProcessResource("orders", "0"), 2**30)
    tracer = Tracer(lambda root: True, lambda root: True, pipeline.deliver)
    site = Site(tracer, "work", "server")  # an internal one would be limited
    pipeline.before_fork()  # no thread is started
    for _ in range(SPANS):
        with site.nullcontext():
            pass
    pipeline.after_fork_in_parent()
    pipeline.awake()
    while pipeline.exported < SPANS:
        time.sleep(0.01)
    pipeline.shutdown(10**9)
    caught_up = reader.gave_turns.index(True)
    assert caught_up == 9  # batches of 1,000: 11,000 waited behind the last of them, 10,000 behind the next
    assert all(reader.gave_turns[caught_up:])


def test_whoever_takes_long_gives_the_export_thread_a_turn_as_long() -> None:
    turns = Turns()
    readings = iter((MILLISECOND, 4 * MILLISECOND, 6 * MILLISECOND, 8 * MILLISECOND, 9 * MILLISECOND))

    def used_by_a_pause() -> int:
        before = length_hint(readings)
        turns.pause(lambda: next(readings))
        return before - length_hint(readings)

    # One reading says that it is not over yet; a second one, how long the others took.
    assert [used_by_a_pause() for _ in range(3)] == [2, 1, 2]


def test_where_somebody_waits_for_the_export_nobody_else_gets_a_turn() -> None:
    turns = Turns()
    turns.hurried = True
    readings = iter((MILLISECOND,))
    turns.pause(lambda: next(readings))


def test_whoever_waited_in_vain_leaves_the_turns_as_they_were() -> None:
    delivered, may_go_on = threading.Event(), threading.Event()

    class Slow(Reader):
        def deliver(self, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
            super().deliver(resource, spans)
            delivered.set()
            may_go_on.wait(5)

    reader = Slow()
    pipeline = Pipeline((reader,), ProcessResource("orders", "0"), 2**30)
    site = Site(Tracer(lambda root: True, lambda root: True, pipeline.deliver), "work")
    with site.nullcontext():
        pass
    delivered.wait(5)
    assert not pipeline.flush(50 * MILLISECOND)
    may_go_on.set()
    while pipeline.waiting:
        time.sleep(0.01)
    thread = pipeline._thread
    assert thread is not None
    assert not thread.turns.hurried
    pipeline.shutdown(10**9)


def test_a_batch_reads_like_the_list_that_it_is() -> None:
    spans = [
        FinishedSpan(1, number, 0, "work", "internal", 0, 0, "unset", "", {}, (), (), "autotrace", False)
        for number in range(100)
    ]
    batch = Batch(spans, Turns())
    assert batch == spans
    assert [span.span_id for span in batch] == list(range(100))
    assert (len(batch), batch[7]) == (100, spans[7])
