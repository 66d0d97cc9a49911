"""C. The start: takes a session, gives what tracing adds to the start of a program."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.environments import CHECKOUT, TITLES
from benchmarks.sample import Goal, Sample
from benchmarks.session import Session
from benchmarks.worker_process import WorkerError

NAME = "C"
TITLE = "The start of a program"
NOTE = (
    "What tracing adds to `-c pass` and to a program that imports flask, requests, sqlite3 and redis, and ends. Each is "
    "started as its documentation says: by its own command, or, where it has none, by a call in the program. The first "
    "start of autotrace finds no cache of its own. To their advantage, the peers send no metrics and logs, ask for no "
    "remote configuration and send no telemetry of themselves, and OpenTelemetry sends over HTTP, which starts sooner "
    "than gRPC."
)
REFERENCE = ("contrib", "later_start")
_PROGRAMS = {"pass": "`-c pass`", "app": "an app"}
CASES = {
    **{f"{program}_wall": f"{title}, added time" for program, title in _PROGRAMS.items()},
    **{f"{program}_cpu": f"{title}, added CPU" for program, title in _PROGRAMS.items()},
}
GOALS = (
    Goal("a start, plan cached", "pass_wall", 0.10, "later_start"),
    Goal("the first start", "pass_wall", 0.30, "first_start"),
)

Key = tuple[str, str]
"""Peer and mode."""
Spent = tuple[float, float]
"""Milliseconds of wall and of CPU."""

_CONFIG = """\
service_name = "shop"

[[services]]
at      = "app"
methods = ["*", "!_*"]

[sampler]
rate = 0.1
"""
_SENTRY = "import sentry_sdk\nsentry_sdk.init(dsn='http://key@127.0.0.1:9/1', traces_sample_rate=1.0)\n"
_LOGFIRE = "import logfire\nlogfire.configure(token='pylf_v1_local_x', console=False, metrics=False)\n"
_INSTRUMENTED = "".join(f"logfire.instrument_{name}()\n" for name in ("sqlite3", "requests", "redis"))


@dataclass(frozen=True)
class _Start:
    """How a peer is started: a command of its environment before `python`, words after it, lines before the program's."""

    command: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    lines: str = ""
    app_lines: str = ""
    environ: tuple[tuple[str, str], ...] = ()


_STARTS = {
    "bare": _Start(),
    "autotrace": _Start(words=("-m", "autotrace")),
    "contrib": _Start(
        command=("opentelemetry-instrument",),
        environ=(
            ("OTEL_SERVICE_NAME", "shop"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_METRICS_EXPORTER", "none"),
            ("OTEL_LOGS_EXPORTER", "none"),
        ),
    ),
    "ddtrace": _Start(
        command=("ddtrace-run",),
        environ=(
            ("DD_SERVICE", "shop"),
            ("DD_INSTRUMENTATION_TELEMETRY_ENABLED", "false"),
            ("DD_REMOTE_CONFIGURATION_ENABLED", "false"),
        ),
    ),
    "newrelic": _Start(
        command=("newrelic-admin", "run-program"),
        environ=(
            ("NEW_RELIC_APP_NAME", "shop"),
            ("NEW_RELIC_LICENSE_KEY", "0" * 40),
            ("NEW_RELIC_DEVELOPER_MODE", "true"),
        ),
    ),
    "sentry": _Start(lines=_SENTRY),
    "elastic": _Start(
        command=("elasticapm-run",),
        environ=(
            ("ELASTIC_APM_SERVICE_NAME", "shop"),
            ("ELASTIC_APM_CLOUD_PROVIDER", "none"),
            ("ELASTIC_APM_CENTRAL_CONFIG", "false"),
            ("ELASTIC_APM_METRICS_INTERVAL", "0s"),
        ),
    ),
    "logfire": _Start(lines=_LOGFIRE, app_lines=_INSTRUMENTED, environ=(("LOGFIRE_SEND_TO_LOGFIRE", "false"),)),
}
_REPEATED = 3
"""Runs of bare and autotrace a round, of which the median is taken: they are short."""


def measure(session: Session) -> Iterator[Sample]:
    """One start of every peer a round, one program after the other."""
    starts = _starts(session)
    for number in range(-1, session.rounds):  # the round before the first fills what is cached
        for program in _PROGRAMS:
            found = _round(session, starts, program)
            bare = found.pop(("bare", "later_start"))
            for (peer, mode), (wall, cpu) in found.items():
                if number >= 0:
                    yield Sample(NAME, f"{program}_wall", peer, mode, number, wall - bare[0], "ms")
                    yield Sample(NAME, f"{program}_cpu", peer, mode, number, cpu - bare[1], "ms")


def _starts(session: Session) -> dict[Key, Path]:
    """Everything that is started, with a folder of its own."""
    found = {}
    for peer in ("bare", *session.having(*(peer for peer in _STARTS if peer != "bare"))):
        for mode in ("first_start", "later_start") if peer == "autotrace" else ("later_start",):
            folder = found[peer, mode] = session.new_folder(f"start-{peer}")
            lines = _STARTS[peer].lines + _STARTS[peer].app_lines
            imports = (CHECKOUT / "benchmarks" / "apps" / "imports.py").read_text(encoding="utf-8")
            (folder / "app.py").write_text(lines + imports, encoding="utf-8")
            if peer == "autotrace":
                (folder / "tracing.toml").write_text(_CONFIG, encoding="utf-8")
    return found


def _round(session: Session, starts: dict[Key, Path], program: str) -> dict[Key, Spent]:
    found: dict[Key, Spent] = {}
    for (peer, mode), folder in list(starts.items()):
        runs = []
        for _ in range(_REPEATED if peer in ("bare", "autotrace") else 1):
            if mode == "first_start":
                _forget(folder)
            try:
                runs.append(_run(session, peer, folder, program))
            except WorkerError as error:
                if peer == "bare":
                    raise
                session.note(f"{TITLES[peer]} did not start: {str(error).strip()[-300:]}")
                starts.pop((peer, mode))
                break
        else:
            found[peer, mode] = median(wall for wall, _ in runs), median(cpu for _, cpu in runs)
    return found


def _forget(folder: Path) -> None:
    """Take away whatever earlier starts have left in the folder, which is also HOME."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def _run(session: Session, peer: str, folder: Path, program: str) -> Spent:
    """Milliseconds of wall and CPU, children included. Raises WorkerError."""
    start = _STARTS[peer]
    binaries = Path(session.python(peer)).parent
    ending = ["app.py"] if program == "app" else ["-c", start.lines + "pass"]
    before = [str(binaries / start.command[0]), *start.command[1:]] if start.command else []
    environ = session.environ(**dict(start.environ), HOME=str(folder))
    environ["PATH"] = f"{binaries}{os.pathsep}{environ['PATH']}"
    with (folder / "stderr.txt").open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [*before, session.python(peer), *start.words, *ending],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise WorkerError((folder / "stderr.txt").read_text(errors="replace")[-1000:])
    return wall * 1e3, (used.ru_utime + used.ru_stime) * 1e3
