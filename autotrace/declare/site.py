"""A declared function's place: takes the arguments of each call, gives its span, which continues a message's trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from autotrace import guard
from autotrace.declare.lineage import descend
from autotrace.declare.message import find_parent
from autotrace.propagate.formats import Inbound
from autotrace.span.clock import Clock
from autotrace.span.finished import AttributeValue
from autotrace.span.site import Silence, Site
from autotrace.span.span import Span
from autotrace.span.tagged import Tag, TaggedSite
from autotrace.span.tracer import Tracer
from autotrace.span.unrecorded import Unrecorded

_LIMIT = 16
"""How many arguments are looked at for a message."""


class DeclaredSite(TaggedSite):
    """The site of a function below `@traced`; `roots` are all its parameters, in the order that a call hands them over.

    `reads` says whether its local roots look for a message among the arguments.
    """

    __slots__ = ("_skipped", "reads")

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        tags: Sequence[Tag],
        kind: str,
        attributes: Mapping[str, AttributeValue],
        roots: Sequence[str],
        *,
        reads: bool,
    ) -> None:
        super().__init__(tracer, name, tags, kind, 0, attributes, roots)
        self.reads = reads
        self._skipped = int(self.roots[:1] in (("self",), ("cls",)))

    def nullcontext(  # type: ignore[override]  # as in `TaggedSite`
        self, arguments: tuple[object, ...] = (), clock: Callable[[], int] = Clock.now
    ) -> Span | Unrecorded | Silence:
        span = super().nullcontext(arguments, clock) if self.tags else Site.nullcontext(self, clock)
        if self.reads and ((span.__class__ is Span and span.root.span is span) or span.__class__ is Unrecorded):
            try:
                parent = find_parent(self._candidates(arguments))
                if parent is not None:
                    descend(span.root.span, Inbound(parent))
            except BaseException as failure:
                guard.swallow(failure)
        return span

    def _candidates(self, arguments: tuple[object, ...]) -> Iterator[object]:
        """The arguments that may be a message; `*arguments` one by one."""
        for argument in arguments[self._skipped : _LIMIT]:
            if type(argument) is tuple:
                yield from argument[:_LIMIT]
            yield argument
