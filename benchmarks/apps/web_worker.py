"""A peer that serves and calls: takes `PEER MODE FOLDER`, then one case a line on stdin, gives what it cost on stdout.

Lines are JSON. `{"case": "flask", "seconds": 0.2, "url": ""}` is answered by microseconds a request: `time` of this
thread, and `cpu` of the whole process, what was recorded brought to the last step before the network; with
`"requests": 10` instead of seconds, by the `spans` that so many requests made. The first answer, `{}`: all is set up.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.apps.tracers import Tracing, start

_BATCH = 20


class WebWorker:
    """The applications of one traced process, each made when it is first asked for."""

    def __init__(self, tracing: Tracing) -> None:
        from benchmarks.apps import pricing

        pricing.price_order = tracing.function(pricing.price_order)
        self._tracing = tracing
        self._requesting = cache(self._make)

    def answer(self, case: str, url: str = "", seconds: float = 0.0, requests: int = 0) -> dict[str, float]:
        """Make requests for so many seconds, or so many."""
        request = self._requesting(case, url)
        return self._count(request, requests) if requests else self._measure(request, seconds)

    def _make(self, case: str, url: str) -> Callable[[int], object]:
        from benchmarks.apps import callers, clients

        if case == "flask":
            from benchmarks.apps import flask_shop

            return callers.wsgi_requests(self._tracing.flask(flask_shop.app))
        if case == "fastapi":
            from benchmarks.apps import fastapi_shop

            return callers.asgi_requests(self._tracing.fastapi(fastapi_shop.app))
        call_ten = self._tracing.root(clients.CLIENTS[case]().call_ten)

        def call(count: int) -> None:
            for _ in range(count // 10):
                call_ten(url)

        return call

    def _measure(self, request: Callable[[int], object], seconds: float) -> dict[str, float]:
        self._tracing.flush()
        end = time.perf_counter() + seconds
        thread, cpu = time.thread_time(), time.process_time()
        count = 0
        while time.perf_counter() < end:
            request(_BATCH)
            count += _BATCH
        spent = time.thread_time() - thread
        self._tracing.flush()
        return {"time": spent / count * 1e6, "cpu": (time.process_time() - cpu) / count * 1e6}

    def _count(self, request: Callable[[int], object], requests: int) -> dict[str, float]:
        request(requests)
        self._tracing.flush()
        before = self._tracing.spans()
        request(requests)
        self._tracing.flush()
        return {"spans": float(self._tracing.spans() - before)}


def main(peer: str, mode: str, folder: str) -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    worker = WebWorker(start(peer, mode, Path(folder)))
    answer: dict[str, Any] = {}
    print(json.dumps(answer), file=answers, flush=True)
    for line in sys.stdin:
        answer = worker.answer(**json.loads(line))
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
