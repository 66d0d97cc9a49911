"""Ten thousand paths that nobody serves give a handful of names (R46): a name is a route or a method, never a path."""

from __future__ import annotations

import random
import wsgiref.util
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from recording import Recording, target
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

COUNT = 10_000
LIBRARIES = ("flask", "fastapi", "starlette")
Record = Callable[..., Recording]


def paths() -> list[tuple[str, str]]:
    """Methods and paths as a scanner sends them."""
    chance = random.Random(46)
    methods = ["GET", "POST", "HEAD", "OPTIONS"]
    found = []
    for number in range(COUNT):
        path = "/" + "/".join(f"{chance.getrandbits(64):x}" for _ in range(chance.randint(1, 4)))
        method = f"X{chance.getrandbits(32):X}" if number % 50 == 0 else chance.choice(methods)
        found.append((method, path + chance.choice(["", "/", ".php", "/%2e%2e", "?id=7"])))
    return found


def wsgi_plain(recording: Recording) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response("404 Not Found", [])
        return [b"nothing"]

    return recording.traced(app, target("here:app", "http.server", protocol="wsgi"))


def wsgi_flask(recording: Recording) -> Any:
    app = Flask("shop")
    app.get("/orders/<int:number>")(lambda number: "order")
    return app


async def asgi_nothing(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("nothing", 404)(scope, receive, send)


def asgi_plain(recording: Recording) -> Any:
    return recording.traced(asgi_nothing, target("here:app", "http.server", protocol="asgi"))


def asgi_fastapi(recording: Recording) -> Any:
    app = FastAPI(openapi_url=None)
    app.get("/orders/{number}")(lambda number: "order")
    return app


def asgi_starlette(recording: Recording) -> Any:
    return Starlette(routes=[Route("/orders/{number}", PlainTextResponse("order")), Mount("/static", asgi_nothing)])


@pytest.mark.parametrize("make", [wsgi_plain, wsgi_flask], ids=["plain", "flask"])
def test_of_a_wsgi_application(make: Callable[[Recording], Any], record: Record) -> None:
    recording = record(*LIBRARIES)
    app = make(recording)
    statuses: set[str] = set()
    for method, path in paths():
        path, _, query = path.partition("?")
        environ: dict[str, Any] = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
        wsgiref.util.setup_testing_defaults(environ)
        parts = app(environ, lambda status, headers, error=None: statuses.add(status[:3]))
        assert b"".join(parts) or method == "HEAD"
        if hasattr(parts, "close"):
            parts.close()
    assert statuses == {"404"}
    assert len({span.name for span in recording.spans(COUNT)}) <= 5


@pytest.mark.parametrize("make", [asgi_plain, asgi_fastapi, asgi_starlette], ids=["plain", "fastapi", "starlette"])
async def test_of_an_asgi_application(make: Callable[[Recording], Any], record: Record) -> None:
    recording = record(*LIBRARIES)
    app = make(recording)
    statuses: set[int] = set()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.add(message["status"])

    for method, path in paths():
        path, _, query = path.partition("?")
        await app(
            {
                "type": "http",
                "method": method,
                "path": path,
                "raw_path": path.encode(),
                "root_path": "",
                "scheme": "http",
                "http_version": "1.1",
                "query_string": query.encode(),
                "headers": [(b"host", b"shop")],
                "server": ("shop", 80),
            },
            receive,
            send,
        )
    assert statuses == {404}
    assert len({span.name for span in recording.spans(COUNT)}) <= 5


async def test_a_mount_gives_what_is_below_it_one_name(record: Record) -> None:
    recording = record(*LIBRARIES)
    app = asgi_starlette(recording)

    async def send(message: Any) -> None:
        pass

    for number in range(100):
        path = f"/static/{number}/site.css"
        await app({"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}, None, send)
    assert len({span.name for span in recording.spans(100)}) == 1
