"""Adaptive sampling of a real server: takes nothing, gives how many traces a second it keeps while load and workers change.

gunicorn, one to four uvicorn workers, loaded by wrk over connections that are made anew for each phase.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from autotrace.store.read import StoreReader
from benchmarks.environments import CHECKOUT
from benchmarks.results import machine

TARGET = 100
TOLERANCE = 0.15
_SECONDS = 42
_BEGINS, _ENDS = 10, 40
_BEAT_S = 1.0
_REPORT = CHECKOUT / "benchmarks" / "ADAPTIVE.md"
_CONFIG = f"""\
service_name = "shop"

[sampler]
type = "adaptive"
target_per_second = {TARGET}
"""
# Of 1000 requests 700, 200, 80, 18 and 2.
_REQUESTS = """\
request = function()
  local dice = math.random()
  local path = "/reports"
  if dice < 0.7 then path = "/orders/17"
  elseif dice < 0.9 then path = "/customers/4"
  elseif dice < 0.98 then path = "/search"
  elseif dice < 0.998 then path = "/cart" end
  return wrk.format("GET", path)
end
"""
_INTRODUCTION = f"""\
# Adaptive sampling of a real server

Made by `python -m benchmarks adaptive`; not written by hand. gunicorn with uvicorn workers under `python -m autotrace run`,
`target_per_second = {TARGET}` for the service; a request waits a tenth of a second, so that wrk's connections, made anew for
each phase, say how many come in a second. Kept are the traces in the store, by the second in which they began; the mean is
that of the seconds {_BEGINS} to {_ENDS} after the change. Required: within {TOLERANCE:.0%} of the target.
"""


class Phase(NamedTuple):
    """What changes, and what holds from then on."""

    change: str
    workers: int
    connections: int


PHASES = (
    Phase("start", 1, 11),
    Phase("connections x 10", 1, 110),
    Phase("workers 1 -> 4", 4, 110),
    Phase("workers 4 -> 1", 1, 110),
    Phase("connections / 10", 1, 11),
)


class Outcome(NamedTuple):
    """One phase: when it began, in nanoseconds since the epoch, requests a second, and kept traces by second."""

    phase: Phase
    began: int
    requests: float
    kept: Sequence[int] = ()

    @property
    def mean(self) -> float:
        """Kept traces a second, once the change is ten seconds old."""
        settled = self.kept[_BEGINS:_ENDS]
        return sum(settled) / len(settled)

    @property
    def is_met(self) -> bool:
        """Whether that is near enough to the target."""
        return abs(self.mean - TARGET) <= TOLERANCE * TARGET


def main() -> int:
    """Measure, and write the report; 1 where the target was missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tracing.toml").write_text(_CONFIG, encoding="utf-8")
        (folder / "requests.lua").write_text(_REQUESTS, encoding="utf-8")
        with _server(folder) as (master, port):
            loaded = [_load(folder, master, port, phase) for phase in PHASES]
        outcomes, endpoints = _read(folder / ".autotrace" / "traces.db", loaded)
    _REPORT.write_text(_report(outcomes, endpoints), encoding="utf-8")
    print(_REPORT, file=sys.stderr)
    return 0 if all(outcome.is_met for outcome in outcomes) else 1


@contextmanager
def _server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    script = Path(sys.executable).with_name("gunicorn")
    command = [sys.executable, "-m", "autotrace", "run", "--", str(script), "benchmarks.apps.waiting_shop:app"]
    command += ["--bind", "127.0.0.1:0", "--worker-class", "uvicorn_worker.UvicornWorker"]
    log = folder / "log"
    with log.open("wb") as said:
        environ = {"PYTHONPATH": str(CHECKOUT), "PATH": str(Path(sys.executable).parent), "HOME": str(folder)}
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=said, stderr=said)
    try:
        _await_workers(log, 1)
        yield process, int(re.findall(r"http://127\.0\.0\.1:(\d+)", log.read_text())[0])
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()


def _load(folder: Path, master: subprocess.Popen[bytes], port: int, phase: Phase) -> Outcome:
    """Let the server have the workers of a phase, and send its requests."""
    print(f"{phase.change}: {phase.workers} workers, {phase.connections} connections", file=sys.stderr)
    log = folder / "log"
    started, ended = log.read_text().count("startup complete"), log.read_text().count("Finished server process")
    more = phase.workers - (started - ended)
    for _ in range(abs(more)):
        master.send_signal(signal.SIGTTIN if more > 0 else signal.SIGTTOU)
        time.sleep(_BEAT_S)  # two signals of a kind at once would be one
    _await_workers(log, started + max(more, 0))
    command = ["wrk", "-t", "1", "-c", str(phase.connections), "-d", f"{_SECONDS}s", "-s", "requests.lua"]
    began = time.time_ns()
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    return Outcome(phase, began, float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]))


def _await_workers(log: Path, started: int) -> None:
    deadline = time.monotonic() + 30
    while log.read_text().count("startup complete") < started:
        if time.monotonic() > deadline:
            raise TimeoutError(log.read_text()[-1000:])
        time.sleep(0.1)


def _read(store: Path, loaded: Sequence[Outcome]) -> tuple[list[Outcome], Counter[str]]:
    """The outcomes with what was kept, and how many traces of each endpoint were."""
    with StoreReader(store) as reader:
        traces = reader.traces(limit=10**6)
    outcomes = []
    for outcome in loaded:
        seconds = Counter((trace.start_ns - outcome.began) // 10**9 for trace in traces)
        outcomes.append(outcome._replace(kept=tuple(seconds[second] for second in range(_SECONDS))))
    return outcomes, Counter(trace.endpoint for trace in traces)


def _report(outcomes: Sequence[Outcome], endpoints: Counter[str]) -> str:
    lines = [
        "| change | workers | requests/s | second 0 | 1 | 2 | 3 | 4 | mean of 10 to 40 | met |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        first = " | ".join(str(kept) for kept in outcome.kept[:5])
        met = "yes" if outcome.is_met else "**no**"
        phase = outcome.phase
        lines.append(
            f"| {phase.change} | {phase.workers} | {outcome.requests:.0f} | {first} | {outcome.mean:.1f} | {met} |"
        )
    kept = ", ".join(f"`{name}` {count}" for name, count in endpoints.most_common())
    circumstances = (
        f"{time.strftime('%Y-%m-%d')}, {machine()}. Kept by endpoint, of 700 : 200 : 80 : 18 : 2 requests: {kept}."
    )
    return "\n".join((_INTRODUCTION, *lines, "", circumstances, ""))
