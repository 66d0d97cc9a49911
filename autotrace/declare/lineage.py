"""What a span descends from once a message has been read: takes a span and what the message says, changes its root."""

from __future__ import annotations

from autotrace.propagate.formats import Inbound
from autotrace.span.context import get_current
from autotrace.span.finished import FinishedLink
from autotrace.span.remote import RemoteParent
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

EXTERNAL_ID = "autotrace.external_id"


def current_span(tracer: Tracer) -> Span | None:
    """The span that is current and not over, also where OpenTelemetry has made it so."""
    span = tracer.lineage(get_current())
    return span if isinstance(span, Span) and span.root.open and not span.end else None


def descend(span: Span, inbound: Inbound) -> None:
    """Let a message be the parent of a local root of which nobody has seen an id; link any other span to it."""
    parent = inbound.parent
    if inbound.external_id is not None:
        span.details().attributes[EXTERNAL_ID] = inbound.external_id
    if parent is None:
        return
    root = span.root
    if root.span is span and root.remote is None and not root.trace_number and root.head is None:
        root.remote = parent
        root.trace_number = parent.trace_id
        root.trace_state = parent.trace_state
        root.links = tuple(link for link in root.links if link.trace_id != parent.trace_id)
    elif parent.span_id and not _descends(span, parent):
        span.details().add_link(FinishedLink(parent.trace_id, parent.span_id, {}))


def _descends(span: Span, parent: RemoteParent) -> bool:
    """Whether the message's sender is above the span already, in this process or where its root comes from."""
    remote = span.root.remote
    if remote is not None and (remote.trace_id, remote.span_id) == (parent.trace_id, parent.span_id):
        return True
    above: object = span
    while isinstance(above, Span):
        if above.id == parent.span_id:
            return True
        above = span.root.tracer.lineage(above.parent) if above.root.span is not above else None
    return False
