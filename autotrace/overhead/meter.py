"""One process's own cost: takes its local roots as they leave and its export's CPU, gives an `Overhead`."""

from __future__ import annotations

import _thread
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from autotrace.overhead.collector import Collector
from autotrace.overhead.costs import Costs
from autotrace.overhead.counts import Counts, Line
from autotrace.overhead.stopwatch import Event, Stopwatch
from autotrace.overhead.window import Window
from autotrace.span.clock import Clock
from autotrace.span.fork import watch
from autotrace.span.span import LocalRoot, Span
from autotrace.store.overhead import EXPORT, NOTHING, RECORDING, Cost, Overhead

if TYPE_CHECKING:
    from autotrace.export.measured_pipeline import MeasuredPipeline
    from autotrace.export.process import ProcessExport

Drop: TypeAlias = Callable[[LocalRoot, Sequence[Span]], None]

_CALLS = 256
"""How many calls a window is open for; the first for more, as a short process has no other."""
_FIRST_CALLS = 1024
_WINDOWS = 200
"""The pauses grow with the CPU that was used: so many windows last for years of it, or something is wrong."""
_FIRST_PAUSE_NS = 200_000_000
_LINES = 50


class Meter:
    """Opens windows in which the calls of the tracer are timed, less and less often, and counts spans in between.

    `cpu` is the process's clock.
    """

    def __init__(self, cpu: Callable[[], int] = time.process_time_ns) -> None:
        self._cpu = cpu
        self._stopwatch = Stopwatch(self._take)
        self._window = Window(self._stopwatch)
        self._turn = _thread.allocate_lock()
        self._collector = Collector()
        self._aside: dict[int, int] = {}
        self._pipeline: MeasuredPipeline | None = None
        self._begin()
        watch(self)

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._costs = Costs()
        self._counts = Counts()
        self._left = 0
        self._windows = 0
        self._opens_at = 0
        self._installing_ns = 0

    def start(self) -> Callable[[], None]:
        """Time the first calls of the process, for a short one has no others; gives what ends all measuring."""
        self._collector.start()
        self.tick()
        return self._stop

    def _stop(self) -> None:
        self._windows = _WINDOWS
        self._window.close()
        self._collector.stop()

    def before_fork(self) -> None:
        """Nothing: the window stays open in both processes."""

    def after_fork_in_child(self) -> None:
        """Begin anew: a process pays for itself."""
        self._turn = _thread.allocate_lock()
        stopped = self._windows >= _WINDOWS
        self._window.close()
        self._begin()
        if stopped:
            self._windows = _WINDOWS
        else:
            self._collector.start()
            self.tick()

    def tick(self) -> None:
        """Open the next window if it is time, or time in this one also what was loaded since."""
        if self._pid != os.getpid():
            self._window.close()
            self._begin()
        if not self._turn.acquire(blocking=False):
            return
        try:
            began = self._cpu()
            if self._window.is_open:
                self._window.open()
            elif began >= self._opens_at and self._windows < _WINDOWS and self._window.may_open:
                self._left = _CALLS if self._windows else _FIRST_CALLS
                self._windows += 1
                self._stopwatch.calibrate()
                self._costs.plain_ns = self._stopwatch.plain_ns
                self._window.open()
            else:
                return
            self._installing_ns += self._cpu() - began
        finally:
            self._turn.release()

    def __enter__(self) -> None:
        """What this thread does from here on is no part of what it traces: it is done once in a process."""
        self._aside[_thread.get_ident()] = Clock.now()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._stopwatch.leave_out(Clock.now() - self._aside.pop(_thread.get_ident(), Clock.now()))

    def _exported(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        """Spans that are exported."""
        if self._counts.is_due():
            self._counts.add(root, spans, exported=True)

    def dropping(self, drop: Drop) -> Drop:
        """What is done with spans that are not exported, and counting them."""

        def dropped(root: LocalRoot, spans: Sequence[Span]) -> None:
            if self._counts.is_due():
                began = Clock.now()
                self._counts.add(root, spans, exported=False)
                self.tick()
                self._stopwatch.leave_out(Clock.now() - began)
            drop(root, spans)

        return dropped

    def join(self, export: ProcessExport) -> ProcessExport:
        """See what is exported, and go on with the windows from the export thread; gives `export` back."""
        from autotrace.store import overhead_text  # noqa: F401 - before the program has a `json` of its own

        self.tick()
        self._pipeline = export.pipeline
        self._pipeline.seen = self._exported
        export.each_round.append(self.tick)
        return export

    def text(self) -> str:
        """The `Overhead` so far, for the store; "" where there was nothing to measure."""
        if not self._counts.recorded:
            return ""
        from autotrace.store.overhead_text import to_text  # with json, which a start does not pay for

        return to_text(self.overhead())

    def overhead(self) -> Overhead:
        """What tracing has cost so far."""
        export_ns = 0 if self._pipeline is None else self._pipeline.cpu_ns
        counts = self._counts.with_silent()
        lines = self._lines(counts, export_ns)
        return Overhead(
            cpu_ns=self._cpu(),
            stages=(*_sum(lines.values())[:EXPORT], export_ns),
            targets=_group(lines, counts, lambda line: (line[1], line[2].function)),
            endpoints=_group(lines, counts, lambda line: (line[0], "")),
            timed=self._costs.timed,
            measuring_ns=self._installing_ns + self._stopwatch.cost(self._costs.timed),
        )

    def _lines(self, counts: Mapping[Line, float], export_ns: int) -> dict[Line, tuple[float, ...]]:
        """Nanoseconds by stage of all spans of each line; those of the export by the number of spans."""
        exported = dict(self._counts.exported)
        objects = {line: self._costs.objects(line[2]) * count for line, count in counts.items()}
        collected = self._collector.cost_of(sum(objects.values())) / (sum(objects.values()) or 1.0)
        each = export_ns / (sum(exported.values()) or 1.0)
        found = {}
        for line, count in counts.items():
            costs = [one * count for one in self._costs.of(line[2])]
            costs[RECORDING] += objects[line] * collected
            costs[EXPORT] = exported.get(line, 0.0) * each
            found[line] = tuple(costs)
        return found

    def _take(self, event: Event) -> None:
        self._costs.take(event)
        self._left -= 1
        if self._left <= 0 and self._turn.acquire(blocking=False):
            try:
                self._window.close()
                now = self._cpu()
                self._opens_at = now + max(_FIRST_PAUSE_NS, now // 8)
            finally:
                self._turn.release()


def _sum(parts: Iterable[Sequence[float]]) -> tuple[int, ...]:
    return tuple(round(sum(column)) for column in zip(NOTHING, *parts, strict=True))


def _group(
    lines: Mapping[Line, tuple[float, ...]], spans: Mapping[Line, float], name: Callable[[Line], tuple[str, str]]
) -> tuple[Cost, ...]:
    """One cost for each name, the most expensive first."""
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault(name(line), []).append(line)
    costs = [
        Cost(*key, round(sum(spans[line] for line in members)), _sum(lines[line] for line in members))
        for key, members in groups.items()
    ]
    return tuple(sorted(costs, key=lambda cost: -sum(cost.stages))[:_LINES])
