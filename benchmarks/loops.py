"""The measured loops: take a peer and a number of calls, give how long these took, without and with their root's end."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from statistics import median
from time import thread_time_ns
from typing import NamedTuple

from benchmarks.encoding import SPANS_OF_A_TRACE
from benchmarks.order import Order
from benchmarks.peer import Peer, UnavailableError

_CALLS = 250
"""Below one root: fewer than any peer's limit of a trace."""
_SETTLE_SPANS = 1000
_ORDER = Order("book")


class Batch(NamedTuple):
    """One root: nanoseconds of the calling thread, for all calls in it, and for these with the root itself."""

    spans: int
    inner_ns: int
    whole_ns: int


def measure(peer: Peer, case: str, seconds: float) -> dict[str, float]:
    """Nanoseconds per span: `inner` (the calls), `whole` (with their root), `cpu` (every thread's, the export too).

    The first two are medians over batches, `best` is the least of the first. They are time of the calling thread: on a
    quiet machine that is the time that passes, and on a busy one long loops are interrupted more often than short ones.
    """
    loop = CASES[case](peer)
    loop()
    peer.settle()
    gc.collect()
    batches: list[Batch] = []
    spans = unsettled = 0
    exported, started = peer.exported(), time.process_time_ns()
    deadline = time.perf_counter_ns() + int(seconds * 1e9)
    while time.perf_counter_ns() < deadline or len(batches) < 3:
        batch = loop()
        batches.append(batch)
        spans += batch.spans
        unsettled += batch.spans
        if unsettled >= _SETTLE_SPANS:
            peer.settle()
            unsettled = 0
    peer.settle()
    return {
        "best": min(batch.inner_ns / batch.spans for batch in batches),
        "inner": median(batch.inner_ns / batch.spans for batch in batches),
        "whole": median(batch.whole_ns / batch.spans for batch in batches),
        "cpu": (time.process_time_ns() - started) / spans,
        "spans": spans,
        "exported": peer.exported() - exported,
    }


def _within(peer: Peer, work: Callable[[], int], spans: int) -> Callable[[], Batch]:
    def batch() -> Batch:
        start = thread_time_ns()
        inner = peer.root(work)
        return Batch(spans, inner, thread_time_ns() - start)

    return batch


def _calls(peer: Peer, function: Callable[[Order], object], spans: int = 1) -> Callable[[], Batch]:
    def work() -> int:
        order = _ORDER
        start = thread_time_ns()
        for _ in range(_CALLS):
            function(order)
        return thread_time_ns() - start

    return _within(peer, work, _CALLS * spans)


def _resumed(peer: Peer, resumes: int) -> Callable[[], Batch]:
    """Generators of `resumes` steps; what is counted is steps."""
    generator = peer.generator
    if generator is None:
        raise UnavailableError("its span of a generator is current outside the generator too")

    def work() -> int:
        start = thread_time_ns()
        for _ in range(_CALLS // resumes):
            for _ in generator(resumes):
                pass
        return thread_time_ns() - start

    return _within(peer, work, _CALLS)


def _awaited(peer: Peer) -> Callable[[], Batch]:
    function = peer.coroutine

    async def work() -> int:
        order = _ORDER
        start = thread_time_ns()
        for _ in range(_CALLS):
            await function(order)
        return thread_time_ns() - start

    async def main() -> int:
        inner: int = await peer.async_root(work)
        return inner

    loop = asyncio.new_event_loop()

    def batch() -> Batch:
        start = thread_time_ns()
        inner = loop.run_until_complete(main())
        return Batch(_CALLS, inner, thread_time_ns() - start)

    return batch


def _roots(peer: Peer) -> Callable[[], Batch]:
    """Calls that are each a trace of their own."""
    root, nothing = peer.root, int

    def batch() -> Batch:
        start = thread_time_ns()
        for _ in range(_CALLS):
            root(nothing)
        took = thread_time_ns() - start
        return Batch(_CALLS, took, took)

    return batch


def _traces(peer: Peer) -> Callable[[], Batch]:
    """Traces of ten spans."""
    root, function = peer.root, peer.sync

    def work() -> None:
        order = _ORDER
        for _ in range(SPANS_OF_A_TRACE - 1):
            function(order)

    def batch() -> Batch:
        start = thread_time_ns()
        root(work)
        took = thread_time_ns() - start
        return Batch(SPANS_OF_A_TRACE, took, took)

    return batch


CASES: dict[str, Callable[[Peer], Callable[[], Batch]]] = {
    "sync": lambda peer: _calls(peer, peer.sync),
    "tagged": lambda peer: _calls(peer, peer.tagged),
    "nested": lambda peer: _calls(peer, peer.outer, spans=2),
    "plain": lambda peer: _calls(peer, peer.plain),
    "async": _awaited,
    "resume": lambda peer: _resumed(peer, 25),
    "generator": lambda peer: _resumed(peer, 1),
    "own_root": _roots,
    "traces": _traces,
}
