"""From the application's threads to the exporters: takes local roots that are kept, gives batches of FinishedSpans."""

from __future__ import annotations

import _thread
import os
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context
from typing import NamedTuple

from autotrace import guard
from autotrace.export.convert import convert
from autotrace.export.exporter import Exporter
from autotrace.export.queue import Delivery, Queue
from autotrace.export.release import release
from autotrace.export.thread import ExportThread
from autotrace.export.turns import Batch, Turns
from autotrace.span.clock import Clock
from autotrace.span.finished import FinishedSpan, Resource
from autotrace.span.identifiers import new_span_ids
from autotrace.span.service import Service, service_of
from autotrace.span.span import LocalRoot, Span

_BATCH = 1000
_BEHIND = 10_000
_SPAN_LIMIT = 100_000
_FORK_TIMEOUT_NS = 1_000_000_000
_RETRY_NS = 1_000_000_000
# The first requests of a worker's threads may meet; reentrant, as a signal handler may end a span.
_beginning = _thread.RLock()


class Route(NamedTuple):
    """Where spans go: whose they are, and to whom they are given."""

    resource: Callable[[], Resource]
    exporters: tuple[Exporter, ...]


class Pipeline:
    """The queue, the thread and the exporters of one process; a fork's child begins with an empty queue.

    `memory` is about how many bytes may wait. `exported`, `lost` (by the class of the exporter that failed) and `dropped`
    (the queue was full, or closed) count spans of this process; `failures` counts an exporter's errors by kind.
    `each_round` is called by the export thread before each batch, at least once a second.
    """

    def __init__(
        self,
        exporters: Sequence[Exporter],
        resource: Callable[[], Resource],
        memory: int,
        span_limit: int = _SPAN_LIMIT,
    ) -> None:
        self._process = Route(resource, tuple(exporters))
        self._services: dict[Service, Route] = {}
        self.queue = Queue(span_limit, memory, lambda gone: release(gone, None))
        self._closed = False
        self.each_round: Callable[[], None] = lambda: None
        self._begin()
        _watch_forks(self)

    def _begin(self) -> None:
        """The state that a fork's child starts from."""
        self.queue.reset()
        self._thread: ExportThread | None = None
        self._starting = _thread.allocate_lock()
        self._exporting = _thread.allocate_lock()
        self._forking = False
        self._retry_at = 0
        self.exported = 0
        self.lost: Counter[str] = Counter()
        self.failures: dict[str, int] = {}
        self._pid = os.getpid()

    def route(self, service: Service, resource: Callable[[], Resource], exporters: Sequence[Exporter] | None) -> None:
        """Give the spans of a service a resource of their own, and exporters in place of the process's, if any."""
        given = self._process.exporters if exporters is None else tuple(exporters)
        self._services[service] = Route(resource, given)

    @property
    def dropped(self) -> int:
        """How many spans never reached an exporter because too many waited, or because the pipeline was shut down."""
        return self.queue.dropped

    @property
    def held(self) -> int:
        """About how many bytes the spans in the queue hold."""
        return self.queue.bytes

    @property
    def waiting(self) -> bool:
        """Whether this process has something left to export."""
        return self._pid == os.getpid() and (len(self.queue) > 0 or self._exporting.locked())

    def deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        """Take spans that have ended; called on the application's threads, so it never waits and does no I/O."""
        if self._pid != os.getpid():
            self._notice_fork()
        if self._closed:
            self.queue.dropped += len(spans)
            return
        queue = self.queue
        queue.put(root, spans)
        thread = self._thread
        if thread is None or not thread.is_alive():
            self._start()
        elif queue.spans >= _BATCH:
            thread.wake()

    @property
    def has_time(self) -> bool:
        """Whether the calling thread is the export thread, and nobody waits for it."""
        return self._thread is not None and self._thread.has_time

    def awake(self, at_once: bool = False) -> None:
        """See to it that the export thread runs: `each_round` has something to do, within a second or at once."""
        self._notice_fork()
        if not self._closed and (self._thread is None or not self._thread.is_alive()):
            self._start()
        if at_once and self._thread is not None:
            self._thread.wake()

    def flush(self, timeout_ns: int) -> bool:
        """Export what waits now, within `timeout_ns` nanoseconds; whether that was done.

        The export thread does it where there is one, else the caller (no thread could be started, R64).
        """
        deadline = Clock.now() + timeout_ns
        self._notice_fork()
        thread = self._thread
        if thread is None or not thread.is_alive():
            return self._drain(deadline)
        if thread.identity == _thread.get_ident():
            return False
        return thread.hurry(self.queue.mark().passed, deadline) or (not thread.is_alive() and self._drain(deadline))

    def shutdown(self, timeout_ns: int) -> bool:
        """Export what waits, stop the thread, close the exporters, within `timeout_ns`; whether nothing was left.

        What an exporter is still busy with then is abandoned; what comes later is dropped and counted.
        """
        deadline = Clock.now() + timeout_ns
        self._closed = True
        done = self.flush(timeout_ns)
        thread = self._thread
        if thread is not None and thread.is_alive() and not thread.stop(deadline - Clock.now()):
            self.queue.drop_all()
            return False
        done = self._drain(deadline) and done
        self.queue.drop_all()
        for exporter in self._every_exporter():
            try:
                exporter.close()
            except Exception as error:
                self._fail(exporter, error)
        return done

    def before_fork(self) -> None:
        """Stop and join the thread: from 3.12 on a live one makes the application's `os.fork()` print a warning."""
        self._forking = True
        thread = self._thread
        if thread is not None and thread.is_alive() and thread.identity != _thread.get_ident():
            thread.stop(_FORK_TIMEOUT_NS)

    def after_fork_in_parent(self) -> None:
        """Let the next delivery start the thread; here it would be too early, the warning is still to come."""
        self._forking = False

    def after_fork_in_child(self) -> None:
        """Begin anew: what the parent has queued is the parent's to export."""
        self._begin()

    def _notice_fork(self) -> None:
        """Begin anew after a fork that Python was not told of: uWSGI forks without Python's hooks."""
        if self._pid != os.getpid():
            with _beginning:
                if self._pid != os.getpid():
                    self._begin()

    def _start(self) -> None:
        if self._forking or Clock.now() < self._retry_at or not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None or not self._thread.is_alive():
                thread = ExportThread(self._export_batch)
                thread.start()
                self._thread = thread
        except RuntimeError:
            # No more threads are to be had, or the interpreter ends: the flush at exit exports what waits.
            self._retry_at = Clock.now() + _RETRY_NS
        finally:
            self._starting.release()

    def _drain(self, deadline: int) -> bool:
        """Export in the calling thread until nothing is left; not within whatever trace is current there."""
        while len(self.queue):
            if Clock.now() >= deadline:
                return False
            Context().run(self._export_batch)
        return True

    def _export_batch(self, turns: Turns | None = None) -> bool:
        """Export up to a batch, in `turns` with other threads if any are given; whether there is more."""
        with self._exporting:
            self._do_round()
            deliveries, marker = self.queue.take(_BATCH)
            turns = None if self.queue.spans > _BEHIND else turns  # or spans would be dropped
            try:
                converted = self._convert(deliveries, turns)
                release(deliveries, turns)
                for route, spans in converted.items():
                    self._export(route, spans if turns is None else Batch(spans, turns))
            finally:
                if marker is not None:
                    marker.passed.release()
        return len(self.queue) > 0

    def _do_round(self) -> None:
        try:
            self.each_round()
        except Exception as error:
            self._fail(self, error)

    def _convert(self, deliveries: Sequence[Delivery], turns: Turns | None) -> dict[Route, list[FinishedSpan]]:
        """What is delivered, by where it goes."""
        identifiers = iter(new_span_ids(sum([len(spans) for _, spans, _ in deliveries])))
        found: dict[Route, list[FinishedSpan]] = {}
        for root, spans, _ in deliveries:
            for piece in (spans,) if turns is None else turns.pieces(spans):
                for route, own in self._divide(piece).items():
                    found.setdefault(route, []).extend(convert(root, own, identifiers))
        return {route: converted for route, converted in found.items() if converted}

    def _divide(self, spans: Sequence[Span]) -> Mapping[Route, Sequence[Span]]:
        if not self._services:
            return {self._process: spans}
        found: dict[Route, list[Span]] = {}
        for span in spans:
            service = service_of(span)
            route = self._process if service is None else self._services.get(service, self._process)
            found.setdefault(route, []).append(span)
        return found

    def _every_exporter(self) -> Iterable[Exporter]:
        """Each exporter once, whoever shares it."""
        routes = (self._process, *self._services.values())
        return {id(exporter): exporter for route in routes for exporter in route.exporters}.values()

    def _export(self, route: Route, spans: list[FinishedSpan]) -> None:
        resource = route.resource()
        for exporter in route.exporters:
            try:
                exporter.deliver(resource, spans)
            except Exception as error:
                self.lost[type(exporter).__name__] += len(spans)
                self._fail(exporter, error)
        self.exported += len(spans)

    def _fail(self, exporter: object, error: Exception) -> None:
        """Count what an exporter raised, and log the first of each kind; a timeout of the application passes."""
        if guard.is_from_signal(error):
            raise error
        kind = f"{type(exporter).__name__}: {type(error).__name__}"
        self.failures[kind] = count = self.failures.get(kind, 0) + 1
        if count == 1:
            import logging  # 23 ms that only a failure pays

            logging.getLogger("autotrace").warning("autotrace: spans were not exported: %s: %s", kind, error)


_pipelines: weakref.WeakSet[Pipeline] = weakref.WeakSet()
_watching = False


def _watch_forks(pipeline: Pipeline) -> None:
    """Tell `pipeline` of forks.

    Hooks before a fork run last in, first out: registered with the first pipeline, after its exporters were imported,
    ours stops the thread before an exporter locks itself.
    """
    global _watching
    _pipelines.add(pipeline)
    if _watching or not hasattr(os, "register_at_fork"):
        return
    _watching = True
    os.register_at_fork(
        before=lambda: _tell(Pipeline.before_fork),
        after_in_parent=lambda: _tell(Pipeline.after_fork_in_parent),
        after_in_child=lambda: _tell(Pipeline.after_fork_in_child),
    )


def _tell(act: Callable[[Pipeline], None]) -> None:
    for pipeline in list(_pipelines):
        act(pipeline)
