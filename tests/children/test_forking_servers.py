"""Servers with several processes: each request once, with the pid of its worker.

They are started by `autotrace run --`; uWSGI, a C program that embeds Python, also plainly, and the application installs.
"""

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
INSTALLING = "import autotrace\nautotrace.install()\n"
QUERY = "import sqlite3\nsqlite3.connect(':memory:').execute('SELECT 1').fetchall()\n"
REQUESTS = 50
LAUNCHER = (sys.executable, "-m", "autotrace", "run", "--")
UWSGI = ("uwsgi", "--master", "--processes", "2", "--module", "app:app")


def serve(folder: Path, *words: str, launcher: tuple[str, ...] = LAUNCHER) -> tuple[int, set[int]]:
    """Run a server from its start to its end with 50 requests; gives its pid and those that answered."""
    # gunicorn answers SIGINT with SIGQUIT, which its uvicorn worker is deaf to (untraced as well).
    end = signal.SIGTERM if "uvicorn_worker.UvicornWorker" in words else signal.SIGINT
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(sys.executable).with_name(words[0])
    if not script.exists():
        pytest.skip(f"{words[0]} is not installed")
    command = [*launcher, str(script), *words[1:]]
    command = [word.replace("PORT", str(port)) for word in command]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment(), stdout=log, stderr=log)
    try:
        if "--lazy-apps" in words:
            _await_two_workers(folder / "log")
        answers = [_answer(port, wait=True), *(_answer(port) for _ in range(REQUESTS - 1))]
        time.sleep(0.2)  # a worker of uWSGI that is asked to end within a request runs no atexit function
        server.send_signal(end)
        server.wait(20)
    finally:
        server.kill()
        server.wait()
    return server.pid, set(answers)


def _await_two_workers(log: Path) -> None:
    """A worker of uWSGI that is asked to end while it imports its application never ends (untraced as well)."""
    deadline = time.monotonic() + 20
    while log.read_text().count("WSGI app 0 (mountpoint='') ready") < 2 and time.monotonic() < deadline:
        time.sleep(0.05)


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
        (("gunicorn", "-w2", "-k", "uvicorn_worker.UvicornWorker", "-b", "127.0.0.1:PORT", "app:app"), FASTAPI),
        (("uvicorn", "--workers", "2", "--port", "PORT", "app:app"), FASTAPI),
        (("uvicorn", "--reload", "--port", "PORT", "app:app"), FASTAPI),
        ((*UWSGI, "--http-socket", "127.0.0.1:PORT"), FLASK),
    ],
    ids=[
        "gunicorn",
        "gunicorn --preload",
        "gunicorn -k UvicornWorker",
        "uvicorn --workers",
        "uvicorn --reload",
        "uwsgi",
    ],
)
def test_each_request_is_one_server_span_of_the_worker_that_answered(
    words: tuple[str, ...], app: str, tmp_path: Path
) -> None:
    write(tmp_path, tracing="", app=app)
    master, workers = serve(tmp_path, *words)
    assert_each_request_is_there_once(tmp_path, master, workers)


@pytest.mark.parametrize(
    "words",
    [
        ("--http-socket", "127.0.0.1:PORT"),
        ("--http-socket", "127.0.0.1:PORT", "--enable-threads", "--threads", "2"),
        ("--http", "127.0.0.1:PORT", "--lazy-apps"),
        ("--http-socket", "127.0.0.1:PORT", "--lazy-apps", "--enable-threads"),
    ],
    ids=lambda words: " ".join(word for word in words if word.startswith("--")),
)
def test_uwsgi_forks_unseen_and_each_request_is_one_span_of_its_worker(words: tuple[str, ...], tmp_path: Path) -> None:
    write(tmp_path, tracing="", app=INSTALLING + FLASK)
    master, workers = serve(tmp_path, *UWSGI, *words, launcher=())
    assert_each_request_is_there_once(tmp_path, master, workers)


def test_what_the_master_of_uwsgi_recorded_before_it_forked_is_there_once_and_its_own(tmp_path: Path) -> None:
    write(tmp_path, tracing="", app=INSTALLING + QUERY + FLASK)
    master, workers = serve(tmp_path, *UWSGI, "--http-socket", "127.0.0.1:PORT", launcher=())
    assert_each_request_is_there_once(tmp_path, master, workers)
    assert [one.pid for one in recorded(tmp_path, "SELECT")] == [master], (tmp_path / "log").read_text()


def assert_each_request_is_there_once(folder: Path, master: int, workers: set[int]) -> None:
    """One trace and one span a request, all of them from the processes that answered; nothing of ours in the log."""
    log = (folder / "log").read_text()
    spans = recorded(folder, "GET /")
    assert len(spans) == REQUESTS, log
    assert len({one.trace for one in spans}) == REQUESTS
    assert {one.pid for one in spans} == workers
    assert master not in workers
    assert "autotrace:" not in log and "Traceback" not in log, log
