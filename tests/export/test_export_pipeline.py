"""How kept spans come to the exporters, with real threads."""

from __future__ import annotations

import _thread
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest

from autotrace.export.pipeline import Pipeline
from autotrace.export.resource import ProcessResource
from autotrace.span.context import current
from autotrace.span.finished import FinishedSpan, Resource
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

SECOND = 10**9
MEMORY = 2**26


class Memory:
    """An exporter that remembers, and may wait or fail."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        self.names: list[str] = []
        self.batches = 0
        self.threads: set[int] = set()
        self.current: list[object] = []
        self.closed = 0
        self._act = act

    def deliver(self, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
        self.threads.add(threading.get_ident())
        self.current.append(current.get())
        self._act()
        self.batches += 1
        self.names += [span.name for span in spans]

    def close(self) -> None:
        self.closed += 1


class Process:
    """A tracer that keeps everything and a pipeline behind it."""

    def __init__(self, *exporters: Memory, memory: int = MEMORY, span_limit: int = 100_000) -> None:
        self.pipeline = Pipeline(exporters, ProcessResource("orders", "0"), memory, span_limit)
        self.tracer = Tracer(lambda root: True, lambda root: True, self.pipeline.deliver)

    def run(self, name: str = "work", **attributes: str) -> None:
        span = self.tracer.start(Site(self.tracer, name), Span, None)
        if attributes:
            span.details().attributes.update(attributes)
        span.close()


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def process(memory: Memory) -> Iterator[Process]:
    process = Process(memory)
    yield process
    process.pipeline.shutdown(SECOND)


def _wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def test_a_delivery_is_exported_within_about_a_second_by_another_thread(process: Process, memory: Memory) -> None:
    process.run()
    assert memory.names == []
    assert _wait_for(lambda: memory.names == ["work"], 2.5)
    assert threading.get_ident() not in memory.threads


def test_many_deliveries_do_not_wait_for_the_second(process: Process, memory: Memory) -> None:
    process.run()
    start = time.monotonic()
    for _ in range(3000):
        process.run()
    assert _wait_for(lambda: len(memory.names) >= 1000)
    assert time.monotonic() - start < 0.9


def test_the_application_does_not_see_the_thread(process: Process, memory: Memory) -> None:
    before = threading.active_count()
    process.run()
    assert threading.active_count() == before
    process.pipeline.flush(SECOND)
    assert threading.active_count() == before


def test_a_flush_exports_what_waits(process: Process, memory: Memory) -> None:
    for number in range(2500):
        process.run(f"work{number}")
    assert process.pipeline.flush(5 * SECOND)
    assert memory.names == [f"work{number}" for number in range(2500)]
    assert process.pipeline.exported == 2500


def test_deliveries_of_many_threads_all_arrive_once(process: Process, memory: Memory) -> None:
    def work(thread: int) -> None:
        for number in range(500):
            process.run(f"{thread}/{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert process.pipeline.flush(5 * SECOND)
    assert sorted(memory.names) == sorted(f"{thread}/{number}" for thread in range(8) for number in range(500))
    assert len(memory.threads) == 1


def test_exporters_run_in_an_empty_context(memory: Memory) -> None:
    process = Process(memory)
    with Site(process.tracer, "outer").nullcontext():
        process.run("threaded")
        assert process.pipeline.flush(SECOND)
        process.pipeline.before_fork()
        process.run("drained")
        assert process.pipeline.flush(SECOND)
    assert memory.current == [None, None]
    assert len(memory.threads) == 2
    process.pipeline.after_fork_in_parent()
    process.pipeline.shutdown(SECOND)


def test_a_shutdown_exports_what_waits_and_drops_what_comes_later(process: Process, memory: Memory) -> None:
    process.run()
    assert process.pipeline.shutdown(2 * SECOND)
    process.run("late")
    assert (memory.names, memory.closed, process.pipeline.dropped) == (["work"], 1, 1)


def test_a_shutdown_ends_in_time_whatever_an_exporter_does() -> None:
    release = threading.Event()
    process = Process(Memory(lambda: release.wait(30) and None))
    process.run()
    start = time.monotonic()
    assert not process.pipeline.shutdown(SECOND // 5)
    assert time.monotonic() - start < 1
    release.set()


def test_delivering_does_not_wait_for_an_exporter() -> None:
    release, reached = threading.Event(), threading.Event()

    def wait() -> None:
        reached.set()
        release.wait(30)

    process = Process(Memory(wait))
    for _ in range(1001):
        process.run()
    assert reached.wait(5)
    start = time.monotonic()
    process.run()
    assert time.monotonic() - start < 0.1
    release.set()
    assert process.pipeline.shutdown(5 * SECOND)


def test_too_many_spans_drop_the_oldest_and_are_counted(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(memory, span_limit=10)
    process.pipeline.before_fork()  # nothing is exported meanwhile
    for number in range(25):
        process.run(str(number))
    process.pipeline.after_fork_in_parent()
    assert process.pipeline.flush(SECOND)
    assert memory.names == [str(number) for number in range(15, 25)]
    assert process.pipeline.dropped == 15
    assert (process.pipeline.queue.overflowed, process.pipeline.queue.overflowed_roots) == (15, 15)


def test_too_many_bytes_drop_the_oldest(memory: Memory) -> None:
    process = Process(memory, memory=100_000)
    process.pipeline.before_fork()
    for number in range(100):
        process.run(str(number), text="x" * 4000)
    process.pipeline.after_fork_in_parent()
    assert process.pipeline.flush(SECOND)
    assert memory.names[-1] == "99"
    assert 10 < len(memory.names) < 25
    assert process.pipeline.dropped + len(memory.names) == 100


def test_an_exporter_that_fails_is_logged_once_and_the_others_go_on(
    memory: Memory, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ConnectionError("refused")

    process = Process(Memory(fail), memory)
    with caplog.at_level(logging.WARNING, "autotrace"):
        for _ in range(5):
            process.run()
            process.pipeline.flush(SECOND)
    process.pipeline.shutdown(SECOND)
    assert len(memory.names) == 5
    assert process.pipeline.failures == {"Memory: ConnectionError": 5}
    assert process.pipeline.lost == {"Memory": 5}
    assert [record.getMessage() for record in caplog.records] == [
        "autotrace: spans were not exported: Memory: ConnectionError: refused"
    ]
    assert capfd.readouterr() == ("", "")


def test_without_threads_the_flush_at_exit_exports(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    def refuse(*details: object) -> int:
        attempts.append(details)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    process = Process(memory)
    for _ in range(100):
        process.run()
    assert len(attempts) == 1
    assert memory.names == []
    assert process.pipeline.shutdown(SECOND)
    assert len(memory.names) == 100


def test_the_thread_comes_back_after_a_fork(process: Process, memory: Memory) -> None:
    process.run("before")
    process.pipeline.before_fork()
    assert memory.names == ["before"]
    process.run("during")
    process.pipeline.after_fork_in_parent()
    process.run("after")
    assert process.pipeline.flush(SECOND)
    assert memory.names == ["before", "during", "after"]
    assert len(memory.threads) <= 2


def test_a_span_that_ends_inside_a_delivery_is_taken(process: Process, memory: Memory) -> None:
    """A signal handler or a finalizer may end a span in the very thread that is delivering one."""
    done = 0

    def interrupt(frame: object, event: str, argument: object) -> None:
        nonlocal done
        if event == "call" and done < 50:
            done += 1
            sys.setprofile(None)
            process.run("inner")
            sys.setprofile(interrupt)

    sys.setprofile(interrupt)
    try:
        for _ in range(10):
            process.run("outer")
    finally:
        sys.setprofile(None)
    assert process.pipeline.flush(SECOND)
    assert (memory.names.count("outer"), memory.names.count("inner")) == (10, done)
