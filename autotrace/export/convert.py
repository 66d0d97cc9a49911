"""Turns recorded spans into what leaves the process: takes a local root and spans of it, gives FinishedSpans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from autotrace import guard
from autotrace.span.clock import since_epoch
from autotrace.span.detail import Detail, making
from autotrace.span.finished import AttributeValue, FinishedEvent, FinishedLink, FinishedSpan
from autotrace.span.identifiers import new_span_ids
from autotrace.span.remote import RemoteParent
from autotrace.span.span import LocalRoot, Span

ATTRIBUTE_LIMIT = 128
EVENT_LIMIT = 128
LINK_LIMIT = 128
"""OpenTelemetry specification, "SDK: span limits"; what comes first is kept."""

# Not the NamedTuple's own `__new__`, which is a Python function around this one.
_tuple = tuple.__new__


def convert(root: LocalRoot, spans: Sequence[Span], identifiers: Iterator[int] | None = None) -> list[FinishedSpan]:
    """The finished spans of `root` in their order; one that cannot be converted is left out and counted by the guard.

    `identifiers` are unused span ids, at least one for each span; a batch has them made in one go. A span of which no
    more is known than its place shares the attributes of its place with all others: nobody may change them.
    """
    _identify(spans, iter(new_span_ids(len(spans))) if identifiers is None else identifiers)
    trace_id = root.trace_id
    trace_state = root.trace_state
    local_root = root.span
    epoch = since_epoch(0)
    converted: list[FinishedSpan] = []
    for span in spans:
        try:
            site = span.site
            detail = span.detail
            parent = span.parent
            start = span.start
            duration = span.end - start
            parent_id = (parent.id or parent.span_id) if parent.__class__ is Span else _parent_id(root, span)
            attributes = site.attributes
            if not isinstance(detail, Detail):
                if detail is not None:
                    attributes = site.described(detail)
                name, kind, status, message, scope = site.name, site.kind, "unset", "", "autotrace"
                events: Sequence[FinishedEvent] = ()
                links: Sequence[FinishedLink] = ()
            else:
                # Of one name the call's own value wins over what its place says of every call (`code.*`).
                if detail.attributes:
                    attributes = {**attributes, **detail.attributes}
                name, kind, status, message = (
                    detail.name or site.name,
                    detail.kind or site.kind,
                    detail.status,
                    detail.status_message,
                )
                scope, events, links = detail.scope, detail.events, detail.links
                if events:
                    events = [_event(event) for event in events[:EVENT_LIMIT]]
                if links:
                    links = links[:LINK_LIMIT]
            if len(attributes) > ATTRIBUTE_LIMIT:
                attributes = _first(attributes, ATTRIBUTE_LIMIT)
            if span is local_root:
                attributes = _describe_root(root, attributes)
                if root.links:
                    links = [*root.links, *links]
            fields = (
                trace_id, span.id, parent_id, name, kind, start + epoch, duration if duration > 0 else 0, status, message,
                attributes, events, links, scope, span is local_root, trace_state,
            )  # fmt: skip
            converted.append(_tuple(FinishedSpan, fields))
        except Exception as failure:
            guard.swallow(failure)
    return converted


def _identify(spans: Sequence[Span], identifiers: Iterator[int]) -> None:
    """Give an id to each span that has none, as asking one for its id would, but all of them under one lock."""
    with making:
        for span in spans:
            if not span.id:
                span.id = next(identifiers)


def _describe_root(root: LocalRoot, attributes: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
    if root.dropped:
        attributes = {**attributes, "autotrace.dropped_spans": root.dropped}
    if root.remote is not None and root.remote.external_id is not None:
        attributes = {**attributes, "autotrace.external_id": root.remote.external_id}
    return attributes


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
