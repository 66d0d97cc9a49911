"""One reason to sample or not: takes an `EndpointRule` or the default, gives a rate, a threshold and its counters."""

from __future__ import annotations

from collections.abc import Callable

from autotrace.plan.plan import EndpointRule, SamplerSettings
from autotrace.sample.counts import RuleCount
from autotrace.sample.endpoint import compile_endpoint

_RANDOMNESS = 1 << 56


class Rule:
    """A rule and how often it was used; `rate` is None where a caller decides; `slower_than` nanoseconds, 0 for never.

    `records` says whether anything is recorded at all.
    """

    __slots__ = ("dropped", "matches", "rate", "records", "rejected_below", "seen", "slower_than", "text")

    def __init__(
        self,
        text: str,
        rate: float | None,
        slower_than: int,
        matches: Callable[[str], object],
        *,
        records: bool = True,
    ) -> None:
        self.text = text
        self.records = records
        self.rate = rate
        self.rejected_below = round((1.0 - (rate or 0.0)) * _RANDOMNESS)
        self.slower_than = slower_than
        self.matches = matches
        self.seen = 0
        self.dropped = 0

    def count(self) -> RuleCount:
        """The counters as they are now."""
        return RuleCount(self.text, self.rate, self.seen, self.dropped)


def samples(rule: Rule, trace_id: int) -> bool:
    """Whether a trace is sampled: its low 56 bits are at or above the rejection threshold of the rate.

    Every service that decides so keeps the same traces, and one with a higher rate keeps a superset (OpenTelemetry
    specification, "TraceState: Probability Sampling"; W3C Trace Context level 2, section 3.2.2.3.1).
    """
    return trace_id & (_RANDOMNESS - 1) >= rule.rejected_below


def default_rule(settings: SamplerSettings) -> Rule:
    """What holds where no `[[sampler.endpoints]]` does."""
    rate = {"always_on": 1.0, "always_off": 0.0}.get(settings.type, settings.rate)
    text = f"[sampler] rate = {rate:g}" if settings.type == "probabilistic" else f'[sampler] type = "{settings.type}"'
    return Rule(text, rate, settings.keep_slower_than_ns or 0, lambda endpoint: True)


def remote_rule(settings: SamplerSettings) -> Rule:
    """The decision of a caller in another process, which is followed."""
    return Rule("the caller's decision (traceparent)", None, settings.keep_slower_than_ns or 0, lambda endpoint: False)


def endpoint_rule(entry: EndpointRule, default: Rule) -> Rule:
    """An entry of `[[sampler.endpoints]]`; what it leaves out is the default's."""
    rate = default.rate if entry.rate is None else entry.rate
    slower_than = default.slower_than if entry.slower_than_ns is None else entry.slower_than_ns
    what = f"rate = {rate:g}" if entry.record else "record = false"
    text = f'[[sampler.endpoints]] endpoint = "{entry.endpoint}", {what} ({entry.origin})'
    return Rule(text, rate, slower_than, compile_endpoint(entry.endpoint), records=entry.record)
