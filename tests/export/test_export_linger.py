"""A trace that one process drops and another keeps: what was dropped comes back while it lingers."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterable, Sequence

import pytest

from autotrace.export.linger import Linger
from autotrace.span.remote import RemoteParent
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer


class Shared:
    """One journal for several processes, as the local store is."""

    def __init__(self) -> None:
        self.keeps: list[int] = []

    def reader(self) -> Shared:
        return _Reader(self)

    def write_keeps(self, trace_ids: Sequence[int]) -> None:
        self.keeps.extend(trace_ids)

    def read_keeps(self) -> Iterable[int]:
        return list(self.keeps)


class _Reader(Shared):
    def __init__(self, shared: Shared) -> None:
        self.keeps = shared.keeps


class Process:
    """A tracer that keeps errors only, and what it has delivered."""

    def __init__(self, shared: Shared, linger_ns: int = 10_000_000_000, memory: int = 1_000_000_000) -> None:
        self.delivered: list[str] = []
        self.linger = Linger(shared, self._collect, lambda: None, linger_ns, memory)
        self.tracer = Tracer(lambda root: False, lambda root: root.error, self._deliver, dropped=self.linger.take)

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        self.linger.announce(root)
        self._collect(root, spans)

    def _collect(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        self.delivered.extend(span.name for span in spans)

    def run(self, name: str, remote: RemoteParent | None = None, *, fails: bool = False) -> RemoteParent:
        """One request; gives what it would send on."""
        span = self.tracer.start_remote(Site(self.tracer, name), Span, remote)
        sent = RemoteParent(span.root.trace_id, span.span_id, span.root.sampled)
        span.close(ValueError("failed") if fails else None)
        return sent


def test_what_the_publisher_dropped_comes_back_when_the_worker_fails() -> None:
    shared = Shared()
    gateway, worker = Process(shared), Process(shared)
    sent = gateway.run("POST /orders")
    assert gateway.delivered == []
    worker.run("process payment_needed", sent, fails=True)
    worker.linger.listen()
    gateway.linger.listen()
    assert (gateway.delivered, worker.delivered) == (["POST /orders"], ["process payment_needed"])


def test_what_is_dropped_after_the_trace_was_kept_is_delivered_at_once() -> None:
    shared = Shared()
    worker, late = Process(shared), Process(shared)
    sent = RemoteParent(1, 1, False)
    worker.run("fails", sent, fails=True)
    worker.linger.listen()
    late.run("before", RemoteParent(2, 2, False))
    late.linger.listen()
    late.run("after", sent)
    assert late.delivered == ["after"]


def test_a_trace_that_nobody_keeps_is_forgotten() -> None:
    shared = Shared()
    gateway = Process(shared, linger_ns=0)
    sent = gateway.run("POST /orders")
    gateway.linger.listen()
    shared.write_keeps([sent.trace_id])
    gateway.linger.listen()
    assert gateway.delivered == []


def test_a_trace_whose_id_was_never_made_does_not_wait() -> None:
    process = Process(Shared())
    span = process.tracer.start_remote(Site(process.tracer, "local"), Span, None)
    span.close()
    assert len(process.linger) == 0


def test_a_trace_whose_ids_nobody_has_seen_does_not_wait() -> None:
    process = Process(Shared())
    span = process.tracer.start_remote(Site(process.tracer, "local"), Span, None)
    assert span.root.trace_id  # as a sampler asks for it
    child = process.tracer.start(Site(process.tracer, "child"), Span, span)
    child.close()
    span.close()
    assert len(process.linger) == 0


def test_one_that_has_sent_something_waits_though_its_own_id_was_never_asked_for() -> None:
    process = Process(Shared())
    span = process.tracer.start_remote(Site(process.tracer, "local"), Span, None)
    child = process.tracer.start(Site(process.tracer, "publish", "producer"), Span, span)
    assert child.root.trace_id
    assert child.span_id
    child.close()
    span.close()
    assert len(process.linger) == 1


def test_each_of_many_that_fail_is_found_among_ten_thousand_that_wait() -> None:
    shared = Shared()
    gateway, worker = Process(shared), Process(shared)
    wanted = set(random.Random(1).sample(range(10_000), 50))
    for number in range(10_000):
        sent = gateway.run(f"order {number}")
        if number in wanted:
            worker.run("process", sent, fails=True)
        if number % 1000 == 0:
            worker.linger.listen()
            gateway.linger.listen()
    worker.linger.listen()
    gateway.linger.listen()
    assert sorted(gateway.delivered) == sorted(f"order {number}" for number in wanted)


def test_a_child_that_ends_after_the_decision_comes_back_with_its_trace() -> None:
    shared = Shared()
    gateway, worker = Process(shared), Process(shared)
    root = gateway.tracer.start_remote(Site(gateway.tracer, "POST /orders"), Span, None)
    late = [gateway.tracer.start(Site(gateway.tracer, name), Span, root) for name in ("late", "later", "latest")]
    sent = RemoteParent(root.root.trace_id, root.span_id, False)
    root.close()
    late[0].close()
    worker.run("process", sent, fails=True)
    worker.linger.listen()
    gateway.linger.listen()
    late[1].close()
    gateway.linger.listen()
    late[2].close()
    assert gateway.delivered == ["POST /orders", "late", "later", "latest"]


def test_what_waits_holds_no_more_memory_than_it_may_and_the_oldest_go() -> None:
    shared = Shared()
    process, worker = Process(shared, memory=256 * 1000), Process(shared)
    sent = []
    for number in range(3_000):
        sent.append(process.run(f"request {number}"))
        if number % 500 == 0:
            process.linger.listen()
    process.linger.listen()
    assert (len(process.linger), process.linger.forgotten) == (1_000, 2_000)
    for one in sent:
        worker.run("fails", one, fails=True)
    worker.linger.listen()
    process.linger.listen()
    assert process.delivered == [f"request {number}" for number in range(2_000, 3_000)]


def test_what_waits_is_bounded_where_nobody_listens() -> None:
    process = Process(Shared(), memory=256 * 10_000)
    for _ in range(25_000):
        process.run("request")
    assert 10_000 <= len(process.linger) <= 12_001
    assert process.linger.forgotten == 25_000 - len(process.linger)


def test_what_comes_while_the_journal_takes_long_is_bounded() -> None:
    class Slow(Shared):
        def read_keeps(self) -> Iterable[int]:
            for _ in range(25_000):
                process.run("request")
            return ()

    process = Process(Slow())
    process.run("first")
    process.linger.listen()
    assert len(process.linger) <= 20_001


def test_what_is_forgotten_is_freed_without_the_garbage_collector() -> None:
    process = Process(Shared(), linger_ns=0)
    for _ in range(100):
        process.run("request")
    gc.collect()
    gc.disable()
    try:
        process.linger.listen()
        assert gc.collect() == 0
    finally:
        gc.enable()


class Broken(Shared):
    """A journal that fails, for as long as it is broken."""

    broken = True

    def write_keeps(self, trace_ids: Sequence[int]) -> None:
        if self.broken:
            raise OSError("full")
        super().write_keeps(trace_ids)

    def read_keeps(self) -> Iterable[int]:
        if self.broken:
            raise OSError("full")
        return super().read_keeps()


def test_what_could_not_be_said_is_said_once_the_journal_works() -> None:
    broken, shared = Broken(), Shared()
    broken.keeps = shared.keeps
    worker, gateway = Process(broken), Process(shared)
    worker.run("process", gateway.run("POST /orders"), fails=True)
    with pytest.raises(OSError, match="full"):
        worker.linger.listen()
    broken.broken = False
    worker.linger.listen()
    gateway.linger.listen()
    assert gateway.delivered == ["POST /orders"]


def test_what_waits_is_forgotten_also_where_the_journal_fails() -> None:
    process = Process(Broken(), linger_ns=0)
    for _ in range(100):
        process.run("request")
    with pytest.raises(OSError, match="full"):
        process.linger.listen()
    assert len(process.linger) == 0
