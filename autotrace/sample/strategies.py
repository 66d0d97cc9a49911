"""What a server of Jaeger's remote sampling answers: takes the JSON of a `SamplingStrategyResponse`, gives `Strategies`.

The protocol is `proto/api_v2/sampling.proto` of jaegertracing/jaeger-idl in protobuf's JSON: what is missing is zero, what
is unknown is passed over. As its comments ask of clients, `strategyType` is ignored and the first strategy that is there
holds, `operationSampling` before the others; as in Jaeger's own clients its upper bound has no effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from autotrace.errors import StrategyError

_MOST_PER_SECOND = 1_000_000_000
_LEAST_PER_SECOND = 1e-9
_SHOWN = 60


class Strategies(NamedTuple):
    """Rates from 0 to 1 and traces per second, for one process.

    `rates` is by the name of an endpoint, `rate` that of every other one. Of each endpoint `least_per_second` traces are
    sampled whatever its rate. Where `limit_per_second` is not None there are no rates, only so many traces a second of all
    endpoints together.
    """

    rate: float
    rates: Mapping[str, float] = MappingProxyType({})
    least_per_second: float = 0.0
    limit_per_second: float | None = None


def read_strategies(answer: bytes) -> Strategies:
    """The strategies in the body of an answer. Raises StrategyError where it is not one, or not all of it."""
    from json import loads  # with the first answer, on the export thread

    try:
        found = loads(answer)
    except (ValueError, RecursionError) as error:
        raise StrategyError(f"the answer is not JSON ({str(error)[:_SHOWN]})") from error
    response = _Table("the answer", found)
    operations = response.table("operationSampling")
    if operations is not None:
        return _by_operation(operations)
    probabilistic = response.table("probabilisticSampling")
    if probabilistic is not None:
        return Strategies(probabilistic.rate("samplingRate"))
    limiting = response.table("rateLimitingSampling")
    if limiting is not None:
        return Strategies(0.0, limit_per_second=limiting.per_second("maxTracesPerSecond"))
    raise StrategyError(f"the answer has no sampling strategy: {_shown(found)}")


def _by_operation(operations: _Table) -> Strategies:
    rates: dict[str, float] = {}
    for place, found in enumerate(operations.rows("perOperationStrategies")):
        strategy = _Table(f"perOperationStrategies[{place}]", found)
        probabilistic = strategy.table("probabilisticSampling")
        if probabilistic is None:
            raise StrategyError(f"{strategy.name} has no probabilisticSampling")
        rates[strategy.text("operation")] = probabilistic.rate("samplingRate")
    return Strategies(
        operations.rate("defaultSamplingProbability"),
        MappingProxyType(rates),
        operations.per_second("defaultLowerBoundTracesPerSecond"),
    )


class _Table:
    """A JSON object; `name` is how messages call it."""

    def __init__(self, name: str, found: Any) -> None:
        if not isinstance(found, dict):
            raise StrategyError(f"{name} is {_shown(found)}, not an object")
        self.name = name
        self._found: dict[str, Any] = found

    def table(self, key: str) -> _Table | None:
        found = self._found.get(key)
        return None if found is None else _Table(key, found)

    def rows(self, key: str) -> list[Any]:
        found = self._found.get(key)
        if found is None:
            return []
        if not isinstance(found, list):
            raise StrategyError(f"{key} is {_shown(found)}, not an array")
        return found

    def text(self, key: str) -> str:
        found = self._found.get(key)
        if not isinstance(found, str):
            raise StrategyError(f"{key} of {self.name} is {_shown(found)}, not text")
        return found

    def rate(self, key: str) -> float:
        number = self._number(key)
        if not 0 <= number <= 1:
            raise StrategyError(f"{key} is {_shown(number)}, not a number from 0 to 1")
        return float(number)

    def per_second(self, key: str) -> float:
        number = self._number(key)
        if not 0 <= number < float("inf"):
            raise StrategyError(f"{key} is {_shown(number)}, not a number of traces")
        return 0.0 if number < _LEAST_PER_SECOND else float(min(number, _MOST_PER_SECOND))

    def _number(self, key: str) -> int | float:
        found = self._found.get(key, 0)
        # True is 1 in Python, but not in JSON.
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise StrategyError(f"{key} is {_shown(found)}, not a number")
        return found


def _shown(found: object) -> str:
    text = repr(found)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
