"""Which rule decides on a request of a real framework: what is known when the decision is taken counts, and it stays."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import serve
from fastapi import FastAPI
from flask import Flask
from recording import Recording, attributes
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from test_servers import APPS, App, fastapi_app, starlette_app

from autotrace.installation import plan_of_mapping
from autotrace.sample.sampler import Sampler
from autotrace.span.context import get_current
from autotrace.span.span import LocalRoot, Span

LIBRARIES = ("flask", "fastapi", "starlette")


class Deciding:
    """A recording that keeps what the rules of a file keep: `{endpoint: rate}`, else nothing."""

    def __init__(self, recording: Recording, rules: dict[str, float]) -> None:
        self.recording = recording
        self.decided = 0
        entries = [{"endpoint": endpoint, "rate": rate} for endpoint, rate in rules.items()]
        config = {"sampler": {"type": "probabilistic", "rate": 0.0, "endpoints": entries}}
        self.sampler = Sampler(plan_of_mapping(config, "test", "shop").sampler)
        recording.tracer.decide, recording.tracer.ended = self.sampler.decide, self._ended

    def _ended(self, root: LocalRoot) -> bool:
        verdict = self.sampler.ended(root)
        self.decided += 1
        return verdict

    def kept(self, count: int) -> list[Span]:
        """The server spans that were kept once `count` requests are decided on; servers end theirs after the answer."""
        limit = time.monotonic() + 10
        while self.decided < count and time.monotonic() < limit:
            time.sleep(0.005)
        assert self.decided == count
        time.sleep(0.02)  # what is decided is delivered in the same breath
        return [span for span in self.recording.spans() if span.kind == "server"]

    def names(self, count: int) -> list[str]:
        """The names of the same."""
        return sorted(span.name for span in self.kept(count))


Decide = Callable[[dict[str, float]], Deciding]


@pytest.fixture
def decide(record: Callable[..., Recording]) -> Decide:
    return lambda rules: Deciding(record(*LIBRARIES), rules)


def ask(address: str, *requests: str) -> None:
    with httpx.Client(base_url=address, trust_env=False) as client:
        for request in requests:
            method, _, path = request.partition(" ")
            client.request(method, path)


ORDER, SLASH, POST, ITEM = "GET /orders/1", "GET /orders/1/", "POST /orders/1", "GET /shop/items/hat"
HEAD, OPTIONS, REFUSED, UNKNOWN = "HEAD /shop/items/hat", "OPTIONS /orders/1", "GET /refused", "GET /wp-admin/1"
REQUESTS = (ORDER, SLASH, POST, ITEM, HEAD, OPTIONS, REFUSED, UNKNOWN)


@APPS
@pytest.mark.parametrize(
    ("rule", "requests"),
    [
        ("GET /orders/{number}", {ORDER}),
        ("/orders/*", {ORDER, SLASH, POST, OPTIONS}),
        ("GET /shop/*", {ITEM}),
        ("GET /shop/items/{name}", {ITEM}),
        ("/shop/items/<name>", {ITEM, HEAD}),
        ("* /refused", {REFUSED}),
        ("GET /wp-admin/*", {UNKNOWN}),
        ("POST *", {POST}),
        ("HEAD *", {HEAD}),
        ("GET /items/{name}", set()),
        ("GET /orders", set()),
    ],
)
def test_a_rule_names_routes_and_where_there_is_none_paths(
    app: App, rule: str, requests: set[str], decide: Decide
) -> None:
    deciding = decide({rule: 1.0})
    with app.running(deciding.recording) as address:
        ask(address, *REQUESTS)
        found = map(attributes, deciding.kept(len(REQUESTS)))
    assert {f"{one['http.request.method']} {one['url.path']}" for one in found} == requests


@APPS
def test_the_first_rule_that_matches_decides(app: App, decide: Decide) -> None:
    deciding = decide({"GET /orders/{number}": 0.0, "GET *": 1.0})
    with app.running(deciding.recording) as address:
        ask(address, "GET /orders/1", "GET /shop/items/hat")
    assert deciding.names(2) == [f"GET {app.item}"]


@APPS
def test_the_spans_below_follow_their_root(app: App, decide: Decide) -> None:
    deciding = decide({"GET /orders/{number}": 1.0})
    with app.running(deciding.recording) as address:
        ask(address, "GET /stream", "GET /orders/1")
        assert deciding.recording.tree(2) == [f"server GET {app.order}", "  internal load"]


def test_applications_that_are_mounted_have_rules_of_their_full_route(decide: Decide) -> None:
    deciding = decide({"GET /inner/orders/{number}": 1.0, "GET /old/shop/items/{name}": 1.0})
    outer = FastAPI()
    outer.mount("/inner", fastapi_app(deciding.recording))
    outer.mount("/old", starlette_app(deciding.recording))
    with serve.asgi(outer) as address:
        ask(address, "GET /inner/orders/7", "GET /inner/shop/items/hat", "GET /old/shop/items/hat", "GET /old/nothing")
    assert deciding.names(4) == ["GET /inner/orders/{number}", "GET /old/shop/items/{name}"]


def sampled_now(seen: list[bool]) -> None:
    """Take the head decision, as sending something does."""
    span = get_current()
    assert isinstance(span, Span)
    seen.append(span.root.sampled)


RULES = {"GET /orders/{number}": 1.0, "GET /inner/items/{name}": 1.0}


def test_a_decision_that_flask_needs_before_the_route_is_by_the_path(decide: Decide) -> None:
    deciding, seen = decide(RULES), list[bool]()
    app = Flask("shop")
    app.add_url_rule("/orders/<int:number>", "order", lambda number: "order")
    app.add_url_rule("/broken", "broken", lambda: "broken")

    def early(environ: Any, start_response: Any) -> Any:
        sampled_now(seen)
        return inner(environ, start_response)

    inner, app.wsgi_app = app.wsgi_app, early  # type: ignore[method-assign]  # as Flask says that middleware is put in
    with serve.wsgi(app) as address:
        ask(address, "GET /orders/7", "GET /broken", "GET /nothing")
    assert seen == [True, False, False]
    assert deciding.names(3) == ["GET /orders/<int:number>"]


@pytest.mark.parametrize("framework", ["fastapi", "starlette"])
def test_a_decision_that_an_asgi_application_needs_before_the_route_is_by_the_path(
    framework: str, decide: Decide
) -> None:
    deciding, seen = decide(RULES), list[bool]()

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse("answer")

    class Early:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            sampled_now(seen)
            await self.app(scope, receive, send)

    app: Any = FastAPI() if framework == "fastapi" else Starlette()
    app.add_route("/orders/{number}", answer)
    app.mount("/inner", Starlette(routes=[Route("/items/{name}", answer)]))
    app.add_middleware(Early)
    with serve.asgi(app) as address:
        ask(address, "GET /orders/7", "GET /inner/items/hat", "GET /nothing")
    assert seen == [True, True, False]
    assert deciding.names(3) == ["GET /inner/items/{name}", "GET /orders/{number}"]


@APPS
def test_a_name_that_changes_after_the_decision_does_not_change_it(app: App, decide: Decide) -> None:
    deciding, seen = decide({"GET /orders/{number}": 1.0, "renamed*": 0.0}), list[bool]()

    def rename(name: str) -> Any:
        sampled_now(seen)
        span = get_current()
        assert isinstance(span, Span)
        span.details().name = "renamed"
        return inner(name)

    recording = deciding.recording
    inner, recording.span = recording.span, rename  # type: ignore[method-assign]  # what the handlers call
    with app.running(deciding.recording) as address:
        ask(address, "GET /orders/7")
    assert (seen, deciding.names(1)) == ([True], ["renamed"])


def test_a_mount_alone_is_no_route_to_a_rule(decide: Decide) -> None:
    deciding = decide({"GET /static/*": 1.0})

    async def files(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("file")(scope, receive, send)

    with serve.asgi(Starlette(routes=[Mount("/static", files)])) as address:
        ask(address, "GET /static/site.css")
    assert len(deciding.kept(1)) == 1


async def test_a_websocket_has_the_rule_of_its_route(decide: Decide) -> None:
    deciding = decide({"GET /ws/{room}": 1.0})

    async def talk(websocket: Any) -> None:
        await websocket.accept()
        await websocket.close()

    app = Starlette(routes=[WebSocketRoute("/ws/{room}", talk), WebSocketRoute("/other/{room}", talk)])
    for path in ("/ws/1", "/other/1"):
        messages = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])

        async def receive(messages: Iterator[Any] = messages) -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            pass

        scope = {"type": "websocket", "path": path, "headers": [], "query_string": b"", "scheme": "ws"}
        await app({**scope, "subprotocols": []}, receive, send)
    assert deciding.names(2) == ["GET /ws/{room}"]
