"""The measured loops: take a peer and a number of calls, give how long these took, without and with their root's end."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from statistics import median
from time import perf_counter_ns
from typing import NamedTuple

from benchmarks.encoding import SPANS_OF_A_TRACE
from benchmarks.order import Order
from benchmarks.peer import Peer, UnavailableError

_LAPS = 10
_CALLS_OF_A_LAP = 25
_CALLS = _LAPS * _CALLS_OF_A_LAP
"""Below one root: fewer than any peer's limit of a trace."""
_SETTLE_SPANS = 1000
_ORDER = Order("book")


class Batch(NamedTuple):
    """One root: nanoseconds per span in its quickest lap, in all its calls, and with the root itself."""

    spans: int
    best: float
    inner: float
    whole: float


def measure(peer: Peer, case: str, seconds: float) -> dict[str, float]:
    """Nanoseconds per span: `inner` (the calls), `whole` (with their root), `cpu` (every thread's, the export too).

    The first two are medians over batches, so that an export thread that runs now and then does not count in them; `best`
    is the least that 25 calls took, which a busy machine changes little.
    """
    loop = CASES[case](peer)
    loop()
    peer.settle()
    gc.collect()
    batches: list[Batch] = []
    spans = unsettled = 0
    exported, started = peer.exported(), time.process_time_ns()
    deadline = perf_counter_ns() + int(seconds * 1e9)
    while perf_counter_ns() < deadline or len(batches) < 3:
        batch = loop()
        batches.append(batch)
        spans += batch.spans
        unsettled += batch.spans
        if unsettled >= _SETTLE_SPANS:
            peer.settle()
            unsettled = 0
    peer.settle()
    return {
        "best": min(batch.best for batch in batches),
        "inner": median(batch.inner for batch in batches),
        "whole": median(batch.whole for batch in batches),
        "cpu": (time.process_time_ns() - started) / spans,
        "spans": spans,
        "exported": peer.exported() - exported,
    }


def _batch(laps: list[int], whole: int, spans_of_a_lap: int) -> Batch:
    spans = spans_of_a_lap * len(laps)
    return Batch(spans, min(laps) / spans_of_a_lap, sum(laps) / spans, whole / spans)


def _within(peer: Peer, lap: Callable[[], int], spans_of_a_lap: int) -> Callable[[], Batch]:
    """Laps below one root; each gives its nanoseconds."""

    def work() -> list[int]:
        return [lap() for _ in range(_LAPS)]

    def batch() -> Batch:
        start = perf_counter_ns()
        laps = peer.root(work)
        return _batch(laps, perf_counter_ns() - start, spans_of_a_lap)

    return batch


def _calls(peer: Peer, function: Callable[[Order], object], spans: int = 1) -> Callable[[], Batch]:
    def lap() -> int:
        order = _ORDER
        start = perf_counter_ns()
        for _ in range(_CALLS_OF_A_LAP):
            function(order)
        return perf_counter_ns() - start

    return _within(peer, lap, _CALLS_OF_A_LAP * spans)


def _resumed(peer: Peer, resumes: int) -> Callable[[], Batch]:
    """Generators of `resumes` steps; what is counted is steps."""
    generator = peer.generator
    if generator is None:
        raise UnavailableError("its span of a generator is current outside the generator too")

    def lap() -> int:
        start = perf_counter_ns()
        for _ in range(_CALLS_OF_A_LAP // resumes):
            for _ in generator(resumes):
                pass
        return perf_counter_ns() - start

    return _within(peer, lap, _CALLS_OF_A_LAP)


def _awaited(peer: Peer) -> Callable[[], Batch]:
    function = peer.coroutine

    async def lap() -> int:
        order = _ORDER
        start = perf_counter_ns()
        for _ in range(_CALLS_OF_A_LAP):
            await function(order)
        return perf_counter_ns() - start

    async def work() -> list[int]:
        return [await lap() for _ in range(_LAPS)]

    async def main() -> list[int]:
        laps: list[int] = await peer.async_root(work)
        return laps

    loop = asyncio.new_event_loop()

    def batch() -> Batch:
        start = perf_counter_ns()
        laps = loop.run_until_complete(main())
        return _batch(laps, perf_counter_ns() - start, _CALLS_OF_A_LAP)

    return batch


def _roots(peer: Peer) -> Callable[[], Batch]:
    """Calls that are each a trace of their own."""
    root, nothing = peer.root, int

    def batch() -> Batch:
        start = perf_counter_ns()
        for _ in range(_CALLS):
            root(nothing)
        took = perf_counter_ns() - start
        return _batch([took], took, _CALLS)

    return batch


def _traces(peer: Peer) -> Callable[[], Batch]:
    """Traces of ten spans."""
    root, function = peer.root, peer.sync

    def work() -> None:
        order = _ORDER
        for _ in range(SPANS_OF_A_TRACE - 1):
            function(order)

    def batch() -> Batch:
        start = perf_counter_ns()
        root(work)
        took = perf_counter_ns() - start
        return _batch([took], took, SPANS_OF_A_TRACE)

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
