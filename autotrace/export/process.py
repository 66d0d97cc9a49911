"""The export side of one process: takes its plan and the store's path, gives what local roots are handed to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from autotrace import __version__
from autotrace.export.chosen import choose
from autotrace.export.linger import Linger
from autotrace.export.measured_pipeline import MeasuredPipeline
from autotrace.export.resource import ProcessResource
from autotrace.plan.plan import Plan
from autotrace.plan.service import ServiceSettings
from autotrace.sample.remote import Remote
from autotrace.span.service import Service
from autotrace.span.span import LocalRoot, Span
from autotrace.store.write import StoreWriter

if TYPE_CHECKING:
    from autotrace.export.strategy_poll import StrategyPoll


class ProcessExport:
    """Pipeline, linger and the store's writer, wired to each other. A process without a span never makes it.

    `each_round` is what the export thread calls about once a second, one after the other.
    """

    def __init__(self, plan: Plan, store: str) -> None:
        self.writer = StoreWriter(store)
        self._resource = ProcessResource(plan.service_name, __version__, dict(plan.resource))
        self.pipeline = MeasuredPipeline(choose(plan.exporters, self.writer), self._resource, plan.buffer.memory)
        self.linger = Linger(
            self.writer,
            self.pipeline.deliver,
            self.pipeline.awake,
            memory=plan.buffer.memory,
            taken=lambda: self.pipeline.held,
        )
        self.each_round: list[Callable[[], None]] = [self.linger.listen]
        self.pipeline.each_round = self._do_round
        self._polls: dict[Remote, StrategyPoll] = {}

    def deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        """Take a local root that is kept."""
        if not root.head:
            self.linger.announce(root)
        self.pipeline.deliver(root, spans)

    def _do_round(self) -> None:
        failure: Exception | None = None
        for act in self.each_round:
            try:
                act()
            except Exception as error:
                failure = failure or error  # of a store that cannot be written, the others have their turn all the same
        if failure is not None:
            raise failure

    def poll(self, remote: Remote, service: str) -> None:
        """Ask for the sampling strategies of `service` from now on."""
        from autotrace.export.strategy_poll import StrategyPoll

        new = StrategyPoll(remote, service, self.pipeline)
        # In one step, as two threads may come with the first two decisions.
        if self._polls.setdefault(remote, new) is new:
            self.each_round.append(new.act)
            remote.awake = new.awake
            new.awake()

    def add_service(self, service: Service, settings: ServiceSettings) -> None:
        """Let the spans of a service have a resource of their own, and exporters of their own if they are given."""
        exporters = None if settings.exporters is None else choose(settings.exporters, self.writer)
        self.pipeline.route(service, self._resource.named(service.name, dict(settings.resource)), exporters)
