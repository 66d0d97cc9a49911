"""Flask, FastAPI and Starlette behind real servers: one server span a request, named by its route, below its caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import serve
from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse, StreamingResponse
from flask import Blueprint, Flask, Response, abort
from recording import Recording, attributes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

Record = Callable[..., Recording]


def flask_app(recording: Recording) -> Flask:
    app = Flask("orders")
    shop = Blueprint("shop", "shop", url_prefix="/shop")

    @app.get("/orders/<int:number>")
    def order(number: int) -> dict[str, int]:
        with recording.span("load"):
            return {"number": number}

    @app.get("/broken")
    def broken() -> str:
        raise ValueError("no such order")

    @app.get("/refused")
    def refused() -> str:
        abort(403)

    @app.get("/stream")
    def stream() -> Response:
        def parts() -> Iterator[str]:
            for number in range(3):
                with recording.span(f"part {number}"):
                    yield str(number)

        return Response(parts())

    @shop.get("/items/<name>")
    def item(name: str) -> str:
        return name

    app.register_blueprint(shop)
    return app


def fastapi_app(recording: Recording) -> FastAPI:
    app = FastAPI()
    shop = APIRouter(prefix="/shop")

    @app.get("/orders/{number}")
    def order(number: int) -> dict[str, int]:
        with recording.span("load"):
            return {"number": number}

    @app.get("/broken")
    async def broken() -> str:
        raise ValueError("no such order")

    @app.get("/refused")
    async def refused() -> str:
        raise HTTPException(403)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> Any:
            for number in range(3):
                with recording.span(f"part {number}"):
                    yield str(number)

        return StreamingResponse(parts())

    @shop.get("/items/{name}", response_class=PlainTextResponse)
    async def item(name: str) -> str:
        return name

    app.include_router(shop)
    return app


def starlette_app(recording: Recording) -> Starlette:
    async def order(request: Request) -> PlainTextResponse:
        with recording.span("load"):
            return PlainTextResponse("order")

    async def broken(request: Request) -> PlainTextResponse:
        raise ValueError("no such order")

    def refused(request: Request) -> PlainTextResponse:
        return PlainTextResponse("no", 403)

    async def stream(request: Request) -> StreamingResponse:
        async def parts() -> Any:
            for number in range(3):
                with recording.span(f"part {number}"):
                    yield str(number)

        return StreamingResponse(parts())

    async def item(request: Request) -> PlainTextResponse:
        return PlainTextResponse("item")

    return Starlette(
        routes=[
            Route("/orders/{number}", order),
            Route("/broken", broken),
            Route("/refused", refused),
            Route("/stream", stream),
            Mount("/shop", routes=[Route("/items/{name}", item)]),
        ]
    )


class App:
    def __init__(self, name: str, order: str, item: str) -> None:
        self.name, self.order, self.item = name, order, item

    @contextmanager
    def running(self, recording: Recording) -> Iterator[str]:
        make = {"flask": flask_app, "fastapi": fastapi_app, "starlette": starlette_app}[self.name]
        server = serve.wsgi if self.name == "flask" else serve.asgi
        with server(make(recording)) as address:
            yield address

    def __repr__(self) -> str:
        return self.name


FLASK = App("flask", "/orders/<int:number>", "/shop/items/<name>")
FASTAPI = App("fastapi", "/orders/{number}", "/shop/items/{name}")
STARLETTE = App("starlette", "/orders/{number}", "/shop/items/{name}")
APPS = pytest.mark.parametrize("app", [FLASK, FASTAPI, STARLETTE], ids=repr)
LIBRARIES = ("flask", "fastapi", "starlette")


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()}, trust_env=False)


@APPS
def test_a_request_is_one_server_span_named_by_its_route(app: App, record: Record) -> None:
    recording = record(*LIBRARIES)
    with app.running(recording) as address:
        answer = get(f"{address}/orders/7?token=x&page=2", user_agent="tester/1", x_trace_id="xyz-123")
        assert answer.status_code == 200
        assert "x-trace-id" not in answer.headers
        assert recording.tree(2) == [f"server GET {app.order}", "  internal load"]
    assert attributes(recording.spans()[0]) == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/orders/7",
        "url.query": "token=REDACTED&page=2",
        "server.address": "127.0.0.1",
        "server.port": int(address.rpartition(":")[2]),
        "network.protocol.version": "1.1",
        "user_agent.original": "tester/1",
        "autotrace.external_id": "xyz-123",
        "http.route": app.order,
        "http.response.status_code": 200,
    }


@APPS
def test_a_nested_router_adds_to_the_route(app: App, record: Record) -> None:
    recording = record(*LIBRARIES)
    with app.running(recording) as address:
        get(f"{address}/shop/items/hat")
        assert recording.only().name == f"GET {app.item}"


@APPS
def test_the_callers_trace_goes_on(app: App, record: Record) -> None:
    recording = record(*LIBRARIES)
    with app.running(recording) as address:
        get(f"{address}/orders/7", traceparent=f"00-{'a' * 32}-{'b' * 16}-00", tracestate="vendor=1")
        server = recording.spans(2)[0]
    assert server.root.trace_id == int("a" * 32, 16)
    assert recording.parent(server) == int("b" * 16, 16)
    assert server.root.remote is not None
    assert server.root.remote.trace_state == "vendor=1"
    assert server.root.sampled is False


@APPS
def test_an_exception_of_a_handler_is_recorded_with_its_message(app: App, record: Record) -> None:
    recording = record(*LIBRARIES)
    with app.running(recording) as address:
        assert get(f"{address}/broken").status_code == 500
        span = recording.only()
    assert span.name == "GET /broken"
    assert (span.details().status, span.details().status_message) == ("error", "no such order")
    assert [event.attributes["exception.type"] for event in span.details().events] == ["ValueError"]
    assert attributes(span)["error.type"] == "ValueError"
    assert attributes(span)["http.response.status_code"] == 500
    assert span.root.error


@APPS
def test_a_4xx_is_no_error_of_the_server(app: App, record: Record) -> None:
    recording = record(*LIBRARIES)
    with app.running(recording) as address:
        get(f"{address}/refused")
        span = recording.only()
    assert attributes(span)["http.response.status_code"] == 403
    assert (span.details().status, span.root.error) == ("unset", False)


@APPS
def test_unknown_paths_give_one_name(app: App, record: Record) -> None:
    recording = record(*LIBRARIES)
    with app.running(recording) as address, httpx.Client(trust_env=False) as client:
        for number in range(10):
            client.get(f"{address}/wp-admin/{number}")
        assert {span.name for span in recording.spans(10)} == {"GET"}


@APPS
def test_a_streamed_answer_is_inside_the_span(app: App, record: Record) -> None:
    recording = record(*LIBRARIES)
    with app.running(recording) as address:
        assert get(f"{address}/stream").text == "012"
        tree = recording.tree(4)
    assert tree == ["server GET /stream", "  internal part 0", "  internal part 1", "  internal part 2"]
    spans = recording.spans()
    assert spans[0].end >= spans[-1].end


@APPS
def test_the_answer_names_its_trace_when_asked_to(app: App, record: Record) -> None:
    recording = record(*LIBRARIES, response=True)
    with app.running(recording) as address:
        answer = get(f"{address}/orders/7")
        assert answer.headers["x-trace-id"] == f"{recording.spans(2)[0].root.trace_id:032x}"


@APPS
def test_two_hundred_requests_at_once_are_two_hundred_traces(app: App, record: Record) -> None:
    recording = record(*LIBRARIES)
    with app.running(recording) as address, httpx.Client(trust_env=False, timeout=30) as client:
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda number: client.get(f"{address}/orders/{number}"), range(200)))
        assert {answer.status_code for answer in answers} == {200}
        spans = recording.spans(400)
    assert len({span.root.trace_id for span in spans}) == 200
    assert len(recording.roots) == 200
    servers = {span.span_id: span for span in spans if span.kind == "server"}
    for span in spans:
        if span.kind == "internal":
            assert servers[recording.parent(span)].root is span.root
    assert {attributes(span)["url.path"] for span in servers.values()} == {f"/orders/{n}" for n in range(200)}


@APPS
@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": "00-" + "0" * 32 + "-" + "b" * 16 + "-01"},
        {"traceparent": "ff-" + "a" * 32 + "-" + "b" * 16 + "-01"},
        {"traceparent": "x" * 7000},
        {"X-Trace-ID": "é".encode("latin-1")},
    ],
)
def test_bad_headers_make_a_new_trace(app: App, headers: dict[str, Any], record: Record) -> None:
    recording = record(*LIBRARIES)
    with app.running(recording) as address:
        assert httpx.get(f"{address}/orders/7", headers=headers, trust_env=False).status_code == 200
        span = recording.spans(2)[0]
    assert span.root.remote is None
    assert "autotrace.external_id" not in attributes(span)


def test_an_application_mounted_in_another_gives_one_span(record: Record) -> None:
    recording = record(*LIBRARIES)
    outer = FastAPI()
    outer.mount("/inner", fastapi_app(recording))
    outer.mount("/old", starlette_app(recording))
    with serve.asgi(outer) as address:
        get(f"{address}/inner/orders/7")
        get(f"{address}/inner/shop/items/hat")
        get(f"{address}/old/shop/items/hat")
        names = [span.name for span in recording.spans(4) if span.kind == "server"]
    assert names == ["GET /inner/orders/{number}", "GET /inner/shop/items/{name}", "GET /old/shop/items/{name}"]


def test_the_route_is_known_to_the_handler(record: Record) -> None:
    from autotrace.span.context import get_current
    from autotrace.span.span import Span

    recording = record(*LIBRARIES)
    names: list[str] = []

    def note() -> str:
        span = get_current()
        assert isinstance(span, Span)
        names.append(span.name)
        return ""

    flask, fastapi = Flask("flask"), FastAPI()
    flask.get("/a/<b>")(lambda b: note())
    fastapi.get("/a/{b}")(lambda b: note())
    with serve.wsgi(flask) as address:
        get(f"{address}/a/1")
    with serve.asgi(fastapi) as address:
        get(f"{address}/a/1")
    assert names == ["GET /a/<b>", "GET /a/{b}"]
    assert len(recording.spans(2)) == 2


async def test_a_websocket_is_the_span_of_its_handshake(record: Record) -> None:
    recording = record(*LIBRARIES)

    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        assert recording.only().name == "GET /ws/{room}"
        await websocket.close()

    messages = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    app = Starlette(routes=[WebSocketRoute("/ws/{room}", talk)])
    scope = {
        "type": "websocket",
        "path": "/ws/1",
        "headers": [],
        "query_string": b"",
        "scheme": "ws",
        "subprotocols": [],
    }
    await app(scope, receive, send)
    assert sent == ["websocket.accept", "websocket.close"]
    assert attributes(recording.only())["http.response.status_code"] == 101


def test_lifespan_is_no_request(record: Record) -> None:
    recording = record(*LIBRARIES)
    with serve.asgi(fastapi_app(recording), lifespan="on") as address:
        get(f"{address}/refused")
        assert recording.only().kind == "server"


def test_two_requests_on_one_connection_are_two_traces(record: Record) -> None:
    import socket

    recording = record(*LIBRARIES)
    with FASTAPI.running(recording) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        request = f"GET /orders/1 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(request * 5)
            spans = recording.spans(10)
    assert len({span.root.trace_id for span in spans}) == 5
