"""What is decided and counted for one endpoint: takes its local roots, gives the head decision and the late one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from autotrace.sample.durations import Durations
from autotrace.sample.limiter import Limiter
from autotrace.sample.probability import RANDOMNESS, randomness, rate_of, threshold, with_threshold
from autotrace.sample.rule import Rule
from autotrace.sample.tags import Tags
from autotrace.span.endpoint_counts import EndpointCounts
from autotrace.span.span import LocalRoot

KEEP = "autotrace.keep"
"""Why a trace was kept that was not sampled: errors, slow, tagged, requested or background."""

_RANDOM_BITS = RANDOMNESS - 1

if TYPE_CHECKING:
    from autotrace.sample.adaptive import Adaptive
    from autotrace.sample.remote import Remote


class EndpointSampler:
    """One endpoint under one rule; any thread may ask, and nothing here takes a lock.

    `first` lets so many a second through before the rate decides, all endpoints of a rule together. `rejected_below` is the
    rejection threshold of the rate, which a sampler of a type that finds its rates changes; `window` counts the decisions
    since it last did. `refused` counts what a caller had sampled out.
    """

    __slots__ = (
        "_background",
        "_clock",
        "_durations",
        "_kept",
        "background",
        "errors",
        "first",
        "limited",
        "name",
        "rates",
        "refused",
        "rejected_below",
        "requested",
        "rule",
        "sampled",
        "seen",
        "slow",
        "tagged",
        "throughput",
        "window",
    )

    def __init__(
        self,
        name: str,
        rule: Rule,
        first: Limiter | None,
        keep_per_second: float,
        background_per_second: float,
        clock: Callable[[], int],
    ) -> None:
        self.name = name
        self.rule = rule
        self.rejected_below = threshold(rule.rate or 0.0)
        self.first: Limiter | None = None
        self.rates: Adaptive | Remote | None = None
        self.throughput = 0.0
        self._clock = clock
        self._durations = None if rule.slower_than_quantile is None else Durations(rule.slower_than_quantile)
        self._kept = Limiter(keep_per_second)
        self._background = Limiter(background_per_second) if background_per_second else None
        self.reset()
        # After the reset: endpoints that came before draw from it too.
        self.first = first

    def reset(self) -> None:
        """Start counting anew, as a fork's child does."""
        self.window = 0
        self.seen = self.sampled = self.refused = self.limited = 0
        self.requested = self.errors = self.slow = self.tagged = self.background = 0
        for limiter in (self.first, self._kept, self._background):
            if limiter is not None:
                limiter.reset()

    def decide(self, root: LocalRoot) -> bool:
        """The head decision of a root on which no caller has decided."""
        first, rates = self.first, self.rates
        now = 0 if first is None and rates is None else self._clock()
        if rates is not None:
            rates.observe(self, now)
        chosen = first is not None and first.take(now)
        below = self.rejected_below
        state = root.trace_state
        # All or nothing needs no trace id, and an id that nobody reads is never made.
        if not below:
            sampled = True
        elif below == RANDOMNESS:
            sampled, below = chosen, -1
        elif (randomness(root.trace_id, state) if state else root.trace_id & _RANDOM_BITS) >= below:
            sampled = True
        else:
            sampled, below = chosen, -1
        if state or below > 0:
            root.trace_state = with_threshold(state, below if below >= 0 else None)
        return sampled

    def keeps_early(self, root: LocalRoot, tags: Tags) -> bool:
        """Whether a root that has not ended is kept, unsampled, for what it and its spans say by now."""
        reason = (
            "errors" if root.error and self.rule.errors else "tagged" if tags and tags.are_on(root.finished) else ""
        )
        if reason:
            root.span.details().attributes[KEEP] = reason
        return bool(reason)

    def keeps(self, root: LocalRoot, duration: int, tags: Tags) -> bool:
        """Whether a root that ended after `duration` nanoseconds, unsampled, is kept all the same."""
        rule = self.rule
        if root.keep:
            early = root.span.details().attributes.get(KEEP)
            return self._kept_for(early if early == "errors" or early == "tagged" else "requested", root)
        # Every duration counts for the percentile, whatever else there is to say.
        is_slow = bool(rule.slower_than) and duration > rule.slower_than
        if root.error and rule.errors:
            reason = "errors"
        elif is_slow or (self._durations is not None and 0 < self._durations.threshold < duration):
            reason = "slow"
        elif tags and tags.are_on(root.finished):
            reason = "tagged"
        else:
            return self._is_background() and self._kept_for("background", root)
        if not self._kept.take(self._clock()):
            self.limited += 1
            return False
        return self._kept_for(reason, root)

    def measure(self, duration: int) -> None:
        """Take the duration of a root that has ended."""
        if self._durations is not None:
            self._durations.add(duration)

    def _kept_for(self, reason: str, root: LocalRoot) -> bool:
        """Count a reason, and say it on the trace."""
        setattr(self, reason, getattr(self, reason) + 1)
        root.span.details().attributes[KEEP] = reason
        return True

    def _is_background(self) -> bool:
        return self._background is not None and self._background.take(self._clock())

    @property
    def rate(self) -> float:
        """The rate, from 0 to 1, as it is now."""
        return rate_of(self.rejected_below)

    def counts(self) -> EndpointCounts:
        """The counters as they are now."""
        return EndpointCounts(
            self.name,
            self.rule.text,
            self.seen,
            self.sampled,
            self.requested,
            self.errors,
            self.slow,
            self.tagged,
            self.background,
            self.limited,
        )
