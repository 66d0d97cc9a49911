"""Which endpoints a rule names, and which endpoint a local root has."""

from __future__ import annotations

import pytest

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.endpoint import compile_endpoint, endpoint_of
from autotrace.sample.sampler import Sampler
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer


@pytest.mark.parametrize(
    ("rule", "endpoint"),
    [
        ("GET /health*", "GET /health"),
        ("GET /health*", "GET /healthz"),
        ("GET /health*", "GET /health/live"),
        ("get /health", "GET /health"),
        ("POST /orders/{id}", "POST /orders/{id}"),
        ("POST /orders/{id}", "POST /orders/{order_id}"),
        ("POST /orders/{id}", "POST /orders/<int:order_id>"),
        ("POST /orders/{id}", "POST /orders/17"),
        ("POST /orders/<int:id>", "POST /orders/17"),
        ("GET /files/{name:path}", "GET /files/a/b/c"),
        ("GET /files/<path:name>", "GET /files/a/b/c"),
        ("* /orders", "DELETE /orders"),
        ("/orders", "PUT /orders"),
        ("GET *", "GET /anything/at/all"),
        ("GET /v?/x", "GET /v2/x"),
        ("GET /a.b", "GET /a.b"),
        ("OrderService.*", "OrderService.create_order"),
        ("outer.<locals>.inner", "outer.<locals>.inner"),
        ("pkg.Service/*", "pkg.Service/Method"),
        ("process payment_needed", "process payment_needed"),
        ("process *", "process payment_needed"),
        ("process /queue/*", "process /queue/payments"),
        ("*", "anything\nat all"),
    ],
)
def test_a_rule_names_an_endpoint(rule: str, endpoint: str) -> None:
    assert compile_endpoint(rule)(endpoint)


@pytest.mark.parametrize(
    ("rule", "endpoint"),
    [
        ("GET /health*", "POST /health"),
        ("GET /health", "GET /healthz"),
        ("POST /orders/{id}", "POST /orders"),
        ("POST /orders/{id}", "POST /orders/"),
        ("POST /orders/{id}", "POST /orders/17/items"),
        ("* /orders", "GET /orders/17"),
        ("GET /a.b", "GET /axb"),
        ("OrderService.create", "OrderService.create_order"),
        ("order_service", "OrderService"),
    ],
)
def test_a_rule_does_not_name_another_endpoint(rule: str, endpoint: str) -> None:
    assert not compile_endpoint(rule)(endpoint)


def _root(name: str, kind: str = "server", **attributes: str) -> Span:
    sampler = Sampler(SamplerSettings())
    tracer = Tracer(decide=sampler.decide, ended=sampler.ended, deliver=lambda root, spans: None)
    span = tracer.start(Site(tracer, name, kind), Span, None)
    if attributes:
        span.details().attributes.update({key.replace("_", "."): value for key, value in attributes.items()})
    return span


def test_the_endpoint_of_a_server_is_its_method_and_route() -> None:
    assert (
        endpoint_of(_root("GET /orders/{id}", url_path="/orders/17", http_route="/orders/{id}")) == "GET /orders/{id}"
    )


def test_the_endpoint_of_a_server_without_a_route_is_its_method_and_path() -> None:
    assert endpoint_of(_root("GET", url_path="/orders/17")) == "GET /orders/17"


def test_the_endpoint_of_a_function_is_the_name_of_its_span() -> None:
    assert endpoint_of(_root("orders.main", "internal")) == "orders.main"
    assert endpoint_of(_root("orders.main", "internal", url_path="/x")) == "orders.main"
