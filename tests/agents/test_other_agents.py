"""Hazard R50: a program that has a tracing agent already runs under autotrace as it did, and sends one `traceparent`.

Everything stays on loopback: Sentry has a transport of the test's, Datadog an agent's address where nobody listens.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from agent_programs import OWN_HEADERS, PROGRAMS

from tests.run.program import environment, write

Pairs = list[tuple[str, str]]

TRACING = '[[services]]\nname = "jobs"\nat = "app:work"\n'
QUIET = {
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_STARTUP_LOGS": "false",
    "DD_CRASHTRACKING_ENABLED": "false",
}


class Recorder(ThreadingHTTPServer):
    """Keeps the raw headers of every request, a name as often as it came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.requests: dict[str, list[Pairs]] = {}


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        pairs = [(name.lower(), value) for name, value in self.headers.items()]
        server.requests.setdefault(self.path, []).append(pairs)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        return None


@pytest.fixture(scope="module")
def recorder() -> Iterator[Recorder]:
    server = Recorder()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(frozen=True)
class Outcome:
    """What a run of a program showed, and the headers of the one request that it sent."""

    output: str
    errors: str
    code: int
    headers: Pairs

    def values(self, header: str) -> list[str]:
        return [value for name, value in self.headers if name == header]


def run_both(folder: Path, recorder: Recorder) -> tuple[Outcome, Outcome]:
    """Run app.py without autotrace and, at the same time, with it."""
    recorder.requests.clear()
    url = f"http://127.0.0.1:{recorder.server_port}"
    plain = start(folder, "app.py", f"{url}/plain")
    traced = start(folder, "-m", "autotrace", "app.py", f"{url}/traced")
    return finish(plain, recorder, "/plain"), finish(traced, recorder, "/traced")


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, *words], cwd=folder, env=environment(**QUIET), stdout=pipe, stderr=pipe, text=True
    )


def finish(process: subprocess.Popen[str], recorder: Recorder, path: str) -> Outcome:
    with process:
        try:
            output, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    sent = recorder.requests.get(path, [])
    assert len(sent) == 1, errors
    return Outcome(output, errors, process.returncode, sent[0])


def stored(folder: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "autotrace", "show", "--format", "json"]
    text = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=30, check=True
    )
    return list(json.loads(text.stdout))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_with_another_agent_runs_as_it_did_and_sends_one_traceparent(
    name: str, tmp_path: Path, recorder: Recorder
) -> None:
    write(tmp_path, app=PROGRAMS[name], tracing=TRACING)
    plain, traced = run_both(tmp_path, recorder)
    if name in OWN_HEADERS:
        assert plain.values(OWN_HEADERS[name]), "the agent was not at work"
        assert len(traced.values(OWN_HEADERS[name])) == 1
    assert (traced.output, traced.code) == (plain.output, plain.code) and plain.code == 0
    assert "Traceback" not in traced.errors
    said = [line for line in traced.errors.splitlines() if line.startswith("autotrace: ") and " is active too" in line]
    assert len(said) == (0 if "sentry" in name else 1), traced.errors
    assert len(traced.values("traceparent")) == 1, traced.headers
    spans = stored(tmp_path)
    work = next(span for span in spans if span["name"] == "work")
    requests = [span for span in spans if span["kind"] == "client" and span["parent_id"] == work["span_id"]]
    assert len(requests) == 1, spans
