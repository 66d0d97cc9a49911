"""Turns recorded spans into what leaves the process: takes a local root and spans of it, gives FinishedSpans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from autotrace import guard
from autotrace.span.clock import since_epoch
from autotrace.span.detail import Detail
from autotrace.span.finished import AttributeValue, FinishedEvent, FinishedLink, FinishedSpan
from autotrace.span.remote import RemoteParent
from autotrace.span.span import LocalRoot, Span

ATTRIBUTE_LIMIT = 128
EVENT_LIMIT = 128
LINK_LIMIT = 128
"""OpenTelemetry specification, "SDK: span limits"; what comes first is kept."""


def convert(root: LocalRoot, spans: Iterable[Span]) -> list[FinishedSpan]:
    """The finished spans of `root` in their order; one that cannot be converted is left out and counted by the guard."""
    trace_id = root.trace_id
    converted: list[FinishedSpan] = []
    for span in spans:
        try:
            converted.append(_convert(trace_id, root, span))
        except Exception as failure:
            guard.swallow(failure)
    return converted


def _convert(trace_id: int, root: LocalRoot, span: Span) -> FinishedSpan:
    site = span.site
    detail = span.detail or _NOTHING
    local_root = root.span is span
    # Of one name the call's own value wins over what its place says of every call (`autotrace.service`, `code.*`).
    attributes = _first({**site.attributes, **detail.attributes}, ATTRIBUTE_LIMIT)
    links: Sequence[FinishedLink] = detail.links[:LINK_LIMIT]
    if local_root:
        _describe_root(root, attributes)
        links = [*root.links, *links]
    return FinishedSpan(
        trace_id=trace_id,
        span_id=span.span_id,
        parent_id=_parent_id(root, span),
        name=detail.name or site.name,
        kind=detail.kind or site.kind,
        start_ns=since_epoch(span.start),
        duration_ns=max(span.end - span.start, 0),
        status=detail.status,
        status_message=detail.status_message,
        attributes=attributes,
        events=[_event(event) for event in detail.events[:EVENT_LIMIT]],
        links=links,
        scope=detail.scope,
        local_root=local_root,
    )


def _describe_root(root: LocalRoot, attributes: dict[str, AttributeValue]) -> None:
    if root.dropped:
        attributes["autotrace.dropped_spans"] = root.dropped
    if root.remote is not None and root.remote.external_id is not None:
        attributes["autotrace.external_id"] = root.remote.external_id


def _parent_id(root: LocalRoot, span: Span) -> int:
    if root.span is span:
        return root.remote.span_id if root.remote is not None else 0
    parent = span.parent
    if parent.__class__ is not Span:
        parent = root.tracer.lineage(parent)
    if isinstance(parent, Span | RemoteParent):
        return parent.span_id
    return root.span.span_id


def _event(event: FinishedEvent) -> FinishedEvent:
    """The event with its `Clock.now()` turned into nanoseconds since the epoch."""
    return FinishedEvent(event.name, since_epoch(event.time_ns), _first(event.attributes, ATTRIBUTE_LIMIT))


def _first(attributes: Mapping[str, AttributeValue], limit: int) -> dict[str, AttributeValue]:
    # A copy, in one step: the application may still be writing, and iterating would then raise.
    copied = dict(attributes)
    return copied if len(copied) <= limit else dict(islice(copied.items(), limit))


_NOTHING = Detail()
