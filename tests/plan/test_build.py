"""From a file to the plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrace.config.load import load_file, load_mapping
from autotrace.plan.build import build
from autotrace.plan.integration import (
    DIRECTORY,
    libraries_by_module,
    library_names,
    load_integration,
    load_integrations,
)
from autotrace.plan.path import parse
from autotrace.plan.plan import Plan
from autotrace.plan.target import Origin

FULL = """\
service_name = "order-service"
how = "patch"
[resource]
"deployment.environment.name" = "test"
[[services]]
name    = "OrderService"
at      = "orders.service:OrderService"
methods = ["create_order", "cancel_*", "!*_now"]
tags    = { order_type = "order_data['type']", order_id = "result.id" }
min_duration = "1ms"
[[services]]
at = "orders.pricing"
how = "weave"
[[targets]]
at     = "shop.client:Client.send"
as     = "http.client"
method = "request.method"
evaluate = true
[sampler]
rate = 0.5
[[sampler.endpoints]]
endpoint = "GET /health*"
rate     = 0
slower_than = "2s"
[sampler.keep]
slower_than = "500ms"
ignore = ["KeyError"]
[propagation]
database = true
formats = ["tracecontext"]
[store]
path = "var/traces.db"
[buffer]
spans_per_trace = 10
memory = "1MB"
[shutdown]
timeout = "1s"
"""


def plan_of(folder: Path, text: str = FULL) -> Plan:
    (folder / "tracing.toml").write_text(text)
    return build(load_file(folder / "tracing.toml"))


def names(plan: Plan) -> list[tuple[str, tuple[str, ...]]]:
    return [(target.at, target.exclude) for target in plan.targets]


def test_a_service_gives_a_target_for_each_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second, module, client = plan_of(tmp_path).targets
    assert (first.at, first.exclude) == ("orders.service:OrderService.create_order", ("OrderService.*_now",))
    assert second.qualname == "OrderService.cancel_*"
    assert first.origin == Origin("tracing.toml", 7, 11)
    assert first.tags == (("order_type", "order_data['type']"), ("order_id", "result.id"))
    assert (first.service, first.how, first.min_duration_ns) == ("OrderService", "patch", 1_000_000)
    assert (module.at, module.how, module.service) == ("orders.pricing:*", "weave", None)
    assert (client.convention, client.fields, client.evaluate) == ("http.client", (("method", "request.method"),), True)


def test_the_settings_arrive(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert (plan.service_name, plan.how, plan.directory) == ("order-service", "patch", str(tmp_path))
    assert plan.resource == (("deployment.environment.name", "test"),)
    assert (plan.sampler.type, plan.sampler.rate, plan.sampler.keep_ignore) == ("probabilistic", 0.5, ("KeyError",))
    assert plan.sampler.keep_slower_than_ns == 500_000_000
    (rule,) = plan.sampler.endpoints
    assert (rule.endpoint, rule.rate, rule.slower_than_ns, rule.origin.line) == ("GET /health*", 0, 2_000_000_000, 22)
    assert (plan.propagation.http, plan.propagation.database, plan.propagation.formats) == (
        True,
        True,
        ("tracecontext",),
    )
    assert (plan.store.path, plan.directory) == ("var/traces.db", str(tmp_path))
    assert (plan.buffer.spans_per_trace, plan.buffer.memory, plan.shutdown_timeout_ns) == (10, 1024**2, 10**9)


def test_an_empty_file_is_the_default_plan(tmp_path: Path) -> None:
    (tmp_path / "tracing.toml").touch()
    plan = build(load_file(tmp_path / "tracing.toml"), service_name="app")
    default = Plan("app", directory=str(tmp_path))
    assert plan.config_file == str(tmp_path / "tracing.toml")
    assert [(key, getattr(plan, key)) for key in Plan._fields if key != "config_file"] == [
        (key, getattr(default, key)) for key in Plan._fields if key != "config_file"
    ]


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({"at": "a.b"}, [("a.b:*", ())]),
        ({"at": "a.b", "methods": ["*", "!_*"]}, [("a.b:*", ("_*",))]),
        ({"at": "a.b:Shop"}, [("a.b:Shop.*", ("Shop._*",))]),
        ({"at": "a.b:*Service"}, [("a.b:*Service.*", ("*Service._*",))]),
        ({"at": "a.b:sell"}, [("a.b:sell", ())]),
        ({"at": "a.b:shop", "methods": ["sell"]}, [("a.b:shop.sell", ())]),
        ({"at": "a.b:Shop.Till"}, [("a.b:Shop.Till.*", ("Shop.Till._*",))]),
    ],
)
def test_what_a_service_without_methods_means(service: dict[str, object], expected: list[object]) -> None:
    assert names(build(load_mapping({"services": [service]}))) == expected


def test_a_mapping_keeps_the_service_name_and_folder_of_the_process() -> None:
    plan = build(load_mapping({}), service_name="app", directory="/srv")
    assert (plan.service_name, plan.directory, plan.config_file) == ("app", "/srv", None)


@pytest.mark.parametrize("library", library_names())
def test_an_integration_speaks_the_language_of_the_file(library: str) -> None:
    loaded = load_file(Path(DIRECTORY) / f"{library}.toml", check_path=parse)
    assert [(t.at, t.convention, t.fields, t.tags, t.how) for t in build(loaded).targets] == [
        (t.at, t.convention, t.fields, t.tags, t.how) for t in load_integration(library)
    ]
    assert len((Path(DIRECTORY) / f"{library}.toml").read_text().splitlines()) <= 40


def test_the_library_of_a_module_is_known_before_its_targets_are_made() -> None:
    by_module: dict[str, set[str | None]] = {}
    for one in load_integrations():
        by_module.setdefault(one.module, set()).add(one.integration)
    assert {module: set(libraries) for module, libraries in libraries_by_module().items()} == by_module


def test_the_modules_of_integrations_have_no_wildcard() -> None:
    assert not [module for module in libraries_by_module() if set(module) & set("*?[|")]


def test_the_sampler_of_the_design_is_built_whole() -> None:
    plan = build(
        load_mapping(
            {
                "sampler": {
                    "type": "adaptive",
                    "rate": 0.2,
                    "target_per_second": 5,
                    "inbound": "own",
                    "endpoints": [
                        {"endpoint": "GET /health*", "rate": 0},
                        {"endpoint": "POST /orders", "per_second": 2, "slower_than": "p99.9", "inbound": "ignore"},
                    ],
                    "keep": {"errors": True, "slower_than": "500ms", "tags": {"tier": "gold"}, "per_second": 7},
                }
            }
        )
    )
    sampler = plan.sampler
    assert (sampler.type, sampler.rate, sampler.target_per_second, sampler.inbound) == ("adaptive", 0.2, 5, "own")
    assert (sampler.keep_slower_than_ns, sampler.keep_tags, sampler.keep_per_second) == (
        5 * 10**8,
        (("tier", "gold"),),
        7,
    )
    health, orders = sampler.endpoints
    assert (health.rate, health.per_second, health.inbound, health.slower_than_quantile) == (0, None, None, None)
    assert (orders.rate, orders.per_second, orders.inbound) == (None, 2, "ignore")
    assert (orders.slower_than_ns, orders.slower_than_quantile) == (None, pytest.approx(0.999))
