"""What a reader gets from the store: plain frozen data, ids as the hex that people and other tools write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """Something that happened at one moment of a span; `time_ns` is nanoseconds since the epoch."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredLink:
    """A span that this one belongs with; ids are 32 and 16 hex digits."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """One span of the store; ids are 32 and 16 hex digits, times nanoseconds since the epoch."""

    trace_id: str
    span_id: str
    parent_id: str | None
    service: str
    name: str
    kind: str
    start_ns: int
    duration_ns: int
    status: str
    status_message: str
    attributes: Mapping[str, Any]
    events: tuple[StoredEvent, ...]
    links: tuple[StoredLink, ...]
    scope: str
    local_root: bool

    @property
    def end_ns(self) -> int:
        """When it ended, in nanoseconds since the epoch."""
        return self.start_ns + self.duration_ns


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """One trace as a list shows it; `duration_ns` is the whole extent, from the first start to the last end.

    `endpoint` is the name of the root: the span without a parent, else the earliest local root. `status` is `error`
    when any span of the trace is in error, else `ok`.
    """

    trace_id: str
    start_ns: int
    duration_ns: int
    services: tuple[str, ...]
    endpoint: str
    spans: int
    errors: int
    status: str
