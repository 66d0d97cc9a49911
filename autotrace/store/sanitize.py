"""Makes a span storable whatever it holds: takes a FinishedSpan, gives one of valid text and finite numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from autotrace.span.finished import AttributeValue, FinishedEvent, FinishedLink, FinishedSpan, Resource

_LARGEST = 2**63 - 1
_LONGEST_TEXT = 1024 * 1024
_LONGEST_INTEGER = 4096  # bits


def sanitize_span(span: FinishedSpan) -> FinishedSpan:
    """The same span with every value made storable: lone surrogates escaped, not-a-number spelled, times clamped."""
    return FinishedSpan(
        trace_id=span.trace_id % 2**128,
        span_id=span.span_id % 2**64,
        parent_id=span.parent_id % 2**64,
        name=_text(span.name),
        kind=_text(span.kind),
        start_ns=_time(span.start_ns),
        duration_ns=_time(span.duration_ns),
        status=_text(span.status),
        status_message=_text(span.status_message),
        attributes=_attributes(span.attributes),
        events=[FinishedEvent(_text(e.name), _time(e.time_ns), _attributes(e.attributes)) for e in span.events],
        links=[FinishedLink(k.trace_id % 2**128, k.span_id % 2**64, _attributes(k.attributes)) for k in span.links],
        scope=_text(span.scope),
        local_root=bool(span.local_root),
        trace_state=_text(span.trace_state),
    )


def sanitize_resource(resource: Resource) -> Resource:
    """The same resource with every value made storable."""
    return Resource(_text(resource.service_name), _attributes(resource.attributes))


def _attributes(attributes: Mapping[str, AttributeValue]) -> dict[str, AttributeValue]:
    return {_text(key): _value(value) for key, value in attributes.items()}


def _value(value: object) -> AttributeValue:
    if value is None or isinstance(value, bool):
        return value  # type: ignore[return-value]  # None stands in JSON, whatever the contract says
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        # The spelling of OTLP/JSON, since JSON has no word for these.
        return (
            float(value) if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        )
    if isinstance(value, list | tuple):
        return [_value(item) for item in value]  # type: ignore[return-value]  # mixed kinds stand in JSON too
    return _text(value)


def _integer(value: int) -> int | str:
    # Python itself refuses to print an integer of more than 4,300 digits in decimal.
    return int(value) if value.bit_length() <= _LONGEST_INTEGER else hex(value)[:_LONGEST_TEXT]


def _time(value: int) -> int:
    return max(0, min(int(value), _LARGEST))


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value[:_LONGEST_TEXT]).decode("utf-8", "backslashreplace")
    if not isinstance(value, str):
        return f"<{type(value).__name__}>"  # never str(value): that would run the program's code
    return value[:_LONGEST_TEXT].encode("utf-8", "backslashreplace").decode()
