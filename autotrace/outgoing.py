"""What leaves one process: takes local roots that were kept or dropped, gives them to an export side made when needed."""

from __future__ import annotations

import _thread
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from autotrace import guard
from autotrace.account import Account
from autotrace.errors import StoreError
from autotrace.overhead.meter import Meter
from autotrace.plan.plan import Plan
from autotrace.plan.service import ServiceSettings
from autotrace.sample.sampler import Sampler
from autotrace.sample.samplers import Samplers
from autotrace.sample.sharing import Sharing
from autotrace.span.service import Service
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer

if TYPE_CHECKING:
    from autotrace.export.process import ProcessExport


class Outgoing:
    """The way out of one process. `tracers` gives those that deliver here; `is_forking` that no thread may start now."""

    def __init__(
        self,
        plan: Plan,
        store: str,
        samplers: Samplers,
        account: Account,
        meter: Meter,
        tracers: Callable[[], Sequence[Tracer]],
    ) -> None:
        self._plan = plan
        self._store = store
        self._samplers = samplers
        self._account = account
        self._meter = meter
        self._tracers = tracers
        self._export: ProcessExport | None = None
        self._making = _thread.RLock()
        self.is_forking = False

    @property
    def export(self) -> ProcessExport:
        """The export side of this process: with sqlite3 and json 20 ms that a start does not pay."""
        return self._export or self._make_export()

    def _make_export(self) -> ProcessExport:
        with self._meter, self._making:
            from autotrace.export.process import ProcessExport

            if self._export is None:
                export = self._export = self._meter.join(ProcessExport(self._plan, self._store))
                export.each_round.append(lambda: self._account.write_at_times(export))
                sharing = Sharing(export.writer, self._samplers.budgets)
                export.each_round.append(sharing.beat)
                for tracer in self._tracers():
                    tracer.deliver = export.deliver  # two calls less for each trace
            return self._export

    def deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        """Take a local root that is kept."""
        with (
            self._meter,
            self._making,
        ):  # `shutdown` waits for it: a server's thread may take this first trace just then
            self.export.deliver(root, spans)

    def drop(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        """Take a local root that is not kept; another process may yet want it."""
        if self._account.waits and not self.is_forking and self._account.lives_on():
            self.export.pipeline.awake()
        if root.trace_number:  # else no other process knows of it
            self.export.linger.take(root, spans)

    def let_ask(self, sampler: Sampler, service: str) -> None:
        """Have a sampler that asks a server do so from its first decision on."""
        remote = sampler.remote
        if remote is not None:
            # A thread that is there when a process forks makes Python print a warning.
            remote.awake = lambda: None if self.is_forking else self.export.poll(remote, service)

    def add_service(self, service: Service, settings: ServiceSettings) -> None:
        """Let the spans of a service go their own way."""
        self.export.add_service(service, settings)

    def flush(self) -> None:
        """Bring what was kept so far to the exporters, and write the account."""
        if self._export is not None:
            self._export.pipeline.flush(self._plan.shutdown_timeout_ns)
        self._account.write_run(self._export)

    def flush_waiting(self) -> None:
        """The same, if anything waits; for an end without notice."""
        try:
            if self._export is not None and self._export.pipeline.waiting:
                self.flush()
        except BaseException as failure:
            guard.swallow(failure)

    def settle(self) -> None:
        """Wait for a first trace that is on its way, and hear once more which traces other processes keep."""
        if self._making.acquire(timeout=self._plan.shutdown_timeout_ns / 1e9):
            self._making.release()
        try:
            if self._export is not None:
                self._export.linger.listen()
        except StoreError as error:
            self._account.complain_of_store(error)

    def shutdown(self) -> ProcessExport | None:
        """Bring what was kept to the exporters, end them, and write the account; gives the export side, if there was one."""
        export = self._export
        if export is not None and not export.pipeline.shutdown(self._plan.shutdown_timeout_ns):
            self._account.say("spans were not exported: the end of the program waits no longer ([shutdown] timeout)")
        self._account.write_run(export)
        if export is not None:
            export.writer.close()
        return export
