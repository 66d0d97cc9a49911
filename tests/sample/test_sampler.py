"""Which local roots are kept, and what is counted of it."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest

from autotrace.plan.plan import EndpointRule, SamplerSettings
from autotrace.plan.target import Origin
from autotrace.sample.sampler import Sampler
from autotrace.span.remote import RemoteParent
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer

HERE = Origin("tracing.toml", 9, 1)
OFF = SamplerSettings(type="always_off")


class Process:
    """A tracer with a real sampler that collects the names of what was delivered."""

    def __init__(self, settings: SamplerSettings) -> None:
        self.sampler = Sampler(settings)
        self.delivered: list[str] = []
        self.tracer = Tracer(self.sampler.decide, self.sampler.ended, self._deliver)

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        self.delivered += [span.name for span in spans]

    def start(self, name: str = "work", kind: str = "internal", remote: RemoteParent | None = None) -> Span:
        return self.tracer.start_remote(Site(self.tracer, name, kind), Span, remote)

    def run(
        self, name: str = "work", error: BaseException | None = None, remote: RemoteParent | None = None
    ) -> LocalRoot:
        span = self.start(name, remote=remote)
        span.close(error)
        return span.root


def probabilistic(rate: float, *endpoints: EndpointRule) -> SamplerSettings:
    return SamplerSettings(type="probabilistic", rate=rate, endpoints=endpoints)


def rule(endpoint: str, rate: float | None = None, slower_than_ns: int | None = None) -> EndpointRule:
    return EndpointRule(endpoint, rate, slower_than_ns, HERE)


@pytest.mark.parametrize(
    ("settings", "remote", "kept"),
    [
        (SamplerSettings(), None, True),
        (OFF, None, False),
        (probabilistic(1.0), None, True),
        (probabilistic(0.0), None, False),
        (OFF, True, True),
        (SamplerSettings(), False, False),
        (probabilistic(0.0, rule("work", 1.0)), None, True),
        (probabilistic(1.0, rule("work", 0.0)), None, False),
        (probabilistic(1.0, rule("work", 0.0)), True, True),
        (probabilistic(1.0, rule("other", 0.0)), None, True),
        (probabilistic(1.0, rule("w*", 1.0), rule("work", 0.0)), None, True),
        (OFF, "unknown", False),
        (SamplerSettings(), "unknown", True),
    ],
)
def test_the_head_decision_follows_caller_then_rule_then_default(
    settings: SamplerSettings, remote: bool | str | None, kept: bool
) -> None:
    process = Process(settings)
    parent = None if remote is None else RemoteParent(7, 8, None if remote == "unknown" else bool(remote))
    root = process.run(remote=parent)
    assert (root.sampled, bool(process.delivered)) == (kept, kept)


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.9])
def test_a_rate_keeps_its_share_of_random_ids(rate: float) -> None:
    sampler = Sampler(probabilistic(rate))
    tracer = Tracer(sampler.decide, sampler.ended, lambda root, spans: None)
    numbers, count = random.Random(20), 10**5
    root = tracer.start(Site(tracer, "work"), Span, None).root
    kept = 0
    for _ in range(count):
        root.trace_number = numbers.getrandbits(128)
        kept += sampler.decide(root)
    assert abs(kept - count * rate) <= 3 * math.sqrt(count * rate * (1 - rate))


def test_the_decision_is_that_of_the_low_56_bits() -> None:
    process = Process(probabilistic(0.25))
    threshold = 3 * 2**54
    for low, kept in ((threshold, True), (threshold - 1, False), (1, False), (2**56 - 1, True)):
        for high in (0, 2**72 - 1):
            assert process.run(remote=RemoteParent((high << 56) | low, 1)).sampled is kept


def test_a_higher_rate_keeps_all_that_a_lower_one_keeps() -> None:
    low, high = Process(probabilistic(0.1)), Process(probabilistic(0.4))
    numbers = random.Random(4)
    for _ in range(2000):
        parent = RemoteParent(numbers.getrandbits(128), 1)
        assert high.run(remote=parent).sampled or not low.run(remote=parent).sampled


@pytest.mark.parametrize("settings", [SamplerSettings(), OFF, probabilistic(1.0), probabilistic(0.0)])
def test_all_or_nothing_makes_no_trace_id(settings: SamplerSettings) -> None:
    assert Process(settings).run().trace_number == 0


def test_an_error_is_kept_at_rate_zero() -> None:
    process = Process(probabilistic(0.5, rule("*", 0.0)))
    process.run("quiet")
    process.run("broken", ValueError("no"))
    assert process.delivered == ["broken"]


def test_an_error_is_not_kept_when_errors_are_not() -> None:
    process = Process(OFF._replace(keep_errors=False))
    process.run("broken", ValueError("no"))
    assert process.delivered == []


def test_a_root_that_asks_for_it_is_kept() -> None:
    process = Process(OFF)
    span = process.start()
    span.root.keep = True
    span.close()
    assert process.delivered == ["work"]


@pytest.mark.parametrize(
    ("overall", "own", "duration", "kept"),
    [
        (None, None, 10**12, False),
        (1000, None, 1001, True),
        (1000, None, 1000, False),
        (1000, 5000, 2000, False),
        (5000, 1000, 2000, True),
        (None, 1000, 2000, True),
    ],
)
def test_a_slow_root_is_kept(overall: int | None, own: int | None, duration: int, kept: bool) -> None:
    sampler = Sampler(OFF._replace(keep_slower_than_ns=overall, endpoints=(rule("work", None, own),)))
    tracer = Tracer(sampler.decide, sampler.ended, lambda root, spans: None)
    span = tracer.start(Site(tracer, "work"), Span, None)
    span.end = span.start + duration
    assert sampler.ended(span.root) is kept


def test_a_rule_for_a_route_holds_before_the_route_is_known() -> None:
    process = Process(probabilistic(0.0, rule("POST /orders/{id}", 1.0)))
    span = process.start("POST", "server")
    span.details().attributes["url.path"] = "/orders/17"
    assert span.root.sampled


def test_a_route_that_is_known_late_is_an_endpoint_of_its_own() -> None:
    process = Process(probabilistic(0.0))
    for path, route in (("/busy", "/busy"), ("/rare", "/rare"), ("/orders/1", "/orders/{id}"), ("/x", None)):
        span = process.start("GET", "server")
        span.details().attributes["url.path"] = path
        assert not span.root.sampled  # a head decision before the route is known
        if route is not None:
            span.details().name = f"GET {route}"
            span.details().attributes["http.route"] = route
        span.close()
    found = {one.endpoint for one in process.sampler.counts().endpoints}
    assert found == {"GET /busy", "GET /rare", "GET /orders/{id}", "GET"}


def test_the_counts_say_what_was_kept_and_what_dropped_the_rest() -> None:
    process = Process(probabilistic(1.0, rule("GET /health*", 0.0)))
    process.run()
    for _ in range(3):
        process.run("GET /health")
    process.run("GET /health", KeyError("x"))
    counts = process.sampler.counts()
    assert (counts.seen, counts.kept, counts.sampled, counts.late, counts.dropped) == (5, 2, 1, 1, 3)
    assert [(one.endpoint, one.seen, one.sampled, one.errors) for one in counts.endpoints] == [
        ("GET /health", 4, 0, 1),
        ("work", 1, 1, 0),
    ]
    assert counts.rate == 0.0
    assert counts.rule == '[[sampler.endpoints]] endpoint = "GET /health*", rate = 0 (tracing.toml:9:1)'
    assert [(count.seen, count.dropped) for count in counts.rules] == [(4, 3), (1, 0)]


def test_a_rule_is_quoted_as_it_stands_in_the_file() -> None:
    process = Process(OFF._replace(endpoints=(rule("slow", None, 1000), rule("few", None)._replace(per_second=2.0))))
    process.run("slow")
    process.run("few")
    found = {one.endpoint: one.rule.partition(", ")[2] for one in process.sampler.counts().endpoints}
    assert found == {
        "slow": "rate by the sampler (tracing.toml:9:1)",
        "few": "per_second = 2 (tracing.toml:9:1)",
    }


def test_the_counts_name_the_caller_where_it_decided() -> None:
    process = Process(SamplerSettings())
    process.run(remote=RemoteParent(1, 2, False))
    counts = process.sampler.counts()
    assert (counts.rate, counts.rule) == (None, "the caller's decision (traceparent)")


def test_the_counts_name_the_default_while_nothing_is_dropped() -> None:
    assert Process(probabilistic(0.25)).sampler.counts().rule == "[sampler] rate = 0.25"
    assert Process(SamplerSettings()).sampler.counts().rule == '[sampler] type = "always_on"'


def test_endpoints_without_end_are_not_all_remembered() -> None:
    process = Process(probabilistic(0.0, rule("GET /x/*", 1.0)))
    for number in range(13_000):
        process.run(f"GET /x/{number}")
    assert len(process.delivered) == 13_000
    assert len(process.sampler._by_name) <= 12_000
    assert len(process.sampler._endpoints) <= 1001
