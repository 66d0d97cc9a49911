"""Rates that follow the load: takes how often each endpoint comes, gives each a rate so that all keep what is wanted.

The adaptive sampling of Jaeger (https://www.jaegertracing.io/docs/latest/sampling/#adaptive-sampling): what was seen of an
endpoint in the last seconds says which rate keeps so many of them. Two things are ours. The target is that of the service,
and endpoints share it evenly: what a rare one leaves goes to the others. And the rates are found within seconds, at once
when the load leaps, by the threads that ask: there is nothing to start, to stop or to lose in a fork.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.endpoint_sampler import EndpointSampler
from autotrace.sample.limiter import Limiter
from autotrace.sample.probability import threshold

_SECOND = 1_000_000_000
_SMOOTHING_S = 2.0
_LEAP = 2.0
_FEW = 10

_NOISE = 0.25
"""The variance of a smoothed throughput, divided by it.

Were it not added, an endpoint that comes seldom would keep too many: a guess that is too low weighs more than one that is as
much too high.
"""


class Adaptive:
    """The rates of one process; `fraction` is its part of what the service may sample, from 0 to 1.

    `asked` counts the roots on which its endpoints decide.
    """

    def __init__(self, settings: SamplerSettings, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._clock = clock
        self._endpoints: list[EndpointSampler] = []
        self.fraction = 1.0
        self.reset()

    def reset(self) -> None:
        """Measure anew, as a fork's child does; the rates stay what they are until more is known."""
        self.asked = 0
        self._begin(self._clock())
        guess = max(self._settings.rate, self._settings.min_rate)
        self._expect(self._target / guess if guess else inf)
        for endpoint in self._endpoints:
            endpoint.throughput = 0.0

    def _begin(self, now: int) -> None:
        """Begin another second."""
        self._since, self._until, self._asked_before = now, now + _SECOND, self.asked

    @property
    def _target(self) -> float:
        return self._settings.target_per_second * self.fraction

    def share(self, fraction: float) -> None:
        """Take another part of the target, from the next second on."""
        self.fraction = fraction

    def join(self, endpoint: EndpointSampler) -> None:
        """Find the rate of one more endpoint from now on."""
        endpoint.rejected_below = threshold(self._settings.rate)
        endpoint.first = Limiter(self._settings.min_per_second)
        endpoint.rates = self
        self._endpoints.append(endpoint)

    def observe(self, endpoint: EndpointSampler, now: int) -> None:
        """Count one more root on which `endpoint` decides."""
        endpoint.window += 1
        self.asked += 1
        if now >= self._until:
            self._measure(now)
        elif self.asked > self._leap:
            self._hasten()

    def _expect(self, throughput: float) -> None:
        """Take more than twice as many in a second for a leap; chance makes no such difference."""
        self._leap = self._asked_before + _LEAP * throughput + _FEW

    def _measure(self, now: int) -> None:
        """Take what has come in the last second, or since the last root, into account."""
        elapsed, leapt = now - self._since, self.asked > self._leap
        if elapsed < _SECOND:
            return  # another thread was quicker
        self._begin(now)
        weight = 1.0 if leapt else 1.0 - exp(-elapsed / _SECOND / _SMOOTHING_S)
        endpoints = list(self._endpoints)
        for endpoint in endpoints:
            rate = endpoint.window * _SECOND / elapsed
            endpoint.window = 0
            endpoint.throughput += (rate - endpoint.throughput) * (weight if endpoint.throughput else 1.0)
        self._expect(sum(endpoint.throughput for endpoint in endpoints))
        self._divide(endpoints)

    def _hasten(self) -> None:
        """Do not wait for the end of a second that has brought so many: it brings as many at least."""
        endpoints = list(self._endpoints)
        for endpoint in endpoints:
            endpoint.throughput = max(endpoint.throughput, float(endpoint.window))
        self._expect(self.asked - self._asked_before)
        self._divide(endpoints)

    def _divide(self, endpoints: list[EndpointSampler]) -> None:
        """Give each endpoint an even part of the target; one that needs less leaves the rest to those that need more."""
        left = self._target
        settings = self._settings
        endpoints.sort(key=lambda endpoint: endpoint.throughput)
        for place, endpoint in enumerate(endpoints):
            part = left / (len(endpoints) - place)
            throughput = endpoint.throughput
            # These come first, whatever the rate.
            least = min(throughput, settings.min_per_second)
            rate = 1.0 if throughput <= part else max(part - least, 0.0) / (throughput + _NOISE - least)
            left = max(left - max(min(throughput, part), least), 0.0)
            endpoint.rejected_below = threshold(max(rate, settings.min_rate))
