"""The compiled rules find what a walk through the file would find, and as quickly for five hundred as for one."""

from __future__ import annotations

from statistics import median
from time import perf_counter_ns

import pytest
from hypothesis import given
from hypothesis import strategies as some

from autotrace.plan.plan import EndpointRule, SamplerSettings
from autotrace.plan.target import Origin
from autotrace.sample.rule import Rule, default_rule, endpoint_rule
from autotrace.sample.rules import Rules
from autotrace.sample.sampler import Sampler
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer

HERE = Origin("tracing.toml", 9, 1)
DEFAULT = default_rule(SamplerSettings())

PARTS = some.sampled_from(["orders", "health", "o", "{id}", "<int:n>", "*", "?", "orders*", "{rest:path}", ""])
PATHS = some.lists(PARTS, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
METHODS = some.sampled_from(["GET ", "get ", "POST ", "* ", ""])
NAMES = some.sampled_from(["process payment_*", "shop.Orders/*", "Order*.create", "*", "GET", "process ?"])
TEXTS = some.one_of(some.builds("".join, some.tuples(METHODS, PATHS)), NAMES)
ENDPOINTS = some.one_of(
    some.builds("".join, some.tuples(some.sampled_from(["GET ", "POST ", "PUT "]), PATHS)),
    some.sampled_from(["process payment_x", "shop.Orders/Create", "OrderService.create", "GET", "process q", ""]),
)


def compiled(text: str) -> Rule:
    return endpoint_rule(EndpointRule(text, 0.5, None, HERE), DEFAULT)


@given(some.lists(TEXTS, max_size=8), ENDPOINTS)
def test_the_first_rule_of_the_file_that_matches_is_found(texts: list[str], endpoint: str) -> None:
    rules = [compiled(text) for text in texts]
    assert Rules(rules).find(endpoint) is next((rule for rule in rules if rule.matches(endpoint)), None)


@pytest.mark.parametrize(
    ("rule", "endpoint"),
    [
        ("POST /orders/{id}", "POST /orders/17"),
        ("* /orders/<int:id>", "DELETE /orders/17"),
        ("/static/*", "GET /static/a/b.css"),
        ("process payment_*", "process payment_needed"),
        ("shop.Orders/*", "shop.Orders/Create"),
        ("nightly.*", "nightly.clean"),
    ],
)
def test_an_endpoint_of_each_kind_has_its_rule(rule: str, endpoint: str) -> None:
    found = compiled(rule)
    assert Rules([compiled("GET /other"), found]).find(endpoint) is found


@pytest.mark.parametrize("text", ["process /queue/pay*", "cron /daily", "Cron /daily*", "process*", "*queue*"])
def test_a_name_that_looks_like_a_request_has_its_rule(text: str) -> None:
    endpoint = text.replace("*", "x") if text[0] != "*" else "process /queue/pay"
    found = compiled(text)
    assert Rules([compiled("GET /other"), found]).find(endpoint) is found


def roots_of(sampler: Sampler, names: list[str]) -> list[LocalRoot]:
    tracer = Tracer(sampler.decide, sampler.ended, lambda root, spans: None)
    roots = [tracer.start(Site(tracer, name), Span, None).root for name in names]
    for root in roots:
        root.trace_number = 1 << 100
        sampler.decide(root)
    return roots


def least_cost(sampler: Sampler, roots: list[LocalRoot]) -> float:
    costs = []
    for _ in range(20):
        began = perf_counter_ns()
        for root in roots:
            sampler.decide(root)
        costs.append((perf_counter_ns() - began) / len(roots))
    return min(costs)


def test_five_hundred_rules_cost_at_most_a_microsecond_a_decision() -> None:
    names = [f"GET /api/v{number % 5}/thing{number}/{{id}}" for number in range(500)]
    rules = tuple(EndpointRule(name, 0.5, None, HERE) for name in names)
    with_rules = Sampler(SamplerSettings(type="probabilistic", rate=0.5, endpoints=rules))
    without = Sampler(SamplerSettings(type="probabilistic", rate=0.5))
    asked, plain = roots_of(with_rules, names), roots_of(without, names)
    # A machine that is busy may be slow in each of them, so the comparison is repeated.
    differences = [least_cost(with_rules, asked) - least_cost(without, plain) for _ in range(5)]
    assert median(differences) <= 1000
