"""B. A request: takes a session, gives what a request costs that is served, or made, in a traced process."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from statistics import mean, median

from benchmarks.environments import CHECKOUT, TITLES
from benchmarks.sample import Goal, Sample
from benchmarks.session import Session
from benchmarks.worker_process import WorkerError, WorkerProcess

NAME = "B"
TITLE = "A request"
NOTE = (
    "What tracing adds to a request of Flask and of FastAPI, in process: one query of sqlite3 and one traced function; and "
    "to a call of requests and of httpx to a server on this machine that keeps the connection open, ten calls to a trace. "
    "Time: that of the thread that serves, which other programs do not change. CPU: of the whole process, until all spans "
    "are encoded and would be sent, or lie in the local store. Added is what exceeds the untraced program of the same round."
)
REFERENCE = ("contrib", "recorded")
_SERVED = {"flask": "Flask", "fastapi": "FastAPI"}
_CALLED = {"requests": "requests", "httpx": "httpx"}
CASES = {
    **{f"{case}_time": f"{title}, added time" for case, title in _SERVED.items()},
    **{f"{case}_cpu": f"{title}, added CPU" for case, title in (_SERVED | _CALLED).items()},
    **{f"{case}_spans": f"{title}, spans" for case, title in (_SERVED | _CALLED).items()},
}
GOALS = (
    Goal("a Flask request, added time", "flask_time", 0.10),
    Goal("a FastAPI request, added time", "fastapi_time", 0.12),
    Goal("a call of requests, added CPU", "requests_cpu", 0.15),
    Goal("a call of httpx, added CPU", "httpx_cpu", 0.15),
)

_PEERS = ("autotrace", "contrib", "ddtrace", "newrelic", "sentry", "elastic", "logfire")
_MODES = ("recorded", "unsampled", "record_false")
_MODULE = "benchmarks.apps.web_worker"
_LEAST = {"flask": 2.0, "fastapi": 2.0, "requests": 1.0, "httpx": 1.0}
"""Spans of a request that are recorded at the least; Sentry has none of sqlite3."""
_BARES = (("bare", "first"), ("bare", "second"))
"""Two processes, whose mean is taken: each difference is one to them."""
_SLICES, _QUICK_SLICES = 2, 1
_SECONDS = 0.3
"""Of a slice. It ends with bringing the spans away, which has costs of its own; in shorter slices they would show."""
_COUNTED = 20

Key = tuple[str, str]
Workers = dict[Key, WorkerProcess]


def measure(session: Session) -> Iterator[Sample]:
    """Every peer and mode within one round, one case after the other; spans are counted once."""
    with _keep_alive(session) as url:
        workers = dict(_workers(session))
        try:
            yield from _count(session, workers, url)
            for number in range(session.rounds):
                session.say(f"round {number + 1} of {session.rounds}")
                for case in (*_SERVED, *_CALLED):
                    yield from _round(session, workers, case, url, number)
        finally:
            for worker in workers.values():
                worker.stop()


def _workers(session: Session) -> Iterator[tuple[Key, WorkerProcess]]:
    wanted = [*_BARES, *((peer, mode) for peer in _PEERS for mode in _MODES)]
    for peer, mode in wanted:
        if mode == "record_false" and peer != "autotrace":
            continue
        if peer not in ("bare", *session.peers):
            continue
        folder = session.new_folder(f"web-{peer}-{mode}")
        try:
            worker = WorkerProcess(session.python(peer), peer, mode, folder, session.environ(), _MODULE)
        except WorkerError as error:
            session.note(f"{TITLES[peer]}, {mode}: {str(error).strip()[-300:]}")
        else:
            yield (peer, mode), worker


def _count(session: Session, workers: Workers, url: str) -> Iterator[Sample]:
    """Also what warms the workers up. Who records less than a trace's spans is left out: it would look fast."""
    for case, least in _LEAST.items():
        for (peer, mode), answer in _ask_all(session, workers, list(workers), case, url=url, requests=_COUNTED).items():
            if peer == "bare":
                continue
            spans = answer["spans"] / _COUNTED
            yield Sample(NAME, f"{case}_spans", peer, mode, 0, spans, "spans")
            if mode == "recorded" and spans < least:
                session.note(f"{TITLES[peer]} is left out: it recorded {spans:g} spans of a request of {case}.")
                workers.pop((peer, mode)).stop()


def _round(session: Session, workers: Workers, case: str, url: str, number: int) -> Iterator[Sample]:
    """Every worker in turn, in an order that changes, more than once: the machine's speed changes within seconds."""
    slices = []
    for turn in range(_QUICK_SLICES if session.quick else _SLICES):
        keys = list(workers)
        Random(number * _SLICES + turn).shuffle(keys)
        slices.append(_ask_all(session, workers, keys, case, url=url, seconds=_SECONDS))
    for kind in ("time", "cpu"):
        found = {key: median(one[key][kind] for one in slices) for key in workers}
        bare = mean(found.pop(key) for key in _BARES)
        for (peer, mode), value in found.items():
            yield Sample(NAME, f"{case}_{kind}", peer, mode, number, value - bare, "us")


def _ask_all(
    session: Session, workers: Workers, keys: Sequence[Key], case: str, **how: float | str
) -> dict[Key, dict[str, float]]:
    """The answers of all workers but those that broke, which are noted and gone. Raises WorkerError for a bare one."""
    answers = {}
    for key in keys:
        try:
            answers[key] = workers[key].ask(case, **how)
        except WorkerError as error:
            if key in _BARES:
                raise
            session.note(f"{TITLES[key[0]]}, {key[1]}, broke at {case}: {str(error).strip()[-300:]}")
            workers.pop(key).stop()
    return answers


@contextmanager
def _keep_alive(session: Session) -> Iterator[str]:
    """A server in a process of its own; its URL."""
    command = [session.python("bare"), "-m", "benchmarks.apps.keep_alive"]
    with subprocess.Popen(command, cwd=CHECKOUT, env=session.environ(), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/"
        finally:
            server.terminate()
