"""A tracer with a real sampler and a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Sequence

from autotrace.plan.plan import EndpointRule, SamplerSettings
from autotrace.plan.target import Origin
from autotrace.sample.sampler import Sampler
from autotrace.span.endpoint_counts import EndpointCounts
from autotrace.span.finished import AttributeValue
from autotrace.span.remote import RemoteParent
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer

HERE = Origin("tracing.toml", 9, 1)
SECOND = 1_000_000_000


class Deciding:
    """Local roots of any name, duration, error and tags; `kept` are the names of those that were delivered."""

    def __init__(self, settings: SamplerSettings, limit: int = 5000) -> None:
        self.now = 1000 * SECOND
        self.sampler = Sampler(settings, lambda: self.now)
        self.kept: list[str] = []
        self.tracer = Tracer(
            self.sampler.decide,
            self.sampler.ended,
            self._deliver,
            admits=self.sampler.admits,
            early=self.sampler.early,
            limit=limit,
        )

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        self.kept.append(root.span.name)

    def run(
        self,
        name: str = "work",
        duration: int = 1000,
        error: BaseException | None = None,
        remote: RemoteParent | None = None,
        **tags: AttributeValue,
    ) -> LocalRoot:
        span = self.tracer.start_remote(Site(self.tracer, name), Span, remote)
        self.tracer.unrecorded(span)
        if tags:
            span.details().attributes.update(tags)
        span.close(error, at=span.start + duration)
        return span.root

    def counts(self, name: str = "work") -> EndpointCounts:
        return next(counts for counts in self.sampler.counts().endpoints if counts.endpoint == name)


def rule(endpoint: str, rate: float | None = None, **others: object) -> EndpointRule:
    return EndpointRule(endpoint, rate, None, HERE)._replace(**others)  # type: ignore[arg-type]  # whatever a test names
