"""So many traces a second before a rate decides: takes settings and their rules, gives each rule what it lets through."""

from __future__ import annotations

from collections.abc import Sequence

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.limiter import Limiter
from autotrace.sample.rule import Rule


class Reservoirs:
    """One for each rule with `per_second`; the default's is also that of rules that leave the choice to the sampler.

    `limiters` has them by the endpoints for which they hold; "" stands for all others.
    """

    def __init__(self, settings: SamplerSettings, rules: Sequence[Rule], default: Rule) -> None:
        self.limiters: dict[str, Limiter] = {}
        # By identity: a hash of a rule is one of all that it holds.
        self._by_rule: dict[int, Limiter | None] = {}
        others = self._by_rule[id(default)] = self._make(default)
        for entry, rule in zip(settings.endpoints, rules, strict=True):
            leaves_choice = entry.rate is None and entry.per_second is None
            self._by_rule[id(rule)] = others if leaves_choice else self._make(rule)

    def of(self, rule: Rule) -> Limiter | None:
        """What a rule lets through; None where it has no `per_second`."""
        return self._by_rule[id(rule)]

    def _make(self, rule: Rule) -> Limiter | None:
        if not rule.per_second:
            return None
        limiter = Limiter(rule.per_second)
        # Of two rules with one text the second is never met.
        self.limiters.setdefault(rule.endpoint, limiter)
        return limiter
