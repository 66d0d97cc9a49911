"""D. Export: takes a session, gives what a span costs until it lies in the store or is bytes of the wire, by peer."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.sample import Goal, Sample
from benchmarks.session import Session

NAME = "D"
TITLE = "Export"
NOTE = (
    "CPU per span. `All CPU`: of every thread, from the start of the call until its span has reached the transport, in "
    "traces of ten, less the same calls untraced. `Encoding`: of one thread, for 500 finished spans with no and with five "
    "attributes: for OpenTelemetry `encode_spans` and `SerializeToString`, for autotrace all that its export thread does. "
    "autotrace, recorded, writes to the local store; OpenTelemetry, recorded, has an exporter that only counts."
)
REFERENCE = ("opentelemetry", "otlp")
CASES = {
    "total": "all CPU",
    "encode_0": "encoding, no attributes",
    "encode_5": "encoding, 5 attributes",
    "bytes_0": "bytes per span, no attributes",
    "bytes_5": "bytes per span, 5 attributes",
}
GOALS = (
    Goal("a span to OTLP bytes, no attributes", "encode_0", 0.15, mode="otlp"),
    Goal("a span to OTLP bytes, 5 attributes", "encode_5", 0.15, mode="otlp"),
    Goal("all CPU per span, to the local store", "total", 0.12),
    Goal("all CPU per span, to OTLP bytes", "total", 0.12, mode="otlp"),
)

_SETUPS = (
    ("opentelemetry", "otlp"),
    ("autotrace", "otlp"),
    ("autotrace", "recorded"),
    ("opentelemetry", "recorded"),
    ("ddtrace", "recorded"),
    ("newrelic", "recorded"),
    ("sentry", "recorded"),
    ("elastic", "recorded"),
    ("logfire", "recorded"),
)
_ENCODERS = (("opentelemetry", "otlp"), ("autotrace", "otlp"), ("autotrace", "recorded"))
_SECONDS, _QUICK_SECONDS = 0.4, 0.1


def measure(session: Session) -> Iterator[Sample]:
    """Every peer within one round."""
    seconds = _QUICK_SECONDS if session.quick else _SECONDS
    for number in range(session.rounds):
        session.say(f"round {number + 1} of {session.rounds}")
        yield from _totals(session, number, seconds)
        for attributes in (0, 5):
            yield from _encodings(session, number, seconds, attributes)


def _totals(session: Session, number: int, seconds: float) -> Iterator[Sample]:
    bare = session.ask("bare", "recorded", "traces", seconds=seconds)
    for peer, mode in _present(session, _SETUPS):
        found = session.ask(peer, mode, "traces", seconds=seconds)
        if found is not None and bare is not None:
            yield Sample(NAME, "total", peer, mode, number, found["cpu"] - bare["cpu"], "ns")


def _encodings(session: Session, number: int, seconds: float, attributes: int) -> Iterator[Sample]:
    for peer, mode in _present(session, _ENCODERS):
        found = session.ask(peer, mode, f"encode_{attributes}", seconds=seconds)
        if found is not None:
            yield Sample(NAME, f"encode_{attributes}", peer, mode, number, found["cpu"], "ns")
            yield Sample(NAME, f"bytes_{attributes}", peer, mode, number, found["bytes"], "bytes")


def _present(session: Session, setups: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    return [(peer, mode) for peer, mode in setups if peer in session.peers]
