"""A server of Jaeger's remote sampling for tests: answers `GET /sampling?service=…` as it is told to, and notes who asks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit


class Asked(NamedTuple):
    """One request; `at` is by the monotonic clock."""

    at: float
    service: list[str]
    query: dict[str, list[str]]
    headers: dict[str, str]


class SamplingServer:
    """What was asked, and what is answered: an object for JSON or a body, with a status and after `delay` seconds."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.asked: list[Asked] = []
        self.port = 0

    @property
    def services(self) -> list[str]:
        """Who has asked."""
        return [asked.service[0] for asked in self.asked]

    def until(self, fulfilled: Callable[[], object], seconds: float = 15.0) -> None:
        """Wait until something is so."""
        limit = time.monotonic() + seconds
        while not fulfilled():
            assert time.monotonic() < limit, self.asked
            time.sleep(0.01)


@contextmanager
def sampling(answer: Any, port: int = 0) -> Iterator[SamplingServer]:
    """A server on a free port, or on `port`."""
    server = SamplingServer(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # Before it is noted: a test changes the answer as soon as it sees who has asked.
            body = server.answer if isinstance(server.answer, bytes) else json.dumps(server.answer).encode()
            query = parse_qs(urlsplit(self.path).query)
            server.asked.append(Asked(time.monotonic(), query.get("service", []), query, dict(self.headers)))
            time.sleep(server.delay)
            self.send_response(server.status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    http.daemon_threads = True
    http.block_on_close = False
    http.handle_error = lambda *words: None  # type: ignore[method-assign] # a client that goes away is no news
    server.port = http.server_port
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def probabilistic(rate: float) -> dict[str, Any]:
    """As Jaeger answers for a service with one rate."""
    return {"strategyType": "PROBABILISTIC", "probabilisticSampling": {"samplingRate": rate}}


def by_operation(default: float, least: float, **rates: float) -> dict[str, Any]:
    """As Jaeger answers for a service with a rate for each operation."""
    operations = [
        {"operation": operation, "probabilisticSampling": {"samplingRate": rate}} for operation, rate in rates.items()
    ]
    return {
        "strategyType": "PROBABILISTIC",
        "operationSampling": {
            "defaultSamplingProbability": default,
            "defaultLowerBoundTracesPerSecond": least,
            "perOperationStrategies": operations,
        },
    }
