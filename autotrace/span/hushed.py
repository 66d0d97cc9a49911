"""Functions that are called extremely often: takes local roots that overflow, and sites of many, gives silence for a while.

Whether a function is hot is asked where asking costs nothing: when a local root overflows, and once in thousands of local
roots of one place. Its site is then of a class whose calls leave no span in that local root (or, where the function is a
local root itself, nowhere) for a second; after that it records again, until it is found hot once more. So what one function
may cost is bounded, and other traces stay whole.
"""

from __future__ import annotations

import _thread
from collections.abc import Sequence
from types import TracebackType

from autotrace import guard
from autotrace.span.capture import is_error
from autotrace.span.clock import Clock
from autotrace.span.context import get_current
from autotrace.span.site import ROOTS_BETWEEN_LOOKS, SendingSite, Silence, Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.unrecorded import Unrecorded

HOT = 20_000
"""From so many calls a second on, a function is limited: what recording them costs is then some hundredths of a core."""

PAUSE = 1_000_000_000
"""Nanoseconds for which a hot function is silent, before it records again."""

_ERRORS = 100
"""How many failing calls of one silence get a span."""

_UNTIMED = 63
"""The clock is read where the count of silent calls has none of these bits."""

_LOOKED_AT = 1000
"""So many of the newest spans of a local root tell which functions flood it."""
_TELLING = 100
"""Fewer tell nothing: where `[buffer] spans_per_trace` is that small, a few quick calls are no flood."""

_making = _thread.RLock()


class Hush(Silence):
    """The silence of one site, and what its silent calls are entered with.

    `flooded` has the local roots in which calls are silent, and until when (`Clock.now()`); `alone` is until when they are
    silent where nothing is current. Calls below `below` are silent without any other question, and counted in `counted`.
    """

    __slots__ = (
        "_errors",
        "_looked",
        "_over",
        "alone",
        "awake",
        "below",
        "calls",
        "counted",
        "dropped",
        "flooded",
        "site",
    )

    def __init__(self, site: Site) -> None:
        self.site = site
        self.awake = type(site)
        self.flooded: dict[LocalRoot, int] = {}
        self.alone = self._over = self._looked = 0
        self.below: object = self  # which is never current
        self.counted: LocalRoot | Hush = self
        self.calls = self.dropped = 0
        self._errors = _ERRORS
        site.hush = self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.close(error)

    def close(self, error: BaseException | None = None) -> None:
        """End a silent call; one that failed leaves a span after all, which begins and ends here."""
        try:
            if error is None or not is_error(error):
                return
            above = get_current()
            lineage = self.site.tracer.lineage(above)
            root = lineage.root if isinstance(lineage, Span) and lineage.root.open else None
            if self._errors:
                self._errors -= 1
                self._record(above, error, root or self)
            elif root is not None:
                self.site.tracer.note_error(root.span, error)
        except BaseException as failure:
            guard.swallow(failure)

    def _record(self, above: object, error: BaseException, counted: LocalRoot | Hush) -> None:
        span = self.site.begin(Span, above)
        if isinstance(span, Silence):
            return
        if isinstance(span, Span):
            span.details().attributes["autotrace.limited"] = True
            counted.dropped -= 1
            self.calls -= 1
        span.__exit__(type(error), error, error.__traceback__)

    def flood(self, root: LocalRoot, now: int) -> None:
        """Be silent in one local root."""
        self.flooded = {other: until for other, until in self.flooded.items() if other.open and until > now}
        self.flooded[root] = now + PAUSE
        self._begin(now)

    def look(self, now: int) -> None:
        """Be silent where nothing is current, if the last so many local roots came too fast."""
        if now - self._looked < ROOTS_BETWEEN_LOOKS * 1_000_000_000 // HOT:
            self.alone = now + PAUSE
            self._begin(now)
        self._looked = now

    def _begin(self, now: int) -> None:
        self._over = now + PAUSE
        self._errors = _ERRORS
        self.site.__class__ = _hushed(self.awake)
        limited[self.site] = self

    def silences(self, parent: object) -> bool:
        """Whether a call below `parent`, what is current, is silent; it is counted then."""
        now = Clock.now()
        if now >= self._over:
            self.flooded, self.below, self.counted = {}, self, self
            self.site.__class__ = self.awake
            return False
        if parent is None:
            counted: LocalRoot | Hush = self
            is_silent = now < self.alone
        else:
            span = parent if type(parent) is Span else self.site.tracer.lineage(parent)
            if not isinstance(span, Span):
                return False
            counted = span.root
            is_silent = now < self.flooded.get(counted, 0) and counted.open
        if is_silent:
            self.calls += 1
            counted.dropped += 1
            self.counted, self.below = counted, parent
        return is_silent


limited: dict[Site, Hush] = {}
"""The sites that have been silent in this process."""


class HushedSite(Site):
    """A site whose calls are silent in some places; in all others they are what they would be."""

    __slots__ = ()

    def nullcontext(self, *arguments: object) -> Span | Unrecorded | Silence:
        hush = self.hush
        parent = get_current()
        if parent is hush.below:
            calls = hush.calls
            if calls & _UNTIMED:
                hush.calls = calls + 1
                hush.counted.dropped += 1
                return hush
        try:
            if hush.silences(parent):
                return hush
        except BaseException as failure:
            guard.swallow(failure)
        # By the class, for the site may be awake by now.
        return hush.awake.nullcontext(self, *arguments)  # type: ignore[arg-type]  # what the call has handed over

    def tag(self, span: Span, root: str, value: object) -> None:
        # The result of a silent call is not that of a recorded one around it.
        if root != "result" or Clock.now() >= self.hush.flooded.get(span.root, 0):
            self.hush.awake.tag(self, span, root, value)


_classes: dict[type[Site], type[Site]] = {}


def _hushed(kind: type[Site]) -> type[Site]:
    """The class of a site of class `kind` while it is limited; its objects are laid out as those of `kind`."""
    made = _classes.get(kind)
    if made is None:
        bases = (HushedSite,) if kind is Site else (HushedSite, kind)
        made = _classes[kind] = type(f"Hushed{kind.__name__}", bases, {"__slots__": ()})
    return made


def hush_of(site: Site) -> Hush | None:
    """The silence of a site; None where its calls are needed: what goes out, and what others ask for its span."""
    if site.kind != "internal" or isinstance(site, SendingSite):
        return None
    with _making:
        return site.hush or Hush(site)


def look_at(site: Site) -> None:
    """Limit a function that was a local root so often again, if it is hot."""
    # Most calls of a site with `min_duration` leave nothing, and the slow one among them is what it is there for.
    hush = None if site.min_duration else hush_of(site)
    if hush is not None:
        hush.look(Clock.now())


def look_into(root: LocalRoot, spans: Sequence[Span]) -> None:
    """Limit what floods a local root that has overflowed: each function with a tenth of its newest `spans`, if it is hot."""
    newest = spans[-_LOOKED_AT:]
    if len(newest) < _TELLING:
        return
    passed = newest[-1].end - newest[0].end
    counts: dict[Site, int] = {}
    for span in newest:
        counts[span.site] = counts.get(span.site, 0) + 1
    for site, count in counts.items():
        if count * 10 >= len(newest) and count * 1_000_000_000 > passed * HOT:
            hush = hush_of(site)
            if hush is not None:
                hush.flood(root, Clock.now())


def take_limited() -> dict[str, int]:
    """What was limited in this process, and how many of its calls have left no span; said once only."""
    taken: dict[str, int] = {}
    while limited:
        site, hush = limited.popitem()
        name = str(site.attributes.get("code.function.name", site.name))
        taken[name] = taken.get(name, 0) + hush.calls
    return dict(sorted(taken.items()))
