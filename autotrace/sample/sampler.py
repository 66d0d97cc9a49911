"""Which traces leave the process: takes a local root, gives the head decision, and after its end the late one."""

from __future__ import annotations

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.counts import Counts
from autotrace.sample.endpoint import endpoint_of
from autotrace.sample.rule import Rule, default_rule, endpoint_rule, remote_rule, samples
from autotrace.span.span import LocalRoot

_REMEMBERED_ENDPOINTS = 1024


class Sampler:
    """The decisions of one process, and how many there were. Any thread may ask; nothing here takes a lock."""

    def __init__(self, settings: SamplerSettings) -> None:
        self._default = default_rule(settings)
        self._remote = remote_rule(settings)
        self._rules = tuple(endpoint_rule(entry, self._default) for entry in settings.endpoints)
        self.filters = not all(rule.records for rule in self._rules)
        self._keep_errors = settings.keep_errors
        self._by_endpoint: dict[str, Rule] = {}
        self.reset()

    def reset(self) -> None:
        """Start counting anew, as a fork's child does: its parent counts what was before."""
        self._seen = self._sampled = self._errors = self._slow = self._requested = 0
        for rule in (*self._rules, self._default, self._remote):
            rule.seen = rule.dropped = 0

    def records(self, root: LocalRoot) -> bool:
        """Whether anything of a local root that has just started is recorded: not where its rule says `record = false`."""
        if not self.filters:
            return True
        rule = self._rule(root)
        if not rule.records:
            self._seen += 1
            rule.seen += 1
            rule.dropped += 1
        return rule.records

    def decide(self, root: LocalRoot) -> bool:
        """The head decision: a caller's is followed; else the rate of the endpoint's rule, else of the sampler."""
        remote = root.remote
        if remote is not None and remote.sampled is not None:
            return remote.sampled
        rule = self._rule(root) if self._rules else self._default
        # All or nothing needs no trace id, and an id that nobody reads is never made.
        if rule.rate == 1.0:
            return True
        return rule.rate != 0.0 and samples(rule, root.trace_id)

    def ended(self, root: LocalRoot) -> bool:
        """The late decision: whether an ended local root is exported: sampled, asked for, in error, or slow."""
        rule = self._rule(root) if self._rules else self._default
        decider = rule if root.remote is None else self._decider(root, rule)
        self._seen += 1
        decider.seen += 1
        head = root.head
        if head is None:
            # As `root.sampled`, which would come back here by three calls.
            head = root.head = self.decide(root)
        if head:
            self._sampled += 1
        elif root.keep:
            self._requested += 1
        elif root.error and self._keep_errors:
            self._errors += 1
        elif rule.slower_than and root.span.end - root.span.start > rule.slower_than:
            self._slow += 1
        else:
            decider.dropped += 1
            return False
        return True

    def counts(self) -> Counts:
        """What was decided so far."""
        every = (*self._rules, self._default, self._remote)
        telling = max(every, key=lambda rule: rule.dropped)
        if not telling.dropped:
            telling = self._default
        return Counts(
            seen=self._seen,
            sampled=self._sampled,
            errors=self._errors,
            slow=self._slow,
            requested=self._requested,
            rate=telling.rate,
            rule=telling.text,
            rules=tuple(rule.count() for rule in every if rule.seen),
        )

    def _decider(self, root: LocalRoot, rule: Rule) -> Rule:
        remote = root.remote
        return rule if remote is None or remote.sampled is None else self._remote

    def _rule(self, root: LocalRoot) -> Rule:
        """The rule of an endpoint; where there are none, nobody comes here: each local root would pay for the call."""
        endpoint = endpoint_of(root.span)
        rule = self._by_endpoint.get(endpoint)
        if rule is None:
            rule = next((rule for rule in self._rules if rule.matches(endpoint)), self._default)
            if len(self._by_endpoint) >= _REMEMBERED_ENDPOINTS:
                # Paths without a route have no end; asking a few rules again is cheaper than keeping an order.
                self._by_endpoint = {}
            self._by_endpoint[endpoint] = rule
        return rule
