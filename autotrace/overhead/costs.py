"""What a span costs: takes timed calls, gives nanoseconds by stage for a span of each place."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from autotrace.overhead.places import BEGINNINGS, SILENT, TAGGED
from autotrace.overhead.stopwatch import Event
from autotrace.span.site import Site
from autotrace.store.overhead import CREATION, EXPORT, NOTHING, TAGS, Nanoseconds

_REMEMBERED = 128
_MOST_PLACES = 500
_EXCEPTION = 8
"""A call that took so many times the usual was interrupted, or did for the first time what it does once."""

_COLLECTED = -20
"""So many objects are not given back in a call of ours: the garbage collector has begun to count anew."""


class Key(NamedTuple):
    """A place: the name and kind of its spans, and the function, "" for one of a library's."""

    name: str
    kind: str
    function: str


def key_of(site: Site) -> Key:
    """The place that a site stands for."""
    return Key(site.name, site.kind, str(site.attributes.get("code.function.name", "")))


class _Calls:
    """The latest calls of one kind at one place, and how many there were."""

    __slots__ = ("count", "latest")

    def __init__(self) -> None:
        self.count = 0
        self.latest: deque[tuple[int, ...]] = deque(maxlen=_REMEMBERED)

    def add(self, stages: tuple[int, ...]) -> None:
        self.count += 1
        self.latest.append(stages)

    def mean(self) -> list[float]:
        """Nanoseconds of one call by stage, exceptions cut down to what is usual."""
        sums = [sum(stages) for stages in self.latest]
        # Of few calls the first, which does what is done once, may be a half.
        usual = sorted(sums)[(len(sums) - 1) // 3]
        most = usual * min(_EXCEPTION, 1 + len(sums) / 4)
        kept = [min(1.0, most / whole) if whole else 0.0 for whole in sums]
        columns = zip(*self.latest, strict=True)
        return [sum(map(float.__mul__, kept, map(float, column))) / len(sums) for column in columns]


class _Place:
    """The timed calls of one place; a window shows the beginning of some spans, and the end of others."""

    def __init__(self) -> None:
        self.calls: dict[str, _Calls] = {}
        self.begins = self.ends = self.objects = 0

    @property
    def spans(self) -> int:
        """How many spans there were at least."""
        return max(self.begins, self.ends)

    def per_span(self, plain_ns: float) -> list[float]:
        """Nanoseconds of a span by stage; `plain_ns` of one without tags, to begin."""
        total = [0.0] * EXPORT
        for kind, calls in list(self.calls.items()):
            count = self.begins if kind in BEGINNINGS or kind == SILENT else self.ends or self.begins
            mean = calls.mean()
            if kind == TAGGED and plain_ns:
                tags = max(mean[CREATION] - plain_ns, 0.0)
                mean[CREATION] -= tags
                mean[TAGS] += tags
            for stage in range(EXPORT):
                total[stage] += mean[stage] * calls.count / max(count, 1)
        return total


class Costs:
    """Bounded: of more places than it remembers only their kind is told apart.

    `plain_ns` is how long a span without tags takes to begin, 0 while that is not known.
    """

    def __init__(self) -> None:
        self._places: dict[Key | None, _Place] = {}
        self._mean: dict[Key | str | None, Nanoseconds] = {}
        self.timed = 0
        self.plain_ns = 0

    def take(self, event: Event) -> None:
        """Remember one timed call."""
        site = _site(event.owner)
        key = None if site is None else key_of(site)
        if key is not None and event.kind.startswith(SILENT) and not event.stages[CREATION]:
            key = key._replace(kind=SILENT)
        place = self._places.get(key)
        if place is None:
            if len(self._places) >= _MOST_PLACES and key is not None:
                key = Key("", key.kind, "")
            place = self._places.setdefault(key, _Place())
        calls = place.calls.get(event.kind)
        if calls is None:
            calls = place.calls.setdefault(event.kind, _Calls())
        calls.add(event.stages)
        place.begins += event.kind in BEGINNINGS or event.kind == SILENT
        place.ends += event.ends
        if event.objects > _COLLECTED:
            place.objects += event.objects
        self.timed += 1
        self._mean = {}

    def of(self, key: Key) -> Nanoseconds:
        """Nanoseconds by stage that a span of this place costs; of its kind, or of any, where none was timed."""
        if not self._mean:
            self._mean = self._means()
        for found in (key, key.kind, None):
            if found in self._mean:
                return self._mean[found]
        return NOTHING

    def objects(self, key: Key) -> float:
        """How many objects a span of this place leaves to the garbage collector."""
        place = self._places.get(key)
        return max(place.objects, 0) / place.spans if place is not None and place.spans else 0.0

    def _means(self) -> dict[Key | str | None, Nanoseconds]:
        places = dict(self._places)
        # Calls whose span is not known: every span pays its part of them.
        loose = places.pop(None, None)
        spans = sum(place.spans for place in places.values())
        shared = loose.per_span(0) if loose is not None and spans else [0.0] * EXPORT
        if loose is not None and not loose.ends:
            shared = [one * max(loose.begins, 1) / max(spans, 1) for one in shared]
        means: dict[Key | str | None, Nanoseconds] = {}
        kinds: dict[str | None, list[tuple[int, Nanoseconds]]] = {}
        for key, place in places.items():
            if key is not None and place.spans:
                each = zip(place.per_span(self.plain_ns), shared, strict=True)
                means[key] = (*(round(sum(one)) for one in each), 0)
                for kind in (key.kind,) if key.kind == SILENT else (key.kind, None):
                    kinds.setdefault(kind, []).append((place.spans, means[key]))
        for kind, members in kinds.items():
            means[kind] = _weighted(members)
        return means


def _weighted(members: Sequence[tuple[int, Nanoseconds]]) -> Nanoseconds:
    spans = sum(count for count, _ in members)
    columns = zip(*([count * one for one in stages] for count, stages in members), strict=True)
    return tuple(round(sum(column) / spans) for column in columns)


def _site(owner: object) -> Site | None:
    """The site behind whatever a call was given or gave: itself, a span, or the call of a convention."""
    for _ in range(3):
        if isinstance(owner, Site):
            return owner
        owner = getattr(owner, "site", None) or getattr(owner, "span", None) or getattr(owner, "_span", None)
    return None
