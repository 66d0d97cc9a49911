"""The orders example by itself: its messages come whole, and a service that ends too early is seen."""

from __future__ import annotations

import importlib
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "orders"
THREADS = 8
EACH = 25
PUBLISH = f"""
import sys, threading
sys.path.insert(0, {str(EXAMPLE)!r})
sys.setswitchinterval(1e-5)
import broker
def publish():
    for number in range({EACH}):
        broker.publish("orders", number)
threads = [threading.Thread(target=publish) for _ in range({THREADS})]
for thread in threads:
    thread.start()
"""


def test_a_message_is_taken_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_URL", f"filesystem://{tmp_path}")
    monkeypatch.syspath_prepend(EXAMPLE)
    broker = importlib.import_module("broker")
    monkeypatch.delitem(sys.modules, "broker")
    got: list[int] = []

    def handle(number: int) -> None:
        got.append(number)
        if len(got) == THREADS * EACH:
            raise KeyboardInterrupt

    with subprocess.Popen([sys.executable, "-c", PUBLISH]) as publisher:
        try:
            broker.consume("orders", handle)
        finally:
            publisher.kill()
    assert sorted(got) == sorted([*range(EACH)] * THREADS)


def run(folder: Path, **variables: str) -> tuple[int, str]:
    """Send one order through the example in `folder`, untraced; give the exit status and what it said about it."""
    command = [sys.executable, str(folder / "app.py"), "1", "0"]
    environment = {**os.environ, **variables}
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return outcome.returncode, outcome.stderr


def test_a_service_that_cannot_start_ends_the_example_with_what_it_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = run(EXAMPLE, PORT=str(taken.getsockname()[1]))
    assert status == 1
    assert "in use" in said
    assert said.splitlines()[-1].startswith("order_service.py ended")


def test_a_worker_that_dies_ends_the_example_with_what_it_said(tmp_path: Path) -> None:
    folder = tmp_path / "orders"
    shutil.copytree(EXAMPLE, folder)
    (folder / "notification_worker.py").write_text('raise SystemExit("no notifications today")\n')
    status, said = run(folder)
    assert status == 1
    assert said.splitlines()[-2:] == ["no notifications today", "notification_worker.py ended, with 1"]
