"""Local roots that are open at a fork: takes a tracer, leaves them to the parent process, which will end them.

The child's calls go on below them as below a span of another process, so the ids must be there before the fork.
"""

from __future__ import annotations

from collections.abc import Iterator

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
