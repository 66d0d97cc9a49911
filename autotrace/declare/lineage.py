"""What a span descends from once a message has been read: takes a span and what the message says, changes its root."""

from __future__ import annotations

from autotrace.propagate.formats import Inbound
from autotrace.span.context import get_current
from autotrace.span.finished import FinishedLink
from autotrace.span.remote import RemoteParent
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer
from autotrace.span.unrecorded import Unrecorded

EXTERNAL_ID = "autotrace.external_id"


def current_span(tracer: Tracer) -> Span | None:
    """The span that is current and not over, also where OpenTelemetry has made it so, and where it is never exported."""
    span = tracer.lineage(get_current())
    if isinstance(span, Unrecorded):
        span = span.root.span
    return span if isinstance(span, Span) and span.root.open and not span.end else None


def descend(span: Span, inbound: Inbound) -> None:
    """Let a message be the parent of a local root of which nobody has seen an id, unless its rule ignores callers.

    Any other span is linked to it.
    """
    parent = inbound.parent
    if inbound.external_id is not None:
        span.details().attributes[EXTERNAL_ID] = inbound.external_id
    if parent is None:
        return
    root = span.root
    if root.span is span and _is_unseen(root):
        root.remote = parent
        root.trace_number = parent.trace_id
        root.trace_state = parent.trace_state
        root.links = tuple(link for link in root.links if link.trace_id != parent.trace_id)
        _admit(root)
    elif parent.span_id and not _descends(span, parent):
        span.details().add_link(FinishedLink(parent.trace_id, parent.span_id, {}))


def _is_unseen(root: LocalRoot) -> bool:
    # What is never exported was decided on when it started.
    return root.remote is None and not root.trace_number and (root.head is None or root.unrecorded is not None)


def _admit(root: LocalRoot) -> None:
    """Ask the rule of a local root once more, now that it has a caller."""
    admits = root.tracer.admits
    if admits is not None:
        admits(root)
    if root.unrecorded is not None:
        root.head = root.remote is not None and bool(root.remote.sampled)


def _descends(span: Span, parent: RemoteParent) -> bool:
    """Whether the message's sender is above the span already, in this process or where its root comes from."""
    remote, sender = span.root.remote, (parent.trace_id, parent.span_id)
    if remote is not None and (remote.trace_id, remote.span_id) == sender:
        return True
    if span.root.span is span and any((link.trace_id, link.span_id) == sender for link in span.root.links):
        return True  # its rule ignores callers
    above: object = span
    while isinstance(above, Span):
        if above.id == parent.span_id:
            return True
        above = span.root.tracer.lineage(above.parent) if above.root.span is not above else None
    return False
