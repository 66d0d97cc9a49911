"""The calls of the tracer that are timed: takes what is loaded by now, gives where each stands and whose stage it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FunctionType
from typing import Any, NamedTuple

from autotrace.span.hushed import Hush, HushedSite
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer
from autotrace.store.overhead import CREATION, PROPAGATION, RECORDING, TAGS

PLAIN, TAGGED = "plain", "tagged"
"""Kinds of calls that begin a span: without tags, and with some, whose cost is then told from the difference."""
SILENT = "silent"
"""The kind of calls of a function that is called too often to be recorded (`autotrace.span.hushed`)."""

BEGINNINGS = frozenset((PLAIN, TAGGED, "start", "start_remote", "begin"))
"""Kinds of calls in which a span begins, where they are not part of another one."""


class Place(NamedTuple):
    """A function of the tracer, and how its calls are timed (see `Stopwatch.timed`)."""

    function: Any
    stage: int
    kind: str
    ends: bool = False
    by_result: bool = False


# What is loaded only when it is needed: by module, a class in it or "", names, stage. None of these calls the application.
_LATER: tuple[tuple[str, str, tuple[str, ...], int], ...] = (
    ("autotrace.conventions.asgi", "AsgiRequest", ("replaced",), RECORDING),  # its `send` only makes a coroutine
    ("autotrace.conventions.headers", "Headers", ("find", "add", "restore"), PROPAGATION),
    ("autotrace.conventions.http_client", "", ("_may_inject",), PROPAGATION),
    ("autotrace.conventions.serving", "Serving", ("end",), RECORDING),
    ("autotrace.conventions.serving", "Serving", ("status",), TAGS),
    ("autotrace.declare.message", "", ("find_parent",), PROPAGATION),
    ("autotrace.declare.trace_context", "TraceContext", ("add_tag",), TAGS),
    ("autotrace.propagate.formats", "", ("extract", "inject"), PROPAGATION),
    ("autotrace.span.drive", "_Steps", ("__enter__", "__exit__", "finish"), RECORDING),
    ("autotrace.span.facade", "Facade", ("set_attribute", "set_attributes", "add_event", "update_name"), TAGS),
    ("autotrace.span.tagged", "TaggedSite", ("tag",), TAGS),
)


def places() -> Iterator[Place]:
    """All that is to be found now; a later call may find more."""
    for place in _every_place():
        # One with a variable of its class's (`super()`) goes on to one that is timed.
        if isinstance(place.function, FunctionType) and not place.function.__code__.co_freevars:
            yield place


def _every_place() -> Iterator[Place]:
    yield Place(HushedSite.__dict__["nullcontext"], RECORDING, SILENT)
    yield Place(Hush.__dict__["__exit__"], RECORDING, "silent end")
    for kind in (Site, *_below(Site)):
        if "nullcontext" in kind.__dict__ and kind is not HushedSite:
            yield Place(kind.__dict__["nullcontext"], CREATION, TAGGED if hasattr(kind, "tags") else PLAIN)
    for span in (Span, *_below(Span)):
        if "__exit__" in span.__dict__:
            yield Place(span.__dict__["__exit__"], RECORDING, "exit", span is Span)
    yield Place(Span.__dict__["close"], RECORDING, "close", True)
    for name in ("start", "start_remote"):
        yield Place(Tracer.__dict__[name], CREATION, name, by_result=True)
    for module, holder, names, stage in _LATER:
        found: Any = sys.modules.get(module)
        if found is not None and holder:
            found = getattr(found, holder)
        for name in names if found is not None else ():
            yield Place(found.__dict__[name], stage, name)


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
