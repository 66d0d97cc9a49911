"""A server with three workers whose load becomes four times as much and a quarter: what adaptive sampling keeps of it.

`python -m benchmarks adaptive` is the long form, with wrk.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from autotrace.store.read import StoreReader

from .program import environment, write

APP = """
import sys, time
from flask import Flask
app = Flask(__name__)

@app.get("/orders/<number>")
@app.get("/customers/<number>")
def show(number):
    time.sleep(0.05)
    return number

print("ready", file=sys.stderr)
"""
TARGET = 40
CONFIG = f'service_name = "shop"\n[sampler]\ntype = "adaptive"\ntarget_per_second = {TARGET}\n'
SERVER = ("gunicorn", "app:app", "--workers", "3", "--worker-class", "gthread", "--threads", "16")
PHASES = ((6, 9), (24, 8), (6, 10))
"""How many connections, each of about 20 requests a second, for how many seconds."""
SETTLED = 4


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """The port of a traced server."""
    command = [sys.executable, "-m", "autotrace", "run", "--", str(Path(sys.executable).with_name(SERVER[0]))]
    command += [*SERVER[1:], "--bind", "127.0.0.1:0"]
    log = folder / "log"
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=folder, env=environment(), stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + 30
        while log.read_text().count("ready") < 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        yield int(re.findall(r"http://127\.0\.0\.1:(\d+)", log.read_text())[0])
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def load(port: int, connections: int, seconds: float) -> None:
    """Ask over so many connections, one request after the other."""
    customers = [threading.Thread(target=ask, args=(port, number, seconds)) for number in range(connections)]
    for customer in customers:
        customer.start()
    for customer in customers:
        customer.join()


def ask(port: int, number: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    path = f"/orders/{number}" if number % 3 else f"/customers/{number}"
    while time.monotonic() < end:
        connection = HTTPConnection("127.0.0.1", port)
        connection.request("GET", path)
        assert connection.getresponse().read() == str(number).encode()
        connection.close()


def test_three_workers_keep_the_target_together_while_the_load_changes(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=CONFIG)
    begun = []
    with served(tmp_path) as port:
        for connections, seconds in PHASES:
            begun.append(time.time_ns())
            load(port, connections, seconds)
    with StoreReader(tmp_path / ".autotrace" / "traces.db") as reader:
        traces = reader.traces(limit=10**6)
    for (_, seconds), beginning in zip(PHASES, begun, strict=True):
        kept = Counter((trace.start_ns - beginning) // 10**9 for trace in traces)
        settled = range(seconds - SETTLED, seconds)
        assert sum(kept[second] for second in settled) / SETTLED == pytest.approx(TARGET, rel=0.35)
    assert {trace.endpoint for trace in traces} == {"GET /orders/<number>", "GET /customers/<number>"}
