"""Tags from arguments, results and errors: takes the values a woven or patched call hands over, gives attributes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import NamedTuple

from autotrace import guard
from autotrace.plan.path import ABSENT, NOT_PLAIN
from autotrace.span.capture import attribute_of
from autotrace.span.context import get_current
from autotrace.span.finished import AttributeValue
from autotrace.span.site import ShortSite, Silence, Site
from autotrace.span.span import ShortSpan, Span
from autotrace.span.tracer import Tracer


class Tag(NamedTuple):
    """One attribute and the way to its value from the value of its root (a parameter, `result` or `error`)."""

    attribute: str
    root: str
    read: Callable[[object], object]


class TaggedSite(ShortSite):
    """A site with tags; `roots` are the parameters whose values a call hands over, in that order."""

    __slots__ = ("roots", "tags", "unreadable")

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        tags: Sequence[Tag],
        kind: str = "internal",
        min_duration: int = 0,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        super().__init__(tracer, name, kind, min_duration, attributes)
        self.tags = tuple(tags)
        self.roots = tuple(dict.fromkeys(tag.root for tag in tags if tag.root not in ("result", "error")))
        self.unreadable: set[str] = set()

    def nullcontext(self, arguments: tuple[object, ...] = ()) -> Span | Silence:  # type: ignore[override]
        # The tuple takes the place of the clock, which only the quick site needs.
        span = self.begin(ShortSpan) if self.min_duration else Site.nullcontext(self)
        if isinstance(span, Span):
            for root, value in zip(self.roots, arguments, strict=False):
                self.tag(span, root, value)
        return span

    def tag(self, span: Span, root: str, value: object) -> None:
        """Set every tag that starts from `root`."""
        try:
            for tag in self.tags:
                if tag.root == root:
                    self._set(span, tag, tag.read(value))
        except BaseException as failure:
            guard.swallow(failure)

    def _set(self, span: Span, tag: Tag, found: object) -> None:
        if found is ABSENT:
            return
        if found is NOT_PLAIN:
            self.unreadable.add(tag.attribute)
            return
        value = attribute_of(found)
        if value is not None:
            span.details().attributes[tag.attribute] = value


class Results:
    """What `return` of a woven function goes through where tags come from the result.

    It stands for the module `typing`, whose `cast(kind, value)` gives the value, where autotrace is not installed.
    """

    __slots__ = ("site",)

    def __init__(self, site: TaggedSite) -> None:
        self.site = site

    def cast(self, kind: None, value: object) -> object:
        """Tag the running span of this site with `value`, and give the value back."""
        span = get_current()
        while isinstance(span, Span) and span.site is not self.site:
            span = span.parent
        if isinstance(span, Span):
            self.site.tag(span, "result", value)
        return value

    def __reduce__(self) -> tuple[Callable[[str], ModuleType], tuple[str]]:
        return importlib.import_module, ("typing",)
