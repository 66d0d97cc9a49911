"""Services agree on which traces they keep, and counts can be scaled back: 100,000 traces through four of them."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from autotrace.plan.plan import SamplerSettings
from autotrace.propagate.formats import extract, inject
from autotrace.sample.sampler import Sampler
from autotrace.span.remote import RemoteParent
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

COUNT = 10**5
FEW = 10**4
RATES = (1.0, 0.5, 0.1, 0.1)
W3C = ("tracecontext",)


class Kept(NamedTuple):
    """The traces that one service keeps, and how many each stands for, as its `tracestate` says."""

    traces: set[int]
    counts: list[float]

    @property
    def scaled(self) -> float:
        return sum(self.counts)


class Service:
    """One process: what comes in at one end goes out at the other."""

    def __init__(self, rate: float, inbound: str) -> None:
        sampler = Sampler(SamplerSettings(type="probabilistic", rate=rate, inbound=inbound))
        self._tracer = Tracer(sampler.decide, sampler.ended, lambda root, spans: None, admits=sampler.admits)
        self._site = Site(self._tracer, "work")
        self.kept = Kept(set(), [])

    def begin(self, trace_id: int) -> dict[str, str]:
        """Headers of a trace that begins here."""
        return self._pass(RemoteParent(trace_id, 1, None))

    def pass_on(self, headers: Mapping[str, str]) -> dict[str, str]:
        return self._pass(extract(headers.get, W3C).parent)

    def _pass(self, remote: RemoteParent | None) -> dict[str, str]:
        span = self._tracer.start_remote(self._site, Span, remote)
        headers = inject(span, W3C)
        span.close()
        if span.root.verdict:
            self.kept.traces.add(span.root.trace_id)
            self.kept.counts.append(stands_for(span.root.trace_state))
        return headers


def stands_for(trace_state: str) -> float:
    """The adjusted count (OpenTelemetry, "TraceState: Probability Sampling"): one divided by the probability, else one."""
    own = next((member for member in trace_state.split(",") if member.startswith("ot=")), "ot=th:0")
    rejected = next(key for key in own.removeprefix("ot=").split(";") if key.startswith("th:"))
    return 1 / (1 - int(rejected.removeprefix("th:").ljust(14, "0"), 16) / 2**56)


def through(services: Sequence[Service], count: int = COUNT) -> list[Kept]:
    numbers = random.Random(7)
    first, *others = services
    for _ in range(count):
        headers = first.begin(numbers.getrandbits(128))
        for service in others:
            headers = service.pass_on(headers)
    return [service.kept for service in services]


def three_sigma(rate: float, count: int = COUNT) -> float:
    return 3 * math.sqrt(count * rate * (1 - rate))


def test_four_services_that_decide_by_themselves_agree() -> None:
    found = through([Service(rate, "own") for rate in RATES])
    for kept, rate in zip(found, RATES, strict=True):
        assert abs(len(kept.traces) - COUNT * rate) <= three_sigma(rate)
        assert abs(kept.scaled - COUNT) <= three_sigma(rate) / rate
    all_, half, tenth, other_tenth = (kept.traces for kept in found)
    assert all_ > half > tenth == other_tenth


def test_order_does_not_matter_to_services_that_decide_by_themselves() -> None:
    low, high = through([Service(0.1, "own"), Service(0.5, "own")], FEW)
    assert low.traces < high.traces


def test_four_services_that_trust_their_callers_keep_what_the_first_keeps() -> None:
    rate = 0.1
    services = [Service(rate, "trust"), *(Service(other, "trust") for other in (1.0, 0.5, 0.01))]
    first, *others = through(services)
    for kept in others:
        assert kept.traces == first.traces
        # What a trace stands for is said by whoever decided.
        assert kept.scaled == first.scaled
    assert abs(first.scaled - COUNT) <= three_sigma(rate) / rate


def test_a_service_that_trusts_keeps_what_the_last_that_decided_keeps() -> None:
    first, second, third = through([Service(1.0, "own"), Service(0.1, "own"), Service(1.0, "trust")], FEW)
    assert first.traces > second.traces == third.traces
    assert second.scaled == third.scaled


def test_the_randomness_that_a_caller_sends_decides_in_place_of_its_trace_ids() -> None:
    half, tenth = Service(0.5, "own"), Service(0.1, "own")
    numbers = random.Random(11)
    sent = [numbers.getrandbits(56) for _ in range(FEW)]
    for number, value in enumerate(sent, 1):
        # Ids without any randomness: by them nothing would be kept.
        headers = {"traceparent": f"00-{number << 64:032x}-{1:016x}-00", "tracestate": f"ot=rv:{value:014x},vendor=1"}
        passed = tenth.pass_on(half.pass_on(headers))
        assert f"rv:{value:014x}" in passed["tracestate"]
        assert passed["tracestate"].endswith(",vendor=1")
    for service, rate in ((half, 0.5), (tenth, 0.1)):
        assert service.kept.traces == {
            number << 64 for number, value in enumerate(sent, 1) if value >= (1 - rate) * 2**56
        }
        assert abs(service.kept.scaled - FEW) <= three_sigma(rate, FEW) / rate


def test_what_nobody_keeps_says_nothing_of_what_it_stands_for() -> None:
    service = Service(0.0, "own")
    headers = service.pass_on({"traceparent": f"00-{'a' * 32}-{1:016x}-01", "tracestate": "ot=th:8,vendor=1"})
    assert (headers["traceparent"][-2:], headers["tracestate"]) == ("00", "vendor=1")
