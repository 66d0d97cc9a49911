"""What a sampler has decided so far, as plain data: for the end report, and for why a store is empty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from autotrace.sample.endpoint_sampler import EndpointSampler
from autotrace.sample.rule import Rule
from autotrace.span.endpoint_counts import EndpointCounts, add_up

OTHERS = "(others)"
"""The name under which endpoints are counted that are too many to tell one by one."""

_CALLER = "the caller's decision (traceparent)"
_MOST_STORED = 200
_MOST_UNUSED = 100


class RuleCount(NamedTuple):
    """How many local roots one rule was asked about, and how many of those it dropped; a caller's has no rate."""

    rule: str
    rate: float | None
    seen: int
    dropped: int


class UnusedRule(NamedTuple):
    """A rule that no endpoint met: where it stands, what it names, and its text."""

    origin: str
    endpoint: str
    text: str


class Counts(NamedTuple):
    """Local roots seen, and kept by reason; threads that end roots in the same instant may be counted once.

    `sampled` were kept by the head decision, `late` in spite of it. `rate` (0 to 1; None: the caller in another process
    decided) and `rule` say what dropped most of them, else the default. `unused` are the rules that no endpoint met.
    """

    seen: int
    sampled: int
    late: int
    rate: float | None
    rule: str
    rules: tuple[RuleCount, ...] = ()
    endpoints: tuple[EndpointCounts, ...] = ()
    unused: tuple[UnusedRule, ...] = ()

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
    # By identity: a hash of a rule is one of all that it holds.
    met: dict[int, list[tuple[EndpointSampler, EndpointCounts]]] = {}
    for one in counted:
        met.setdefault(id(one[0].rule), []).append(one)
    by_rule = [_rule(rule, met.get(id(rule), ())) for rule in (*rules, default)]
    refused = sum(endpoint.refused for endpoint in endpoints)
    every = [*by_rule, RuleCount(_CALLER, None, refused, refused)]
    telling = max(every, key=lambda rule: rule.dropped)
    if not telling.dropped:
        telling = by_rule[-1]
    seen = sum(counts.seen for _, counts in counted)
    sampled = sum(counts.sampled for _, counts in counted)
    return Counts(
        seen=seen,
        sampled=sampled,
        late=sum(counts.kept for _, counts in counted) - sampled,
        rate=telling.rate,
        rule=telling.rule,
        rules=tuple(rule for rule in every if rule.seen),
        endpoints=most_seen(counts for _, counts in counted if counts.seen),
        unused=tuple(UnusedRule(rule.origin, rule.endpoint, rule.text) for rule in rules if id(rule) not in met),
    )


def most_seen(counts: Iterable[EndpointCounts]) -> tuple[EndpointCounts, ...]:
    """The counts, those of what was seen most first."""
    return tuple(sorted(counts, key=lambda one: -one.seen))


def storable(counts: Counts) -> tuple[EndpointCounts, ...]:
    """The endpoints that a store is told of: the most seen, the others as one, and what unused rules name, seen 0 times."""
    endpoints = most_seen(counts.endpoints)
    told, others = endpoints[:_MOST_STORED], endpoints[_MOST_STORED:]
    if others:
        told = (*told, add_up(OTHERS, "", others))
    return (*told, *(EndpointCounts(rule.endpoint, rule.text) for rule in counts.unused[:_MOST_UNUSED]))


def _rule(rule: Rule, own: Sequence[tuple[EndpointSampler, EndpointCounts]]) -> RuleCount:
    refused = sum(endpoint.refused for endpoint, _ in own)
    seen = sum(counts.seen for _, counts in own) - refused
    dropped = sum(counts.dropped for _, counts in own) - refused
    rate = rule.rate
    if rate is None and own:
        # What is found from second to second: that of the endpoint that was seen most.
        rate = max(own, key=lambda one: one[1].seen)[0].rate
    return RuleCount(rule.text, rate if rule.records else 0.0, seen, dropped)
