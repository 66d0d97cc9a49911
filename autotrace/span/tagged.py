"""Tags from arguments, results and errors: takes the values a woven or patched call hands over, gives attributes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import NamedTuple

from autotrace import guard
from autotrace.plan.path import ABSENT, NOT_PLAIN
from autotrace.span.capture import TEXT_LIMIT, attribute_of
from autotrace.span.clock import Clock
from autotrace.span.context import get_current, set_current
from autotrace.span.detail import Values
from autotrace.span.finished import AttributeValue
from autotrace.span.site import SILENCE, Silence, Site
from autotrace.span.span import ShortSpan, Span
from autotrace.span.tracer import Tracer
from autotrace.span.unrecorded import Unrecorded


class Tag(NamedTuple):
    """One attribute and the way to its value from the value of its root (a parameter, `result` or `error`)."""

    attribute: str
    root: str
    read: Callable[[object], object]


class TaggedSite(Site):
    """A site with tags; `roots` are the parameters whose values a call hands over, in that order."""

    __slots__ = ("_constants", "_names", "entry", "only", "roots", "tags", "unreadable")

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        tags: Sequence[Tag],
        kind: str = "internal",
        min_duration: int = 0,
        attributes: Mapping[str, AttributeValue] | None = None,
        roots: Sequence[str] | None = None,
    ) -> None:
        super().__init__(tracer, name, kind, min_duration, attributes)
        self.tags = tuple(tags)
        given = dict.fromkeys(tag.root for tag in tags if tag.root not in ("result", "error"))
        self.roots = tuple(given if roots is None else roots)
        # What a call reads when it begins: where the argument is, what the tag is called, how its value is found.
        self.entry = tuple(
            (self.roots.index(tag.root), tag.attribute, tag.read) for tag in self.tags if tag.root in self.roots
        )
        self.only = self.entry[0] if len(self.entry) == 1 else None
        # In one step for each span: of one name the call's own value comes last and wins.
        self._names = (*self.attributes, *(attribute for _, attribute, _ in self.entry))
        self._constants: Values = tuple(self.attributes.values())
        self.unreadable: set[str] = set()

    def nullcontext(  # type: ignore[override]  # a call of this site hands its arguments over
        self, arguments: tuple[object, ...] = (), clock: Callable[[], int] = Clock.now
    ) -> Span | Unrecorded | Silence:
        parent = get_current()
        above = type(parent)
        try:
            if above is not Span or not (root := parent.root).open:  # type: ignore[attr-defined]  # a Span, as compared
                if above is Unrecorded and parent.open and self.kind == "internal":  # type: ignore[attr-defined]  # likewise
                    return SILENCE
                return self._begin_tagged(Span, parent, arguments)
            # As in `Site`; written out, for a call of Python costs a tenth of a span. So is the case of one tag.
            span = Span()
            span.site = self
            span.parent = parent
            span.root = root
            span.end = 0
            span.id = 0
            if self.only is None or not arguments:
                span.detail = self._read(arguments) if arguments else None
            else:
                index, attribute, read = self.only
                found = read(arguments[index])
                kind = type(found)
                if not ((kind is str and len(found) <= TEXT_LIMIT) or kind is int or kind is float or kind is bool):  # type: ignore[arg-type]  # a str, as compared
                    found = self._plain(attribute, found)
                span.detail = (found,)  # type: ignore[assignment]  # one of those, as compared
            span.start = clock()
            set_current(span)
            return span
        except BaseException as failure:
            set_current(parent)
            guard.swallow(failure)
            return SILENCE

    def _begin_tagged(
        self, kind: type[Span], parent: object, arguments: tuple[object, ...]
    ) -> Span | Unrecorded | Silence:
        begun = self.begin(kind, parent)
        if isinstance(begun, Span) and arguments:
            begun.detail = self._read(arguments)
        return begun

    def _read(self, arguments: tuple[object, ...]) -> Values:
        """The values of the tags that come from the arguments of a call, one argument for each of `roots`."""
        values: list[AttributeValue | None] = []
        for index, attribute, read in self.entry:
            found = read(arguments[index])
            kind = type(found)
            if (kind is str and len(found) <= TEXT_LIMIT) or kind is int or kind is float or kind is bool:  # type: ignore[arg-type]  # a str, as compared
                values.append(found)  # type: ignore[arg-type]  # one of those, as compared
            else:
                values.append(self._plain(attribute, found))
        return tuple(values)

    def named(self, values: Values) -> dict[str, AttributeValue]:
        return {entry[1]: value for entry, value in zip(self.entry, values, strict=True) if value is not None}

    def described(self, values: Values) -> Mapping[str, AttributeValue]:
        if None in values:
            return {**self.attributes, **self.named(values)}
        return dict(zip(self._names, self._constants + values, strict=True))  # type: ignore[arg-type]  # no None, as asked

    def _plain(self, attribute: str, found: object) -> AttributeValue | None:
        """What a path found as an attribute, if it is one."""
        if found is NOT_PLAIN:
            self.unreadable.add(attribute)
            return None
        return None if found is ABSENT else attribute_of(found)

    def tag(self, span: Span, root: str, value: object) -> None:
        """Set every tag that starts from `root`."""
        try:
            for tag in self.tags:
                if tag.root == root:
                    found = self._plain(tag.attribute, tag.read(value))
                    if found is not None:
                        span.details().attributes[tag.attribute] = found
        except BaseException as failure:
            guard.swallow(failure)


class ShortTaggedSite(TaggedSite):
    """A site with tags whose spans vanish when they are short and unseen."""

    __slots__ = ()

    def nullcontext(  # type: ignore[override]  # as in `TaggedSite`
        self, arguments: tuple[object, ...] = (), clock: Callable[[], int] = Clock.now
    ) -> Span | Unrecorded | Silence:
        parent = get_current()
        try:
            return self._begin_tagged(ShortSpan, parent, arguments)
        except BaseException as failure:
            set_current(parent)
            guard.swallow(failure)
            return SILENCE


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
