"""A service inside a process: takes the name that code gives it, tells which spans are its own."""

from __future__ import annotations

from autotrace.span.span import Span

_OUTGOING = frozenset({"client", "producer"})


class Service:
    """What the spans of one class go by, in place of the process; the same only as itself."""

    __slots__ = ("__weakref__", "name")

    def __init__(self, name: str) -> None:
        self.name = name


def service_of(span: Span) -> Service | None:
    """The service of a span: that of its function; what a function sends or asks a database is its caller's."""
    tracer = span.root.tracer
    while span.site.service is None and span.kind in _OUTGOING and span.root.span is not span:
        above = tracer.lineage(span.parent)
        if not isinstance(above, Span):
            return None
        span = above
    return span.site.service
