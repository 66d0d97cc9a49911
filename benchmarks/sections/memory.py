"""E. Memory: takes a session, gives the bytes that a finished span holds while it waits for its export, by peer."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.sample import Goal, Sample
from benchmarks.session import Session
from benchmarks.worker_process import NoSuchCaseError, WorkerError

NAME = "E"
TITLE = "A waiting span"
NOTE = (
    "Resident memory that a process gains per finished span while 50,000 of them, in traces of ten and without attributes, "
    "wait in the peer's queue. Datadog holds encoded bytes, Sentry envelopes; New Relic and Elastic hold no such number."
)
REFERENCE = ("opentelemetry", "waiting")
CASES = {"waiting": "bytes per waiting span"}
GOALS = (Goal("bytes per waiting span, no attributes", "waiting", 0.12, mode="waiting"),)

_PEERS = ("opentelemetry", "autotrace", "ddtrace", "sentry", "logfire")
_SPANS = 50_000
_MOST_ROUNDS = 3  # memory does not depend on the machine's mood


def measure(session: Session) -> Iterator[Sample]:
    """A new process for each value: memory that was given back once is taken again without a trace."""
    rounds = min(session.rounds, 1 if session.quick else _MOST_ROUNDS)
    for number in range(rounds):
        session.say(f"round {number + 1} of {rounds}")
        for peer in session.having(*_PEERS):
            yield from _hold(session, peer, number)


def _hold(session: Session, peer: str, number: int) -> Iterator[Sample]:
    worker = None
    try:
        worker = session.new_worker(peer, "waiting")
        found = worker.ask("waiting", spans=_SPANS)
        yield Sample(NAME, "waiting", peer, "waiting", number, found["bytes"], "bytes")
    except NoSuchCaseError:
        return
    except WorkerError as error:
        session.note(f"{peer} is missing: {error}")
    finally:
        if worker is not None:
            worker.stop()
