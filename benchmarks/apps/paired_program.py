"""A program that is run with and without tracing: takes `CASE URL`, then numbers on stdin; does so many pieces of work.

Each number is answered by the nanoseconds of CPU that all threads of the process took for it, what tracing has to export
included.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from autotrace.runtime import Runtime


def main(case: str, url: str) -> None:
    """Answer until stdin ends."""
    work = _make(case, url)
    for line in sys.stdin:
        began = time.process_time_ns()
        for _ in range(int(line)):
            work()
        for tracing in Runtime.installed:
            tracing.flush()
        print(time.process_time_ns() - began, flush=True)


def _make(case: str, url: str) -> Callable[[], object]:
    from benchmarks.apps import shop_functions

    if case == "functions":
        return lambda: shop_functions.take_order(200)
    if case == "tags":
        return lambda: shop_functions.take_described_order(200)
    if case == "roots":
        return lambda: shop_functions.price_item(7, 2)
    from benchmarks.apps import callers, clients

    if case == "flask":
        from benchmarks.apps.flask_shop import app

        request = callers.wsgi_requests(app)
        return lambda: request(1)
    if case == "fastapi":
        from benchmarks.apps.fastapi_shop import app as asgi

        requesting = callers.asgi_requests(asgi)
        return lambda: requesting(10)
    client = clients.CLIENTS[case]()
    return lambda: client.call_ten(url)


if __name__ == "__main__":
    main(*sys.argv[1:])
