"""A shop that serves requests to itself: takes how many, how many endpoints it has, and after how many to look first; prints
its memory then and after all, in bytes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

EVERY_FAILING = 200
SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC835  # odd, so that all trace ids differ


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    number = environ["shop.number"]
    route = environ["shop.route"]
    if route:
        found(route)
    if number % EVERY_FAILING == 0:
        start_response("500 Internal Server Error", [])
    else:
        start_response("200 OK", [])
    return [b"done"]


def found(route: str) -> None:
    """What a framework's router calls."""


def serve(first: int, last: int, routes: list[str]) -> None:
    for number in range(first, last):
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/orders",
            "SERVER_NAME": "shop",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "HTTP_X_TRACE_ID": f"{number * SPREAD % 2**128:032x}",
            "HTTP_X_SPAN_ID": f"{number + 1:016x}",
            "shop.number": number,
            "shop.route": routes[number % len(routes)] if routes else "",
        }
        parts = application(environ, lambda status, headers: None)
        for _ in parts:
            pass
        if hasattr(parts, "close"):
            parts.close()


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def run(count: int, endpoints: int, early: int) -> None:
    routes = [f"/shops/{number}/orders" for number in range(endpoints)] if endpoints > 1 else []
    serve(0, early, routes)
    print(resident(), flush=True)
    serve(early, count, routes)
    print(resident(), flush=True)


if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))
