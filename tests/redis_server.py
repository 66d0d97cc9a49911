"""A private redis server on a free port: takes a folder, gives the port, and stops what it started."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import redis


@contextmanager
def redis_server(folder: Path) -> Iterator[int]:
    """A server that keeps nothing."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    server = subprocess.Popen([*command, "--appendonly", "no"], stdout=subprocess.DEVNULL)
    try:
        _await_answer(port)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def _await_answer(port: int) -> None:
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        try:
            with redis.Redis(port=port) as client:
                client.ping()
            return
        except redis.ConnectionError:
            time.sleep(0.02)
    raise TimeoutError("redis-server does not answer")
