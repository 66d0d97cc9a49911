"""What leaves the process: takes nothing, gives the plain data that exporters and the store read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

AttributeScalar: TypeAlias = str | bool | int | float
AttributeValue: TypeAlias = AttributeScalar | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]


class FinishedEvent(NamedTuple):
    """Something that happened at one moment of a span; `time_ns` is nanoseconds since the epoch."""

    name: str
    time_ns: int
    attributes: Mapping[str, AttributeValue]


class FinishedLink(NamedTuple):
    """A span of this or another trace that this one belongs with; ids are integers of 128 and 64 bits."""

    trace_id: int
    span_id: int
    attributes: Mapping[str, AttributeValue]


class FinishedSpan(NamedTuple):
    """One span that has ended. Times are nanoseconds since the epoch; ids integers of 128 and 64 bits, parent 0 for none.

    `kind` is internal, server, client, producer or consumer; `status` is unset, ok or error; `local_root` says whether it
    has no parent in its process; `scope` is what recorded it (`autotrace`, or an application's own tracer name);
    `trace_state` is the W3C `tracestate` of its trace, which says with what probability it was sampled.
    """

    trace_id: int
    span_id: int
    parent_id: int
    name: str
    kind: str
    start_ns: int
    duration_ns: int
    status: str
    status_message: str
    attributes: Mapping[str, AttributeValue]
    events: Sequence[FinishedEvent]
    links: Sequence[FinishedLink]
    scope: str
    local_root: bool
    trace_state: str = ""


class Resource(NamedTuple):
    """Whose spans a batch holds: the service's name and the attributes of its process."""

    service_name: str
    attributes: Mapping[str, AttributeValue]
