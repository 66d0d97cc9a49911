"""How many spans there were: takes the spans of local roots as they leave, gives counts by place and by endpoint."""

from __future__ import annotations

from collections.abc import Sequence

from autotrace.overhead.costs import Key, key_of
from autotrace.overhead.places import SILENT
from autotrace.span.hushed import limited
from autotrace.span.span import LocalRoot, Span

OTHERS = "(others)"
_MOST_NAMES = 200
_MOST_LINES = 2000
_ALL = 100
"""Local roots of which each is counted; of those that come later, one in `_STRIDE` for all."""
_STRIDE = 16
_PIECE = 64
"""Spans of one local root that are counted one by one; of more, as many for all."""

Line = tuple[str, str, Key]
"""The endpoint, the name of the spans, and their place."""


class Counts:
    """Recorded and exported spans of one process, estimated from a sample; any thread may count."""

    def __init__(self) -> None:
        self.recorded: dict[Line, float] = {}
        self.exported: dict[Line, float] = {}
        self._endpoints: set[str] = set()
        self._names: set[str] = set()
        self._passed = 0
        self._next = 1
        self._left = _ALL
        self._random = 1

    def is_due(self) -> bool:
        """Whether the local root that leaves now is in the sample; it is asked for each."""
        self._passed += 1
        return self._passed >= self._next

    def add(self, root: LocalRoot, spans: Sequence[Span], *, exported: bool) -> None:
        """Spans of a local root that is in the sample: it is kept (`exported`), or dropped."""
        weight, self._passed = self._passed, 0
        self._left -= 1
        self._next = 1 if self._left > 0 else self._stride()
        self._count(root, spans, weight, exported)

    def _stride(self) -> int:
        # Not always the same: traces that come in turns would be counted as one or the other.
        return 1 + self._below(2 * _STRIDE - 1)

    def _below(self, limit: int) -> int:
        """A random number; of an own generator, because tracing must not change those of the application."""
        self._random = (self._random * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._random >> 8) % limit

    def _count(self, root: LocalRoot, spans: Sequence[Span], weight: float, exported: bool) -> None:
        endpoint = self._known(self._endpoints, root.span.name)  # without the path, where no route is known
        if root.span in spans[-1:]:
            self._count_one(endpoint, root.span, weight, exported)
            spans = spans[:-1]
        if not spans:
            return
        picked = [spans[self._below(len(spans))] for _ in range(_PIECE)] if len(spans) > _PIECE else spans
        each = len(spans) / len(picked)
        # Dropped when the local root held too many: of what they were, the rest of it is the best witness.
        # The calls of a function that is limited are among them, and were no spans.
        lost = root.dropped / len(picked) if not root.open and not limited else 0.0
        for span in picked:
            self._count_one(endpoint, span, weight * each, exported)
            if lost:
                self._count_one(endpoint, span, weight * lost, False)

    def _count_one(self, endpoint: str, span: Span, weight: float, exported: bool) -> None:
        line = (endpoint, self._known(self._names, span.name), key_of(span.site))
        if line not in self.recorded and len(self.recorded) >= _MOST_LINES:
            line = (endpoint, OTHERS, Key("", span.site.kind, ""))
        self.recorded[line] = self.recorded.get(line, 0.0) + weight
        if exported:
            self.exported[line] = self.exported.get(line, 0.0) + weight

    def with_silent(self) -> dict[Line, float]:
        """What was recorded, and the calls of functions that were called too often to be recorded."""
        found = dict(self.recorded)
        for site, hush in list(limited.items()):
            endpoint = site.name if hush.alone else OTHERS
            line = (endpoint, site.name, key_of(site)._replace(kind=SILENT))
            found[line] = found.get(line, 0.0) + hush.calls
        return found

    @staticmethod
    def _known(names: set[str], name: str) -> str:
        if name in names:
            return name
        if len(names) >= _MOST_NAMES:
            return OTHERS
        names.add(name)
        return name
