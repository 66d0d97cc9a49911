"""What one process says of its tracing: takes the counters of its stages, gives a row of the store and lines on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from autotrace.errors import StoreError
from autotrace.hook.children import Children
from autotrace.hook.matching import MAIN, Matching
from autotrace.overhead.meter import Meter
from autotrace.plan.plan import Plan
from autotrace.sample.counts import Counts, storable
from autotrace.sample.samplers import Samplers
from autotrace.span.clock import Clock
from autotrace.span.hushed import take_limited
from autotrace.store.run import Run
from autotrace.view.report import (
    agent_lines,
    end_line,
    fallback_lines,
    keep_limit_lines,
    limited_lines,
    lost_lines,
    overflow_lines,
    unmatched_lines,
    unused_rule_lines,
)

if TYPE_CHECKING:
    from autotrace.export.pipeline import Pipeline
    from autotrace.export.process import ProcessExport

_BETWEEN_WRITES_NS = 5_000_000_000
_SHORT_LIVED_NS = 1_000_000_000
_SPAWNING = frozenset({"multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"})


class Account:
    """The account of one process, from its start or its fork on.

    `reports` says whether it may write to stderr at its end, `reports_endpoints` whether the counters are wanted there
    (`--report`); `is_covered` that a newer installation has what this one would miss; `waits` that nobody has seen to it
    that the row is written while the process lives, which delivering traces does.
    """

    def __init__(
        self,
        plan: Plan,
        store: str,
        sampler: Samplers,
        matching: Matching,
        children: Children | None,
        meter: Meter,
    ) -> None:
        self._plan = plan
        self._store = store
        self._sampler = sampler
        self._matching = matching
        self._children = children
        self._meter = meter
        self._started_ns = time.time_ns()
        self._pid = os.getpid()
        self._modules_of_parent: frozenset[str] = frozenset()
        self._has_forked = False
        self._began = Clock.now()
        self._next_write = 0
        self._written = 0
        self.waits = True
        self.is_covered = False
        self.reports = True
        self.reports_endpoints = False

    def before_fork(self) -> None:
        """Remember that there are children; the thread that writes ends with the fork."""
        self._has_forked = self.waits = True

    def after_fork_in_child(self) -> None:
        """Begin anew: what was before is the parent's."""
        self._started_ns = time.time_ns()
        self._modules_of_parent = frozenset(sys.modules)
        self._began = Clock.now()
        self._next_write = self._written = 0

    def lives_on(self) -> bool:
        """Whether this process has lived so long that its counters are to be in the store before its end, too."""
        self.waits = Clock.now() - self._began < _SHORT_LIVED_NS
        return not self.waits

    def write_at_times(self, export: ProcessExport) -> None:
        """Write the row every few seconds, where anything was seen since: a process that is killed leaves its counters."""
        now = Clock.now()
        if now < self._next_write:
            return
        self._next_write = now + _BETWEEN_WRITES_NS
        counts = self._sampler.counts()
        if counts.seen == self._written:
            return
        self._written = counts.seen
        try:
            # What never matched is said at the end: finding near names takes long, and something was seen.
            export.writer.record_run(self._run(counts, export, ()))
        except StoreError:
            return  # the end of the process says so, and before that whoever delivers spans

    def write_run(self, export: ProcessExport | None) -> None:
        """Write the row of this process; `export` is None where it has exported nothing."""
        run = self._run(self._sampler.counts(), export, self._unmatched_lines())
        from autotrace.store.write import (
            StoreWriter,  # sqlite3: loaded with the export side, else when the process ends
        )

        writer = StoreWriter(self._store) if export is None else export.writer
        try:
            writer.record_run(run)
            if export is None:
                writer.close()
        except StoreError as error:
            self.complain_of_store(error)

    def _run(self, counts: Counts, export: ProcessExport | None, unmatched: Sequence[str]) -> Run:
        return Run(
            pid=os.getpid(),
            service=self._plan.service_name,
            started_ns=self._started_ns,
            command=" ".join(sys.argv),
            updated_ns=time.time_ns(),
            overhead=self._meter.text(),
            roots_seen=counts.seen,
            roots_kept=counts.kept,
            spans=0 if export is None else export.pipeline.exported,
            dropped=0 if export is None else export.pipeline.dropped,
            lost=0 if export is None else sum(export.pipeline.lost.values()),
            rate=counts.rate,
            rule=counts.rule,
            unmatched=tuple(unmatched),
            endpoints=storable(counts),
        )

    def complain_of_store(self, error: StoreError) -> None:
        """Say what is wrong with the store, if the spans go there."""
        if self._stores():
            self.say(str(error))

    def report(self, export: ProcessExport | None) -> None:
        """Write the lines with which a process ends; `export` is None where it has exported nothing."""
        if not self.reports:
            return
        for line in self._unmatched_lines():
            self.say(line)
        if os.getpid() != self._pid:
            return
        for lines in (
            fallback_lines(self._matching.fallbacks),
            limited_lines(take_limited()),
            agent_lines(sys.modules),
            () if export is None else self._loss_lines(export.pipeline),
        ):
            for line in lines:
                self.say(line)
        if self.reports_endpoints or (sys.stderr is not None and sys.stderr.isatty()):
            for line in self._closing_lines(self._sampler.counts()):
                self.say(line)

    def _loss_lines(self, pipeline: Pipeline) -> list[str]:
        queue = pipeline.queue
        return [
            *overflow_lines(queue.overflowed_roots, queue.overflowed, self._plan.buffer.memory, queue.span_limit),
            *lost_lines(pipeline.lost),
        ]

    def _closing_lines(self, counts: Counts) -> Iterator[str]:
        others = [one.type for one in self._plan.exporters if one.type != "sqlite"]
        yield end_line(counts.kept, counts.seen, self._store if self._stores() else None, others)
        has_children = self._has_children()
        if self.reports_endpoints:
            from autotrace.view.endpoints import report_endpoints  # unicodedata, which only a report pays

            yield from report_endpoints(counts.endpoints)
            if has_children:
                yield "the processes that it started count for themselves; autotrace traces --endpoints adds them up"
        yield from keep_limit_lines(counts.endpoints)
        if counts.seen and not (self._plan.is_shared or has_children or self.is_covered):
            yield from unused_rule_lines(counts.unused, counts.endpoints)

    def say(self, line: str) -> None:
        """Write one line to stderr, if there is one."""
        if sys.stderr is not None:
            print(f"autotrace: {line}", file=sys.stderr)

    def _stores(self) -> bool:
        """Whether the spans go to the local store."""
        return any(exporter.type == "sqlite" for exporter in self._plan.exporters)

    def _unmatched_lines(self) -> list[str]:
        """What never matched, where this process can tell: it has imported the module, or nobody else would have."""
        unmatched = [] if self.is_covered else self._matching.unmatched()
        if self._plan.is_shared or self._has_children():
            others = {MAIN, *self._modules_of_parent}
            unmatched = [one for one in unmatched if one[0].module in sys.modules and one[0].module not in others]
        return unmatched_lines(unmatched, sys.modules)

    def _has_children(self) -> bool:
        started = self._children is not None and self._children.has_started
        return started or self._has_forked or not _SPAWNING.isdisjoint(sys.modules)
