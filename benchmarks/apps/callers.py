"""Servers without a network: takes an application, gives a function that makes so and so many requests of it."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable
from typing import Any

Requesting = Callable[[int], object]

_BODY = b'"total":214'
_PATH = "/articles/7"


def wsgi_requests(app: Any) -> Requesting:
    """Requests of a WSGI application, made as a server makes them: a new environ, the body read, then closed."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": _PATH,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "50000",
        "HTTP_HOST": "127.0.0.1:8000",
        "HTTP_USER_AGENT": "benchmarks",
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }

    def start_response(status: str, headers: list[tuple[str, str]], error: object = None) -> Callable[[bytes], object]:
        assert status == "200 OK", status
        return io.BytesIO().write

    def request(count: int) -> None:
        for _ in range(count):
            body = app({**environ, "wsgi.input": io.BytesIO()}, start_response)
            content = b"".join(body)
            body.close()
            assert _BODY in content, content

    return request


def asgi_requests(app: Any) -> Requesting:
    """Requests of an ASGI application, one after the other in one event loop."""
    loop = asyncio.new_event_loop()
    headers = [(b"host", b"127.0.0.1:8000"), (b"user-agent", b"benchmarks"), (b"accept", b"*/*")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": _PATH,
        "raw_path": _PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def request_all(count: int) -> None:
        for _ in range(count):
            content = bytearray()

            async def send(message: dict[str, Any], content: bytearray = content) -> None:
                content += message.get("body", b"")

            await app({**scope, "headers": list(headers), "state": {}}, receive, send)
            assert _BODY in content, content

    return lambda count: loop.run_until_complete(request_all(count))
