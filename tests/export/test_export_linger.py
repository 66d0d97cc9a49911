"""A trace that one process drops and another keeps: what was dropped comes back while it lingers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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

    def __init__(self, shared: Shared, linger_ns: int = 10_000_000_000) -> None:
        self.delivered: list[str] = []
        self.linger = Linger(shared, self._collect, lambda: None, linger_ns)
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
    assert not process.linger._waiting


def test_what_lingers_is_bounded() -> None:
    process = Process(Shared())
    for _ in range(25_000):
        process.run("request")
    process.linger.listen()
    assert len(process.linger._waiting) <= 20_000
