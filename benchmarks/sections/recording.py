"""A. A traced call: takes a session, gives what tracing adds to calls of trivial functions, by peer and mode."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.sample import Goal, Sample
from benchmarks.session import Session

NAME = "A"
TITLE = "A traced call"
NOTE = (
    "Nanoseconds of the calling thread that tracing adds to a call of a trivial function: the median of many loops of 250 "
    "calls below one root, less the same loop untraced. `CPU` is that of every thread of the process, until the spans have "
    "reached the transport. A resume, a tag and a call that is no target are compared with the reference's plain call; a "
    "peer without a figure for generators leaves the generator's span current in its caller."
)
REFERENCE = ("opentelemetry", "recorded")
CASES = {
    "sync": "a call",
    "root_end": "with its root's end",
    "cpu": "CPU",
    "tagged": "with one tag",
    "nested": "nested, per span",
    "async": "async",
    "resume": "a generator's resume",
    "generator": "a generator of one step",
    "own_root": "a trace of its own",
    "plain": "no target",
}
OF = {"tagged": "sync", "resume": "sync", "plain": "sync"}
"""Cases whose ratio is to another case of the reference."""
GOALS = (
    Goal("a call, recorded", "sync", 0.04),
    Goal("an async call", "async", 0.05),
    Goal("a generator, per resume", "resume", 0.05),
    Goal("recorded, with one tag from an argument", "tagged", 0.06),
    Goal("with `record = false` for this endpoint", "sync", 0.005, mode="record_false"),
)

_PEERS = ("opentelemetry", "autotrace", "ddtrace", "newrelic", "sentry", "elastic", "logfire")
_MODES = {"autotrace": ("recorded", "unsampled", "record_false")}
_RECORDED = ("sync", "tagged", "nested", "async", "resume", "generator", "own_root", "plain")
_UNSAMPLED = ("sync", "tagged", "async", "own_root")
_SECONDS, _QUICK_SECONDS = 0.12, 0.03


def measure(session: Session) -> Iterator[Sample]:
    """One case after the other, every peer and mode within it, so that what is compared is measured close together."""
    seconds = _QUICK_SECONDS if session.quick else _SECONDS
    for number in range(session.rounds):
        session.say(f"round {number + 1} of {session.rounds}")
        for case in _RECORDED:
            bare = session.ask("bare", "recorded", case, seconds=seconds)
            if bare is None:
                continue
            for peer, mode in _setups(session, case):
                found = session.ask(peer, mode, case, seconds=seconds)
                if found is not None:
                    for name, field in _values(case):
                        yield Sample(NAME, name, peer, mode, number, found[field] - bare[field], "ns")


def _setups(session: Session, case: str) -> Iterator[tuple[str, str]]:
    for peer in session.having(*_PEERS):
        for mode in _MODES.get(peer, ("recorded", "unsampled")):
            if mode == "recorded" or case in _UNSAMPLED:
                yield peer, mode


def _values(case: str) -> tuple[tuple[str, str], ...]:
    """What a case is called in the table, and which field of the answer it is."""
    if case == "sync":
        return ("sync", "inner"), ("root_end", "whole"), ("cpu", "cpu")
    return ((case, "inner"),)
