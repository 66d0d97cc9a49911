"""Servers with several processes, started by `autotrace run --`: each request once, with the pid of its worker."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.children.traced import recorded, write
from tests.run.program import environment

FLASK = """\
import os
from flask import Flask
app = Flask(__name__)
@app.route("/")
def index():
    return str(os.getpid())
"""
FASTAPI = """\
import os
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
def index():
    return os.getpid()
"""
REQUESTS = 50


def serve(folder: Path, *words: str) -> tuple[int, set[int]]:
    """Run a server from its start to its end with 50 requests; gives its pid and those that answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(sys.executable).with_name(words[0])
    if not script.exists():
        pytest.skip(f"{words[0]} is not installed")
    command = [sys.executable, "-m", "autotrace", "run", "--", str(script), *words[1:]]
    command = [word.replace("PORT", str(port)) for word in command]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment(), stdout=log, stderr=log)
    try:
        answers = [_answer(port, wait=True), *(_answer(port) for _ in range(REQUESTS - 1))]
        server.send_signal(signal.SIGINT)
        server.wait(20)
    finally:
        server.kill()
        server.wait()
    return server.pid, set(answers)


def _answer(port: int, wait: bool = False) -> int:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as response:
                return int(response.read())
        except OSError:
            if not wait or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("words", "app"),
    [
        (("gunicorn", "-w2", "-b", "127.0.0.1:PORT", "app:app"), FLASK),
        (("gunicorn", "--preload", "-w2", "-b", "127.0.0.1:PORT", "app:app"), FLASK),
        (("uvicorn", "--workers", "2", "--port", "PORT", "app:app"), FASTAPI),
        (("uvicorn", "--reload", "--port", "PORT", "app:app"), FASTAPI),
    ],
    ids=["gunicorn", "gunicorn --preload", "uvicorn --workers", "uvicorn --reload"],
)
def test_each_request_is_one_server_span_of_the_worker_that_answered(
    words: tuple[str, ...], app: str, tmp_path: Path
) -> None:
    write(tmp_path, tracing="", app=app)
    master, workers = serve(tmp_path, *words)
    spans = recorded(tmp_path, "GET /")
    assert len(spans) == REQUESTS, (tmp_path / "log").read_text()
    assert len({one.trace for one in spans}) == REQUESTS
    assert {one.pid for one in spans} == workers
    assert master not in workers
