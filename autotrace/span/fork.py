"""Forks: tells who wants to know, and leaves the local roots that are open to the parent process, which will end them.

The child's calls go on below them as below a span of another process, so the ids must be there before the fork.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from typing import Protocol

from autotrace import guard
from autotrace.span.context import get_current
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer


def settle(tracer: Tracer) -> None:
    """Before a fork: make what parent and child must agree on."""
    for span in _open_spans(tracer):
        span.span_id  # noqa: B018 - made when first read
        span.root.sampled  # noqa: B018 - likewise, and with it the trace id where it matters
        span.root.trace_id  # noqa: B018


def leave_to_parent(tracer: Tracer) -> None:
    """In the child: nothing of these local roots is recorded or ended here."""
    for span in list(_open_spans(tracer)):
        span.root.open = False
        span.root.finished = []


def _open_spans(tracer: Tracer) -> Iterator[Span]:
    """The current span and all above it in this process."""
    span = tracer.lineage(get_current())
    while isinstance(span, Span):
        yield span
        span = tracer.lineage(span.parent)


class Forked(Protocol):
    """What is to be told of forks."""

    def before_fork(self) -> None:
        """In the process that forks."""

    def after_fork_in_child(self) -> None:
        """In the new process."""


_watching: weakref.WeakSet[Forked] = weakref.WeakSet()


def watch(forked: Forked) -> None:
    """Tell `forked` of each fork for as long as it lives; none of its failures reaches the application."""
    _watching.add(forked)


def _tell(act: Callable[[Forked], None]) -> None:
    for forked in list(_watching):
        try:
            act(forked)
        except BaseException as failure:
            guard.swallow(failure)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _tell(lambda forked: forked.before_fork()),
        after_in_child=lambda: _tell(lambda forked: forked.after_fork_in_child()),
    )
