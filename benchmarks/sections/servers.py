"""F. Servers: takes a session, gives what uvicorn and gunicorn do under load, untraced and traced."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from random import Random
from types import TracebackType

from benchmarks.apps.kept import count_spans
from benchmarks.environments import CHECKOUT, TITLES
from benchmarks.sample import Goal, Sample
from benchmarks.session import Session
from benchmarks.worker_process import WorkerError

NAME = "F"
TITLE = "A server under load"
NOTE = (
    "wrk on four connections against one process of uvicorn that serves FastAPI, and one of gunicorn (gthread, four "
    "threads) that serves Flask; a request has one query of sqlite3 and one traced function. All spans are recorded and "
    "kept. Requests a second are better when higher, latencies when lower."
)
REFERENCE = ("bare", "served")
_SERVERS = {
    "uvicorn": ("-m", "uvicorn", "benchmarks.apps.served_fastapi:app", "--port", "0", "--no-access-log"),
    "gunicorn": (
        *("-m", "gunicorn", "benchmarks.apps.served_flask:app", "--bind", "127.0.0.1:0"),
        *("--worker-class", "gthread", "--threads", "4"),
    ),
}
_COLUMNS = {"rate": "requests/s", "p50": "p50", "p99": "p99"}
CASES = {f"{server}_{column}": f"{server}, {title}" for server in _SERVERS for column, title in _COLUMNS.items()}
GOALS: Sequence[Goal] = ()

_PEERS = ("bare", "autotrace", "contrib", "ddtrace", "newrelic", "sentry", "elastic", "logfire")
_MODE = "served"
_PATH = "/articles/7"
_MOST_ROUNDS = 5
_SECONDS, _QUICK_SECONDS = 2, 1
_CONNECTIONS = 4
_CONFIG = """\
service_name = "shop"

[[targets]]
at = "benchmarks.apps.pricing:price_order"
"""
_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6}


def measure(session: Session) -> Iterator[Sample]:
    """Every peer within one round, one server after the other; all servers of a kind run, and all but one idle."""
    if shutil.which("wrk") is None:
        session.note("Section F is missing: it needs the program wrk (`apt-get install wrk`).")
        return
    for kind in _SERVERS:
        with ExitStack() as stack:
            servers = _start_all(session, kind, stack)
            for number in range(min(session.rounds, _MOST_ROUNDS)):
                session.say(f"{kind}, round {number + 1}")
                yield from _round(session, servers, kind, number)
        for server in servers.values():
            server.check(session)


def _start_all(session: Session, kind: str, stack: ExitStack) -> dict[str, _Server]:
    servers = {}
    for peer in session.having(*_PEERS):
        try:
            servers[peer] = stack.enter_context(_Server(session, kind, peer))
            servers[peer].load(1)
        except WorkerError as error:
            session.note(f"{TITLES[peer]} is missing from {kind}: {str(error).strip()[-300:]}")
            servers.pop(peer, None)
    return servers


def _round(session: Session, servers: dict[str, _Server], kind: str, number: int) -> Iterator[Sample]:
    """One load of every server, in an order that changes."""
    peers = list(servers)
    Random(number).shuffle(peers)
    found = {peer: servers[peer].load(_QUICK_SECONDS if session.quick else _SECONDS) for peer in peers}
    for peer in servers:
        for column, value in found[peer].items():
            yield Sample(NAME, f"{kind}_{column}", peer, _MODE, number, value, "1/s" if column == "rate" else "us")


class _Server:
    """A server of one peer, on a port that the system chose, from `with` to its end."""

    def __init__(self, session: Session, kind: str, peer: str) -> None:
        self._peer = peer
        self._kind = kind
        self._folder = session.new_folder(f"{kind}-{peer}")
        self._requests = 0
        self._log = self._folder / "stderr.txt"
        self._port = 0
        self._process = self._start(session)

    def __enter__(self) -> _Server:
        deadline = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                self._stop()
                raise WorkerError(self._log.read_text(errors="replace")[-1000:])
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def load(self, seconds: int) -> dict[str, float]:
        """Requests per second, and latencies in microseconds. Raises WorkerError where a request failed."""
        url = f"http://127.0.0.1:{self._port}{_PATH}"
        command = ["wrk", "-t", "1", "-c", str(_CONNECTIONS), "-d", f"{seconds}s", "--latency", url]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            raise WorkerError(f"{self._peer}: {said}")
        self._requests += int(_find(r"(\d+) requests in", said)[0])
        percentiles = {f"p{percent}": _find(rf"{percent}%\s+([\d.]+)(us|ms|s)\b", said) for percent in (50, 99)}
        rate = float(_find(r"Requests/sec:\s+([\d.]+)", said)[0])
        return {"rate": rate, **{name: float(value) * _UNITS[unit] for name, (value, unit) in percentiles.items()}}

    def check(self, session: Session) -> None:
        """Say so where autotrace has not kept the three spans of every request."""
        if self._peer != "autotrace":
            return
        spans = count_spans(self._folder / ".autotrace" / "traces.db")
        if spans < 3 * self._requests:
            session.note(f"autotrace kept {spans} spans of {self._requests} requests of {self._kind}.")

    def _start(self, session: Session) -> subprocess.Popen[bytes]:
        environ = session.environ(BENCHMARKS_PEER="bare" if self._peer == "autotrace" else self._peer)
        environ["PYTHONPATH"] = str(CHECKOUT)
        (self._folder / "tracing.toml").write_text(_CONFIG, encoding="utf-8")
        tracer = ("-m", "autotrace") if self._peer == "autotrace" else ()
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [session.python(self._peer), *tracer, *_SERVERS[self._kind]],
                cwd=self._folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _answers(self) -> bool:
        """Whether it serves; it says itself on which port."""
        said = re.search(r"http://127\.0\.0\.1:(\d+)", self._log.read_text(errors="replace"))
        if said is None:
            return False
        self._port = int(said[1])
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=5)) as connection:
            try:
                connection.request("GET", _PATH)
                answered = connection.getresponse().status == 200
            except OSError:
                return False
        self._requests += answered
        return answered

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _find(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    assert found is not None, text
    return found.groups()
