"""What a sampler has decided so far, as plain data: for the end report, and for why a store is empty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from autotrace.sample.endpoint_sampler import EndpointSampler
from autotrace.sample.rule import Rule
from autotrace.span.endpoint_counts import EndpointCounts

_CALLER = "the caller's decision (traceparent)"


class RuleCount(NamedTuple):
    """How many local roots one rule was asked about, and how many of those it dropped; a caller's has no rate."""

    rule: str
    rate: float | None
    seen: int
    dropped: int


class Counts(NamedTuple):
    """Local roots seen, and kept by reason; threads that end roots in the same instant may be counted once.

    `sampled` were kept by the head decision, `late` in spite of it. `rate` (0 to 1; None: the caller in another process
    decided) and `rule` say what dropped most of them, else the default. `unused` are the rules that no endpoint met: where
    each stands, and what it names.
    """

    seen: int
    sampled: int
    late: int
    rate: float | None
    rule: str
    rules: tuple[RuleCount, ...] = ()
    endpoints: tuple[EndpointCounts, ...] = ()
    unused: tuple[tuple[str, str], ...] = ()

    @property
    def kept(self) -> int:
        """How many were kept, for whatever reason."""
        return self.sampled + self.late

    @property
    def dropped(self) -> int:
        """How many were not kept."""
        return self.seen - self.kept


def count(endpoints: Sequence[EndpointSampler], rules: Sequence[Rule], default: Rule) -> Counts:
    """The counters of `endpoints`, added up by their rules."""
    counted = [(endpoint, endpoint.counts()) for endpoint in endpoints]
    by_rule = [_rule(rule, counted) for rule in (*rules, default)]
    refused = sum(endpoint.refused for endpoint in endpoints)
    every = [*by_rule, RuleCount(_CALLER, None, refused, refused)]
    telling = max(every, key=lambda rule: rule.dropped)
    if not telling.dropped:
        telling = by_rule[-1]
    seen = sum(counts.seen for _, counts in counted)
    sampled = sum(counts.sampled for _, counts in counted)
    met = {endpoint.rule for endpoint in endpoints}
    return Counts(
        seen=seen,
        sampled=sampled,
        late=sum(counts.kept for _, counts in counted) - sampled,
        rate=telling.rate,
        rule=telling.rule,
        rules=tuple(rule for rule in every if rule.seen),
        endpoints=tuple(sorted((counts for _, counts in counted if counts.seen), key=lambda counts: -counts.seen)),
        unused=tuple((rule.origin, rule.endpoint) for rule in rules if rule not in met),
    )


def _rule(rule: Rule, counted: Sequence[tuple[EndpointSampler, EndpointCounts]]) -> RuleCount:
    own = [(endpoint, counts) for endpoint, counts in counted if endpoint.rule is rule]
    refused = sum(endpoint.refused for endpoint, _ in own)
    seen = sum(counts.seen for _, counts in own) - refused
    dropped = sum(counts.dropped for _, counts in own) - refused
    rate = rule.rate
    if rate is None and own:
        # What is found from second to second: that of the endpoint that was seen most.
        rate = max(own, key=lambda one: one[1].seen)[0].rate
    return RuleCount(rule.text, rate if rule.records else 0.0, seen, dropped)
