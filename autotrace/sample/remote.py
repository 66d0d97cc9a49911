"""Rates that a server gives: takes its answers, gives each endpoint the rate and the least number of traces they name.

Jaeger's remote sampling (https://www.jaegertracing.io/docs/latest/sampling/#remote-sampling). The rates are for each
process, as with Jaeger's own clients. Who asks the server, and when, is not known here: `autotrace.export.strategy_poll`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.endpoint_sampler import EndpointSampler
from autotrace.sample.limiter import Limiter
from autotrace.sample.probability import threshold

if TYPE_CHECKING:
    from autotrace.sample.strategies import Strategies


class Remote:
    """The rates of one service in one process; what `settings` say holds until the first answer.

    `awake` is called with each decision until whoever asks the server says that he does, and again after each fork.
    """

    def __init__(self, settings: SamplerSettings) -> None:
        self.settings = settings
        self.awake: Callable[[], None] = lambda: None
        self.is_asked = False
        self._endpoints: list[EndpointSampler] = []
        self._strategies: Strategies | None = None
        self._limiter: Limiter | None = None

    @property
    def is_answered(self) -> bool:
        """Whether there was a good answer."""
        return self._strategies is not None

    def join(self, endpoint: EndpointSampler) -> None:
        """Give one more endpoint its rate from now on."""
        endpoint.rates = self
        self._endpoints.append(endpoint)
        if self._strategies is None:
            endpoint.rejected_below = threshold(self.settings.rate)
        applied = None
        while applied is not self._strategies:  # an answer may come in this moment
            applied = self._strategies
            if applied is not None:
                self._apply(applied, None, endpoint)

    def observe(self, endpoint: EndpointSampler, now: int) -> None:
        """See to it that the server is asked: `endpoint` decides."""
        if not self.is_asked:
            self.awake()

    def receive(self, answer: bytes) -> None:
        """Take an answer of the server. Raises StrategyError where it is none; then the last one goes on to hold."""
        from autotrace.sample.strategies import read_strategies  # with the first answer, on the export thread

        strategies, before = read_strategies(answer), self._strategies
        if strategies == before:
            return
        limit = strategies.limit_per_second
        if limit and (before is None or limit != before.limit_per_second):
            self._limiter = Limiter(limit)
        self._strategies = strategies
        for endpoint in list(self._endpoints):
            self._apply(strategies, before, endpoint)

    def _apply(self, strategies: Strategies, before: Strategies | None, endpoint: EndpointSampler) -> None:
        endpoint.rejected_below = threshold(strategies.rates.get(endpoint.name, strategies.rate))
        if strategies.limit_per_second is not None:
            endpoint.first = self._limiter if strategies.limit_per_second else None
        elif not strategies.least_per_second:
            endpoint.first = None
        elif before is None or before[2:] != strategies[2:]:
            endpoint.first = Limiter(strategies.least_per_second)
