"""Which traces leave the process: takes a local root, gives the head decision, and after its end the late one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.adaptive import Adaptive
from autotrace.sample.counts import OTHERS, Counts, count
from autotrace.sample.endpoint import endpoint_of
from autotrace.sample.endpoint_sampler import EndpointSampler
from autotrace.sample.remote import Remote
from autotrace.sample.reservoirs import Reservoirs
from autotrace.sample.rule import Rule, default_rule, endpoint_rule
from autotrace.sample.rules import Rules
from autotrace.sample.sharing import Budget
from autotrace.sample.tags import Tags
from autotrace.span.clock import Clock
from autotrace.span.finished import FinishedLink
from autotrace.span.span import LocalRoot

_REMEMBERED_TEXTS = 12_000
_MOST_ENDPOINTS = 1000


class Sampler:
    """The decisions of one process, and how many there were. Any thread may ask; nothing here takes a lock.

    `budgets` is what it shares with other processes of its service, by the endpoints for which it holds.
    """

    def __init__(self, settings: SamplerSettings, clock: Callable[[], int] = Clock.now) -> None:
        self.settings = settings
        self._clock = clock
        self._default = default_rule(settings)
        self._rules = tuple(endpoint_rule(entry, self._default) for entry in settings.endpoints)
        self._compiled = Rules(self._rules)
        every = (*self._rules, self._default)
        self._trusts = all(rule.inbound == "trust" for rule in every)
        self.admits_all = all(rule.records and rule.inbound != "ignore" for rule in every)
        self._tags = Tags(settings.keep_tags)
        self.adaptive = Adaptive(settings, clock) if settings.type == "adaptive" else None
        self.remote = Remote(settings) if settings.type == "jaeger_remote" else None
        self._endpoints: dict[tuple[str, Rule], EndpointSampler] = {}
        self._by_name: dict[str, EndpointSampler] = {}
        self._by_path: dict[tuple[str, str], EndpointSampler] = {}
        self._reservoirs = Reservoirs(settings, self._rules, self._default)
        self.budgets: Mapping[str, Budget] = self._reservoirs.limiters
        if self.adaptive is not None:
            self.budgets = {**self.budgets, "": self.adaptive}

    def reset(self) -> None:
        """Start counting anew, as a fork's child does: its parent counts what was before."""
        for endpoint in self._endpoints.values():
            endpoint.reset()
        if self.adaptive is not None:
            self.adaptive.reset()

    def admits(self, root: LocalRoot) -> bool:
        """Whether anything of a local root that has just started is recorded: not where its rule says `record = false`.

        Where its rule ignores callers it starts a trace of its own, linked to the caller's.
        """
        if self.admits_all:
            return True
        endpoint = self._endpoint(root)
        rule = endpoint.rule
        if rule.inbound == "ignore" and root.remote is not None:
            _part(root)
        if not rule.records and root.unrecorded is None:  # else it was asked before, and is counted
            endpoint.seen += 1
        return rule.records

    def decide(self, root: LocalRoot) -> bool:
        """The head decision: a caller's is followed, where its rule trusts callers; else that of the endpoint."""
        remote = root.remote
        if remote is not None and remote.sampled is not None and self._trusts:
            return remote.sampled
        return _decide(root, self._endpoint(root))

    def early(self, root: LocalRoot) -> bool:
        """The decision on a local root that holds too many spans to wait for its end: by what is known so far."""
        return root.keep or root.sampled or self._endpoint(root).keeps_early(root, self._tags)

    def ended(self, root: LocalRoot) -> bool:
        """The late decision: whether an ended local root is exported: sampled, or worth keeping."""
        endpoint = self._endpoint(root)
        endpoint.seen += 1
        head = root.head
        if head is None:
            head = root.head = _decide(root, endpoint)
        span = root.span
        duration = span.end - span.start
        endpoint.measure(duration)
        if head:
            endpoint.sampled += 1
            return True
        if endpoint.keeps(root, duration, self._tags):
            return True
        remote = root.remote
        if remote is not None and remote.sampled is not None and endpoint.rule.inbound == "trust":
            endpoint.refused += 1
        return False

    def counts(self) -> Counts:
        """What was decided so far."""
        return count(list(self._endpoints.values()), self._rules, self._default)

    def _endpoint(self, root: LocalRoot) -> EndpointSampler:
        text = endpoint_of(root.span)
        name = root.span.name
        if text is not name:
            # Before its route is known: what is found then does not hold for the name that it has later.
            return self._of_path(text, name)
        endpoint = self._by_name.get(name)
        if endpoint is None:
            endpoint = self._find(name, name)
            if len(self._by_name) >= _REMEMBERED_TEXTS:
                self._by_name = {}
            self._by_name[name] = endpoint
        return endpoint

    def _of_path(self, text: str, name: str) -> EndpointSampler:
        endpoint = self._by_path.get((text, name))
        if endpoint is None:
            endpoint = self._find(text, name)
            if len(self._by_path) >= _REMEMBERED_TEXTS:
                # Paths without a route have no end; asking a few rules again is cheaper than keeping an order.
                self._by_path = {}
            self._by_path[text, name] = endpoint
        return endpoint

    def _find(self, text: str, name: str) -> EndpointSampler:
        rule = (self._compiled.find(text) if self._rules else None) or self._default
        endpoint = self._endpoints.get((name, rule))
        if endpoint is None:
            if len(self._endpoints) >= _MOST_ENDPOINTS and name != OTHERS:
                return self._find(text, OTHERS)
            endpoint = self._join(name, rule)
        return endpoint

    def _join(self, name: str, rule: Rule) -> EndpointSampler:
        settings = self.settings
        new = EndpointSampler(
            name,
            rule,
            self._reservoirs.of(rule),
            settings.keep_per_second,
            settings.keep_background_per_second,
            self._clock,
        )
        # In one step, as two threads may come with the first two requests.
        endpoint = self._endpoints.setdefault((name, rule), new)
        rates = self.adaptive or self.remote
        if endpoint is new and rule.rate is None and rates is not None:
            rates.join(endpoint)
        return endpoint


def _decide(root: LocalRoot, endpoint: EndpointSampler) -> bool:
    remote = root.remote
    if remote is None or remote.sampled is None or endpoint.rule.inbound != "trust":
        return endpoint.decide(root)
    return remote.sampled


def _part(root: LocalRoot) -> None:
    """Make a trace of its own of a local root whose caller is ignored."""
    remote = root.remote
    root.remote = None
    root.trace_number = 0
    root.trace_state = ""
    if remote is not None and remote.span_id:
        root.links = (*root.links, FinishedLink(remote.trace_id, remote.span_id, {}))
