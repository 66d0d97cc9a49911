"""The formats of the wire: takes a reader of headers, gives a remote parent; takes a span, gives the headers to send.

W3C Trace Context (https://www.w3.org/TR/trace-context/), W3C Baggage and `x-trace`: `X-Trace-ID` (32 hex), `X-Span-ID`
(16), `X-Parent-ID` (16) and `X-Trace-Sampled` (0 or 1); in messages `trace_id`, `span_id` and `parent_id`. The receiver's
parent is the sender's span id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autotrace.propagate.carrier import Read
from autotrace.span.remote import RemoteParent
from autotrace.span.span import Span


@dataclass(frozen=True, slots=True)
class Names:
    """How one kind of carrier spells the ids of `x-trace`, as they are written; "" for what it does not carry."""

    trace_id: str
    span_id: str
    parent_id: str
    sampled: str = ""

    @property
    def headers(self) -> tuple[str, ...]:
        """The lower-case names of every header that is read or written."""
        own = (self.trace_id, self.span_id, self.parent_id, self.sampled)
        return ("traceparent", "tracestate", "baggage", *(name.lower() for name in own if name))


HTTP = Names("X-Trace-ID", "X-Span-ID", "X-Parent-ID", "X-Trace-Sampled")
MESSAGE = Names("trace_id", "span_id", "parent_id")
HEADERS = HTTP.headers

EXTERNAL_LIMIT = 128
STATE_LIMIT = 512
_LONG_MEMBER = 128
BAGGAGE_LIMIT = 8192

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_TRACE_ID = re.compile(r"[0-9a-fA-F]{32}")
_SPAN_ID = re.compile(r"[0-9a-fA-F]{16}")
_PRINTABLE = re.compile(r"[\x20-\x7e\t]*")
_VISIBLE = re.compile(r"[\x20-\x7e]+")
_DECISIONS = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, slots=True)
class Inbound:
    """What came in: the parent, if there is a valid one, and a trace id of somebody else's making."""

    parent: RemoteParent | None = None
    external_id: str | None = None


NOTHING = Inbound()


def extract(read: Read, formats: Sequence[str], names: Names = HTTP) -> Inbound:
    """The remote parent that the headers name, `traceparent` first; what is malformed counts as absent."""
    parent = _from_traceparent(read) if "tracecontext" in formats else None
    identifier = (read(names.trace_id.lower()) or "").strip() if "x-trace" in formats else ""
    if parent is None and identifier:
        parent = _from_x_trace(identifier, read, names)
    external = _external_id(identifier) if identifier else None
    if parent is None:
        return Inbound(None, external) if external else NOTHING
    baggage = _passed_on(read("baggage"), BAGGAGE_LIMIT) if "baggage" in formats else ""
    return Inbound(
        RemoteParent(parent.trace_id, parent.span_id, parent.sampled, parent.trace_state, baggage, external), external
    )


def inject(span: Span, formats: Sequence[str], parent_id: int = 0, names: Names = HTTP) -> dict[str, str]:
    """The headers that make the receiver a child of `span`; asking takes the head decision.

    `parent_id` is what `X-Parent-ID` or `parent_id` says, for information; 0 leaves it out.
    """
    root = span.root
    remote = root.remote
    # A span that is never exported has nobody below it: what it sends is below its caller.
    number = span.span_id if root.unrecorded is None or remote is None else remote.span_id or span.span_id
    trace_id, span_id = "%032x" % root.trace_id, "%016x" % number  # noqa: UP031 - half the time of a format
    sampled = root.sampled
    headers: dict[str, str] = {}
    if "tracecontext" in formats:
        headers["traceparent"] = f"00-{trace_id}-{span_id}-{'01' if sampled else '00'}"
        if root.trace_state:
            headers["tracestate"] = root.trace_state
    if remote is not None and remote.baggage and "baggage" in formats:
        headers["baggage"] = remote.baggage
    if "x-trace" in formats:
        headers[names.trace_id] = trace_id
        headers[names.span_id] = span_id
        if parent_id:
            headers[names.parent_id] = "%016x" % parent_id  # noqa: UP031 - likewise
        if names.sampled:
            headers[names.sampled] = "1" if sampled else "0"
    return headers


def carried_trace_id(read: Read, names: Names = HTTP) -> int | None:
    """The trace that headers already belong to; None if they name none, 0 if they name one that cannot be read."""
    traceparent = read("traceparent")
    if traceparent is not None:
        match = _TRACEPARENT.fullmatch(traceparent.strip())
        return int(match[2], 16) if match else 0
    identifier = read(names.trace_id.lower())
    if identifier is None:
        return None
    return int(identifier, 16) if _TRACE_ID.fullmatch(identifier) else 0


def _from_traceparent(read: Read) -> RemoteParent | None:
    value = read("traceparent")
    match = _TRACEPARENT.fullmatch(value.strip()) if value else None
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest):
        return None
    if not int(trace_id, 16) or not int(span_id, 16):
        return None
    state = _state(read("tracestate"))
    return RemoteParent(int(trace_id, 16), int(span_id, 16), bool(int(flags, 16) & 1), state)


def _from_x_trace(identifier: str, read: Read, names: Names) -> RemoteParent | None:
    trace_id = _trace_number(identifier)
    if not trace_id:
        return None
    span_id = (read(names.span_id.lower()) or "").strip()
    sampled = _DECISIONS.get((read(names.sampled.lower()) or "").strip().lower()) if names.sampled else None
    # A caller that knows only the trace (a browser, a load generator) sends no span: the trace goes on, without a parent.
    return RemoteParent(trace_id, int(span_id, 16) if _SPAN_ID.fullmatch(span_id) else 0, sampled)


def _trace_number(identifier: str) -> int:
    if _UUID.fullmatch(identifier):
        identifier = identifier.replace("-", "")
    return int(identifier, 16) if _TRACE_ID.fullmatch(identifier) else 0


def _external_id(identifier: str) -> str | None:
    if not identifier or len(identifier) > EXTERNAL_LIMIT or not _VISIBLE.fullmatch(identifier):
        return None
    known = _TRACE_ID.fullmatch(identifier) or _UUID.fullmatch(identifier)
    return None if known else identifier


def _state(value: str | None) -> str:
    """A `tracestate` of at most 512 characters: the longest entries go first, then the last (W3C, section 3.3.1.5)."""
    members = [member.strip() for member in (value or "").split(",")]
    members = [member for member in members if member and _PRINTABLE.fullmatch(member)]
    if sum(map(len, members)) + len(members) - 1 > STATE_LIMIT:
        members = [member for member in members if len(member) <= _LONG_MEMBER]
    while sum(map(len, members)) + len(members) - 1 > STATE_LIMIT:
        members.pop()
    return ",".join(members)


def _passed_on(value: str | None, limit: int) -> str:
    """What may go out again as it came: printable, so that no CR or LF can split a request, and not too long."""
    if value is None or len(value) > limit or not _PRINTABLE.fullmatch(value):
        return ""
    return value.strip()
