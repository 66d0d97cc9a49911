"""One reason to sample or not: takes an `EndpointRule` or the settings of the sampler, gives what holds for an endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from autotrace.plan.plan import EndpointRule, SamplerSettings
from autotrace.sample.endpoint import compile_endpoint


class Rule(NamedTuple):
    """What the file says of the endpoints that `matches`, and where; `endpoint` is "" for what holds where no rule does.

    `rate` is None where the sampler's type finds one, `per_second` 0 where no number of traces comes first. What takes
    longer than `slower_than` nanoseconds (0: never), or than the share `slower_than_quantile` of its endpoint, is kept.
    """

    text: str
    origin: str
    endpoint: str
    matches: Callable[[str], object]
    rate: float | None
    per_second: float
    inbound: str
    records: bool
    errors: bool
    slower_than: int
    slower_than_quantile: float | None


_CHOSEN_LATER = ("adaptive", "jaeger_remote")


def default_rule(settings: SamplerSettings) -> Rule:
    """What holds where no `[[sampler.endpoints]]` does."""
    rate = {"always_on": 1.0, "always_off": 0.0, "rate_limiting": 0.0}.get(settings.type, settings.rate)
    said = {
        "probabilistic": f"rate = {rate:g}",
        "rate_limiting": f"per_second = {settings.per_second:g}",
        "adaptive": f"target_per_second = {settings.target_per_second:g}",
    }
    return Rule(
        text=f"[sampler] {said.get(settings.type) or _type(settings)}",
        origin="",
        endpoint="",
        matches=lambda endpoint: True,
        rate=None if settings.type in _CHOSEN_LATER else rate,
        per_second=settings.per_second if settings.type == "rate_limiting" else 0.0,
        inbound=settings.inbound,
        records=True,
        errors=settings.keep_errors,
        slower_than=settings.keep_slower_than_ns or 0,
        slower_than_quantile=settings.keep_slower_than_quantile,
    )


def endpoint_rule(entry: EndpointRule, default: Rule) -> Rule:
    """An entry of `[[sampler.endpoints]]`; what it leaves out is the default's."""
    chooses = entry.rate is not None or entry.per_second is not None
    rate = (entry.rate or 0.0) if chooses else default.rate
    own_threshold = entry.slower_than_ns is not None or entry.slower_than_quantile is not None
    threshold = entry if own_threshold else default
    return Rule(
        text=f'[[sampler.endpoints]] endpoint = "{entry.endpoint}", {_said(entry)} ({entry.origin})',
        origin=str(entry.origin),
        endpoint=entry.endpoint,
        matches=compile_endpoint(entry.endpoint),
        rate=rate,
        per_second=(entry.per_second or 0.0) if chooses else default.per_second,
        inbound=entry.inbound or default.inbound,
        records=entry.record,
        errors=default.errors if entry.errors is None else entry.errors,
        slower_than=(entry.slower_than_ns or 0) if own_threshold else default.slower_than,
        slower_than_quantile=threshold.slower_than_quantile,
    )


def _type(settings: SamplerSettings) -> str:
    return f'type = "{settings.type}"'


def _said(entry: EndpointRule) -> str:
    if not entry.record:
        return "record = false"
    numbers = (("per_second", entry.per_second), ("rate", entry.rate))
    said = [f"{name} = {number:g}" for name, number in numbers if number is not None]
    return ", ".join(said) or "rate by the sampler"
