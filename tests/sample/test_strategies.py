"""What a sampling server answers is read as Jaeger's protocol says, or refused; and what it says holds for each endpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from autotrace.errors import StrategyError
from autotrace.plan.plan import EndpointRule, SamplerSettings
from autotrace.plan.target import Origin
from autotrace.sample.remote import Remote
from autotrace.sample.sampler import Sampler
from autotrace.sample.strategies import Strategies, read_strategies
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer

HERE = Origin("tracing.toml", 9, 1)
# As Jaeger's collector writes it (jaegertracing/jaeger, internal/uimodel/converter/v1/json/sampling.go).
BY_OPERATION = {
    "strategyType": "PROBABILISTIC",
    "operationSampling": {
        "defaultSamplingProbability": 0.5,
        "defaultLowerBoundTracesPerSecond": 2,
        "perOperationStrategies": [
            {"operation": "GET /orders", "probabilisticSampling": {"samplingRate": 0.25}},
            {"operation": "GET /health", "probabilisticSampling": {"samplingRate": 0}},
        ],
        "defaultUpperBoundTracesPerSecond": 11.2,
    },
}


def encoded(answer: Any) -> bytes:
    return json.dumps(answer).encode()


def probabilistic(rate: Any) -> Any:
    return {"strategyType": "PROBABILISTIC", "probabilisticSampling": {"samplingRate": rate}}


def limiting(per_second: Any) -> Any:
    return {"strategyType": "RATE_LIMITING", "rateLimitingSampling": {"maxTracesPerSecond": per_second}}


def by_operation(**changes: Any) -> Any:
    return {"operationSampling": {**BY_OPERATION["operationSampling"], **changes}}  # type: ignore[dict-item] # a dict


@pytest.mark.parametrize(
    ("answer", "strategies"),
    [
        (probabilistic(0.25), Strategies(0.25)),
        (probabilistic(1), Strategies(1.0)),
        (limiting(42), Strategies(0.0, limit_per_second=42.0)),
        ({"strategyType": 0, "probabilisticSampling": {"samplingRate": 0.25}}, Strategies(0.25)),
        ({"strategyType": 1, "rateLimitingSampling": {"maxTracesPerSecond": 3}}, Strategies(0.0, limit_per_second=3.0)),
        ({"strategyType": "NEW", "probabilisticSampling": {"samplingRate": 0.25}, "more": []}, Strategies(0.25)),
        ({"probabilisticSampling": None, **limiting(1), "operationSampling": None}, Strategies(0, {}, 0, 1.0)),
        (BY_OPERATION, Strategies(0.5, {"GET /orders": 0.25, "GET /health": 0.0}, 2.0)),
        ({**probabilistic(0.9), **BY_OPERATION}, Strategies(0.5, {"GET /orders": 0.25, "GET /health": 0.0}, 2.0)),
        (by_operation(perOperationStrategies=[]), Strategies(0.5, {}, 2.0)),
        (by_operation(perOperationStrategies=None), Strategies(0.5, {}, 2.0)),
    ],
)
def test_an_answer_is_read(answer: Any, strategies: Strategies) -> None:
    assert read_strategies(encoded(answer)) == strategies


@pytest.mark.parametrize(
    ("answer", "strategies"),
    [
        ({"probabilisticSampling": {}}, Strategies(0.0)),
        ({"rateLimitingSampling": {}}, Strategies(0.0, limit_per_second=0.0)),
        ({"operationSampling": {"defaultSamplingProbability": 0.1}}, Strategies(0.1)),
        (
            by_operation(perOperationStrategies=[{"operation": "a", "probabilisticSampling": {}}]),
            Strategies(0.5, {"a": 0.0}, 2.0),
        ),
    ],
)
def test_a_number_that_protobuf_leaves_out_is_zero(answer: Any, strategies: Strategies) -> None:
    assert read_strategies(encoded(answer)) == strategies


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"probabilisticSampling": {"samplingRate": 0.5}', "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"9" * 60_000, "not JSON"),
        (b"null", "the answer is None, not an object"),
        (b"[]", "the answer is [], not an object"),
        (b"{}", "the answer has no sampling strategy: {}"),
        (b'{"strategyType": "PROBABILISTIC"}', "the answer has no sampling strategy"),
        (encoded({"probabilisticSampling": 0.5}), "probabilisticSampling is 0.5, not an object"),
        (encoded(probabilistic(1.5)), "samplingRate is 1.5, not a number from 0 to 1"),
        (encoded(probabilistic(-0.1)), "samplingRate is -0.1, not a number from 0 to 1"),
        (encoded(probabilistic(True)), "samplingRate is True, not a number"),
        (encoded(probabilistic("0.5")), "samplingRate is '0.5', not a number"),
        (encoded(probabilistic(float("nan"))), "samplingRate is nan, not a number from 0 to 1"),
        (encoded(limiting(-1)), "maxTracesPerSecond is -1, not a number of traces"),
        (encoded(limiting(float("inf"))), "maxTracesPerSecond is inf, not a number of traces"),
        (encoded(by_operation(defaultLowerBoundTracesPerSecond=-1)), "defaultLowerBoundTracesPerSecond is -1"),
        (encoded(by_operation(perOperationStrategies={})), "perOperationStrategies is {}, not an array"),
        (encoded(by_operation(perOperationStrategies=[1])), "perOperationStrategies[0] is 1, not an object"),
        (encoded(by_operation(perOperationStrategies=[{"operation": "a"}])), "[0] has no probabilisticSampling"),
        (
            encoded(by_operation(perOperationStrategies=[{"probabilisticSampling": {}}])),
            "operation of perOperationStrategies[0] is None, not text",
        ),
    ],
)
def test_what_is_no_strategy_is_refused_with_the_reason(answer: bytes, reason: str) -> None:
    with pytest.raises(StrategyError) as refused:
        read_strategies(answer)
    assert reason in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("number", [10**9 + 1, 2**31 - 1, 10**300, 1e-300, 1e-10])
def test_a_number_of_traces_that_no_clock_can_count_is_all_or_none(number: float) -> None:
    found = read_strategies(encoded(limiting(number))).limit_per_second
    assert found == (10**9 if number > 1 else 0)


class Process:
    """A sampler of rates that a server gives, at a clock that stands still, and what it has decided."""

    def __init__(self, *endpoints: EndpointRule, rate: float = 0.0) -> None:
        self.now = 10**18
        self.sampler = Sampler(
            SamplerSettings(type="jaeger_remote", rate=rate, endpoints=endpoints, keep_errors=False), lambda: self.now
        )
        assert self.sampler.remote is not None
        self.remote: Remote = self.sampler.remote
        self.tracer = Tracer(self.sampler.decide, self.sampler.ended, self._deliver)

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        pass

    def sampled(self, name: str, count: int = 100) -> int:
        """How many of `count` local roots are sampled."""
        return sum(self._run(name).sampled for _ in range(count))

    def _run(self, name: str) -> LocalRoot:
        span = self.tracer.start_remote(Site(self.tracer, name), Span, None)
        span.close(None)
        return span.root

    def receive(self, answer: Any) -> None:
        self.remote.receive(encoded(answer))


def test_the_configured_rate_holds_until_the_first_answer() -> None:
    assert Process(rate=1.0).sampled("work") == 100
    assert Process(rate=0.0).sampled("work") == 0
    assert 300 < Process(rate=0.5).sampled("work", 1000) < 700


def test_an_answer_holds_for_endpoints_that_are_known_and_for_new_ones() -> None:
    process = Process()
    assert process.sampled("known") == 0
    process.receive(probabilistic(1))
    assert (process.sampled("known"), process.sampled("new")) == (100, 100)
    process.receive(probabilistic(0))
    assert (process.sampled("known"), process.sampled("new"), process.sampled("newer")) == (0, 0, 0)


def test_each_endpoint_has_the_rate_of_its_operation_and_the_others_the_default() -> None:
    process = Process()
    operations = [{"operation": "GET /a", "probabilisticSampling": {"samplingRate": 1}}]
    process.receive({"operationSampling": {"defaultSamplingProbability": 0, "perOperationStrategies": operations}})
    assert (process.sampled("GET /a"), process.sampled("GET /b")) == (100, 0)
    assert {one.name: one.rate for one in process.sampler._endpoints.values()} == {"GET /a": 1.0, "GET /b": 0.0}


def test_of_each_endpoint_the_lower_bound_is_sampled_whatever_the_rate() -> None:
    process = Process()
    assert process.sampled("known") == 0
    least = {"operationSampling": {"defaultSamplingProbability": 0, "defaultLowerBoundTracesPerSecond": 3}}
    process.receive(least)
    for _ in range(3):
        assert (process.sampled("known"), process.sampled("new")) == (3, 3)
        process.now += 10**9
        process.receive(least)
    process.receive(probabilistic(0))
    assert process.sampled("known") == 0


def test_the_limit_of_an_answer_is_that_of_all_endpoints_together() -> None:
    process = Process()
    process.receive(limiting(4))
    assert process.sampled("a") + process.sampled("b") + process.sampled("c") == 4
    process.receive(limiting(4))
    assert process.sampled("a") == 0
    process.now += 10**9
    assert process.sampled("b") + process.sampled("a") == 4
    process.receive(limiting(0))
    process.now += 10**9
    assert process.sampled("a") == 0


def test_a_rule_of_the_file_with_a_rate_comes_before_the_answer() -> None:
    process = Process(
        EndpointRule("always", 1.0, None, HERE),
        EndpointRule("some", None, None, HERE, per_second=2.0),
        EndpointRule("slow", None, 10**9, HERE),
    )
    process.receive(probabilistic(0))
    assert (process.sampled("always"), process.sampled("some"), process.sampled("slow")) == (100, 2, 0)
    process.receive(probabilistic(1))
    process.now += 10**9
    assert (process.sampled("always"), process.sampled("some"), process.sampled("slow")) == (100, 2, 100)


def test_what_is_refused_leaves_the_last_good_answer() -> None:
    process = Process()
    process.receive(probabilistic(1))
    for bad in (probabilistic(2), {}, limiting(-1), by_operation(perOperationStrategies=[{}])):
        with pytest.raises(StrategyError):
            process.receive(bad)
    assert (process.sampled("known"), process.sampled("new")) == (100, 100)


def test_a_decision_sees_to_it_that_somebody_asks() -> None:
    process = Process(EndpointRule("own", 1.0, None, HERE))
    asked: list[int] = []
    process.remote.awake = lambda: asked.append(1)
    process.sampled("own")
    assert not asked
    process.sampled("work", 1)
    assert asked
