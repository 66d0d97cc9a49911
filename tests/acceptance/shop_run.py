"""One run of the shop under load: takes a folder and how many orders, gives what its store holds afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import redis
from redis_server import redis_server

from autotrace.store.read import StoreReader
from autotrace.store.stored import StoredSpan

from .failing_orders import failure_of
from .order_load import Load, send

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
QUEUE = "orders"
CONFIG = """
[[processes]]
entry = "order_shop.py"
service_name = "shop"

[[processes]]
entry = "order_worker.py"
service_name = "worker"

[[services]]
at = "order_shop:Orders"

[[services]]
at = "order_worker:Payments"

[sampler]
type = "probabilistic"
rate = 0.01

[sampler.keep]
errors = true
"""


class Outcome(NamedTuple):
    """Answers, and the spans of each order's trace that the store holds; `others` are traces of no order."""

    load: Load
    orders: dict[int, list[StoredSpan]]
    others: list[list[StoredSpan]]
    memory: dict[str, int]


def shop(folder: Path, count: int) -> Outcome:
    """Send `count` orders to a traced shop with a traced worker, and wait until all that fail have failed."""
    (folder / "tracing.toml").write_text(CONFIG)
    with redis_server(folder) as port:
        broker = f"redis://127.0.0.1:{port}/0"
        with _traced(folder, "order_worker.py", broker) as worker, _traced(folder, "order_shop.py", broker) as server:
            _said(worker)
            with redis.Redis(port=port) as client:
                load = send(int(_said(server)), count, lambda: int(client.llen(QUEUE)))
                while client.llen(QUEUE):
                    time.sleep(0.1)
            # The last failure takes two seconds; whoever hears of it listens once a second.
            time.sleep(5)
            memory = {"shop": _resident(server), "worker": _resident(worker)}
    return _read(folder / "traces.db", load, memory)


def _read(store: Path, load: Load, memory: dict[str, int]) -> Outcome:
    orders: dict[int, list[StoredSpan]] = {}
    others: list[list[StoredSpan]] = []
    with StoreReader(store) as reader:
        for summary in reader.traces(limit=100_000):
            spans = reader.trace(summary.trace_id)
            number = _number(spans)
            if number is None:
                others.append(spans)
            else:
                orders[number] = spans
    return Outcome(load, orders, others, memory)


def _number(spans: list[StoredSpan]) -> int | None:
    """The order that a trace is of: the server span says it, or the message that the worker failed with."""
    for span in spans:
        if span.name == "POST /orders/{number}":
            return int(str(span.attributes["url.path"]).rpartition("/")[2])
        if span.status_message.startswith("order "):
            return int(span.status_message.split()[1])
    return None


def failing(count: int) -> list[int]:
    """The orders that fail."""
    return [number for number in range(count) if failure_of(number) is not None]


@contextmanager
def _traced(folder: Path, program: str, broker: str) -> Iterator[subprocess.Popen[str]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOTRACE", "OTEL_"))}
    environment = {
        **kept,
        "PYTHONPATH": str(ROOT),
        "AUTOTRACE_FAILURES": "raise",
        "AUTOTRACE_STORE": str(folder / "traces.db"),
    }
    command = [
        sys.executable,
        "-m",
        "autotrace",
        "--config",
        str(folder / "tracing.toml"),
        str(FOLDER / program),
        broker,
    ]
    with (folder / f"{program}.errors").open("w") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            finally:
                process.kill()
                if process.stdout is not None:
                    process.stdout.close()


def _said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the program has ended"
    return line.strip()


def _resident(process: subprocess.Popen[str]) -> int:
    """Bytes of memory that a process occupies."""
    return int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
