"""Threads and executors: work that is handed over sees the span that was current there, and nobody else's work does."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import subprocess
import sys
import threading
import traceback
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from recording import Recording

Record = Callable[..., Recording]


@pytest.fixture
def traced() -> Iterator[Recording]:
    """The standard library's threads, traced."""
    recording = Recording("threads")
    yield recording
    recording.stop()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """A pool of one thread, which so serves everybody."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def work(recording: Recording, name: str = "work") -> str:
    with recording.span(name):
        return name


class Worker(threading.Thread):
    """A subclass that never calls the `run` of its parent."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self.recording = recording

    def run(self) -> None:
        work(self.recording)


def _thread(recording: Recording) -> None:
    thread = threading.Thread(target=work, args=(recording,))
    thread.start()
    thread.join()


def _subclass(recording: Recording) -> None:
    worker = Worker(recording)
    worker.start()
    worker.join()


def _timer(recording: Recording) -> None:
    timer = threading.Timer(0.001, work, (recording,))
    timer.start()
    timer.join()


def _submit(recording: Recording) -> None:
    with ThreadPoolExecutor(1) as executor:
        assert executor.submit(work, recording).result() == "work"


def _map(recording: Recording) -> None:
    with ThreadPoolExecutor(1) as executor:
        assert list(executor.map(work, [recording])) == ["work"]


def _run_in_executor(recording: Recording) -> None:
    async def main() -> None:
        await asyncio.get_running_loop().run_in_executor(None, work, recording)

    asyncio.run(main())


def _to_thread(recording: Recording) -> None:
    asyncio.run(asyncio.to_thread(work, recording))


def _call_soon_threadsafe(recording: Recording) -> None:
    async def main() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def soon() -> None:
            work(recording)
            done.set()

        threading.Thread(target=loop.call_soon_threadsafe, args=(soon,)).start()
        await done.wait()

    asyncio.run(main())


def _coroutine_threadsafe(recording: Recording) -> None:
    async def coroutine() -> None:
        work(recording)

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def hand_over() -> None:
            asyncio.run_coroutine_threadsafe(coroutine(), loop).result(5)

        await asyncio.to_thread(hand_over)

    asyncio.run(main())


WAYS = [
    _thread,
    _subclass,
    _timer,
    _submit,
    _map,
    _run_in_executor,
    _to_thread,
    _call_soon_threadsafe,
    _coroutine_threadsafe,
]


@pytest.mark.parametrize("way", WAYS)
def test_the_work_sees_the_span_that_handed_it_over(way: Callable[[Recording], None], traced: Recording) -> None:
    with traced.span("request"):
        way(traced)
    assert traced.tree(2) == ["internal request", "  internal work"]


@pytest.mark.parametrize("way", WAYS)
def test_work_that_nobody_traced_handed_over_is_a_root(way: Callable[[Recording], None], traced: Recording) -> None:
    way(traced)
    assert traced.only().root.span is traced.only()
    assert not traced.only().root.links


def test_a_context_of_opentelemetry_is_handed_over_too(traced: Recording, pool: ThreadPoolExecutor) -> None:
    from opentelemetry import context, trace

    from autotrace.span import runtime_context

    runtime_context.take_slot()
    try:
        identity = trace.SpanContext(0xABC, 0xDEF, True, trace.TraceFlags(1))
        token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(identity)))
        _thread(traced)
        pool.submit(work, traced).result()
        context.detach(token)
        pool.submit(work, traced, "later").result()
    finally:
        runtime_context.leave_slot()
    below, submitted, later = traced.spans(3)
    assert (below.root.trace_id, traced.parent(below)) == (0xABC, 0xDEF)
    assert (submitted.root.trace_id, traced.parent(submitted)) == (0xABC, 0xDEF)
    assert later.root.trace_id != 0xABC


def test_a_pools_thread_belongs_to_nobody(traced: Recording, pool: ThreadPoolExecutor) -> None:
    """R16: the thread is made in the first request, and serves the next, which have nothing to do with it."""
    with traced.span("first"):
        pool.submit(work, traced, "of first").result()
        pool.submit(work, traced, "of first").result()
    with traced.span("second"):
        pool.submit(work, traced, "of second").result()
    pool.submit(work, traced, "of nobody").result()
    first, one, two, second, three, nobody = traced.spans(6)
    assert traced.parent(one) == traced.parent(two) == first.span_id
    assert traced.parent(three) == second.span_id
    assert three.root.trace_id == second.root.trace_id != first.root.trace_id
    assert traced.parent(nobody) == 0
    assert not nobody.root.links


def test_work_in_an_open_request_of_somebody_else_is_not_its_own(traced: Recording, pool: ThreadPoolExecutor) -> None:
    with traced.span("first"):
        pool.submit(work, traced, "of first").result()
        outside = threading.Event()

        def other_request() -> None:
            with traced.span("second"):
                pool.submit(work, traced, "of second").result()
            outside.set()

        import _thread  # below `threading`, as another request of a server would come

        _thread.start_new_thread(other_request, ())
        assert outside.wait(5)
    first, _, second, work_of_second = traced.spans(4)
    assert traced.parent(work_of_second) == second.span_id
    assert second.root.trace_id != first.root.trace_id


def test_a_worker_that_outlives_its_request_has_traces_of_its_own(traced: Recording) -> None:
    go, jobs = threading.Event(), 2

    def loop() -> None:
        go.wait(5)
        for _ in range(jobs):
            work(traced, "job")

    with traced.span("request"):
        worker = threading.Thread(target=loop)
        worker.start()
    go.set()
    worker.join()
    request, *done = traced.spans(3)
    assert len({span.root.trace_id for span in (request, *done)}) == 3
    for span in done:
        assert [(link.trace_id, link.span_id) for link in span.root.links] == [(request.root.trace_id, request.span_id)]


def test_an_exceptions_traceback_is_that_of_untraced_work(traced: Recording, pool: ThreadPoolExecutor) -> None:
    def fail() -> None:
        raise ValueError("no")

    def frames() -> list[tuple[str, str]]:
        error = pool.submit(fail).exception()
        assert error is not None
        return [(frame.filename, frame.name) for frame in traceback.extract_tb(error.__traceback__)]

    with traced.span("request"):
        found = frames()
    traced.stop()
    assert found == frames()


@pytest.mark.skipif(sys.version_info < (3, 11), reason="an exception's traceback is fixed before 3.11")
def test_a_thread_that_cannot_start_raises_as_ever_and_remembers_nothing(traced: Recording) -> None:
    thread = threading.Thread(target=int)
    with traced.span("request"):
        thread.start()
        thread.join()
        with pytest.raises(RuntimeError, match="threads can only be started once") as caught:
            thread.start()
    assert "_autotrace_current" not in vars(thread)
    assert [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)] == [
        __file__,
        threading.__file__,
    ]


def test_a_thread_shows_no_frame_of_ours(traced: Recording) -> None:
    seen: list[str] = []
    with traced.span("request"):
        thread = threading.Thread(target=lambda: seen.extend(frame.filename for frame in traceback.extract_stack()))
        thread.start()
        thread.join()
    assert seen == [threading.__file__, threading.__file__, threading.__file__, __file__]


def test_what_was_handed_over_is_let_go_with_the_work(traced: Recording, pool: ThreadPoolExecutor) -> None:
    class Order:
        pass

    order = Order()
    dead = weakref.ref(order)
    with traced.span("request"):
        pool.submit(id, order).result()
    del order
    pool.submit(int).result()
    assert dead() is None


def test_a_function_named_fn_and_keywords_arrive(traced: Recording, pool: ThreadPoolExecutor) -> None:
    def keywords(**given: Any) -> dict[str, Any]:
        return given

    assert pool.submit(keywords, fn=1, self=2).result() == {"fn": 1, "self": 2}
    with pytest.raises(TypeError):
        pool.submit()  # type: ignore[call-arg]


def test_the_standard_library_looks_as_it_does_untraced(traced: Recording) -> None:
    start = threading.Thread.start
    assert type(start) is type(lambda: 0)
    assert str(inspect.signature(start)) == "(self)"
    assert (start.__module__, start.__qualname__) == ("threading", "Thread.start")
    assert start.__doc__ is not None
    assert "_bootstrap" in inspect.getsource(start)
    assert pickle.loads(pickle.dumps(start)) is start


def test_stopping_puts_the_functions_back() -> None:
    before = threading.Thread.start, threading.Thread._set_ident
    recording = Recording("threads")
    assert threading.Thread.start is not before[0]
    recording.stop()
    assert (threading.Thread.start, threading.Thread._set_ident) == before


def test_patching_threads_does_not_import_wrapt() -> None:
    program = (
        "import sys; sys.path[:0] = ['tests']; from recording import Recording\n"
        "assert 'wrapt' not in sys.modules, 'before'; Recording('threads')\n"
        "import threading; assert threading.Thread.start.__module__ == 'threading'\n"
        "assert hasattr(threading.Thread.start, '__wrapped__') and 'wrapt' not in sys.modules, 'after'"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
