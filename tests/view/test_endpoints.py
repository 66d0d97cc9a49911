"""`autotrace traces --endpoints`, the table of a report, and what an empty store says of endpoints."""

import json

import pytest
from test_commands import run, run_of

from autotrace.span.endpoint_counts import EndpointCounts
from autotrace.view.endpoints import draw_endpoints, report_endpoints

DEFAULT = "[sampler] rate = 0.01"
ORDERS = '[[sampler.endpoints]] endpoint = "POST /orders", rate = 0 (tracing.toml:9:12)'
UNUSED = '[[sampler.endpoints]] endpoint = "POST /ordrs", rate = 1 (tracing.toml:12:12)'


def counts_of(name, rule=DEFAULT, **values):
    return EndpointCounts(name, rule, **values)


def table(*arguments, **environment):
    return run("traces", "--endpoints", *arguments, **environment).stdout.splitlines()


def test_runs_of_one_service_are_added_up_and_those_of_another_are_not(empty):
    orders = counts_of("POST /orders", seen=100, sampled=1, errors=2)
    path = empty(
        run_of(endpoints=(orders,)),
        run_of(pid=43, endpoints=(orders, counts_of("GET /", seen=7, sampled=7))),
        run_of(pid=44, service="stock", endpoints=(orders,)),
    )
    assert table("--store", path) == [
        "SEEN  SAMPLED  ERRORS  DROPPED  ENDPOINT [SERVICE] by RULE",
        " 200        2       4      194  POST /orders [shop] by [sampler] rate = 0.01",
        " 100        1       2       97  POST /orders [stock] by [sampler] rate = 0.01",
        "   7        7       0        0  GET / [shop] by [sampler] rate = 0.01",
    ]


def test_endpoints_are_chosen_by_service_and_glob_and_limited(empty):
    path = empty(
        run_of(endpoints=(counts_of("GET /a", seen=2), counts_of("GET /b", seen=1), counts_of("POST /a", seen=1))),
        run_of(pid=43, service="stock", endpoints=(counts_of("GET /c", seen=9),)),
    )
    chosen = table("--store", path, "--service", "shop", "--endpoint", "GET *", "--limit", "1")
    assert [line.split("  ")[-1] for line in chosen[1:]] == [
        "GET /a [shop] by [sampler] rate = 0.01",
        "and 1 more; --limit N shows N",
    ]


def test_as_json_every_reason_and_rule_is_there(empty):
    path = empty(
        run_of(
            endpoints=(
                counts_of(
                    "GET /a", seen=40, sampled=1, errors=2, slow=3, tagged=4, requested=5, background=6, limited=7
                ),
            )
        )
    )
    (found,) = json.loads(run("traces", "--endpoints", "--format", "json", "--store", path).stdout)
    assert found == {
        "service": "shop", "endpoint": "GET /a", "rule": DEFAULT, "seen": 40, "sampled": 1, "errors": 2, "slow": 3,
        "tagged": 4, "requested": 5, "background": 6, "limited": 7, "dropped": 19, "kept": 21,
    }  # fmt: skip


def test_a_rule_that_no_process_of_the_service_met_is_named_with_what_would_be_right(empty):
    seen = counts_of("POST /orders", seen=3)
    path = empty(
        run_of(endpoints=(seen, counts_of("POST /ordrs", UNUSED))),
        run_of(pid=43, started_ns=2, endpoints=(counts_of("POST /ordrs", UNUSED),)),
    )
    assert table("--store", path)[-1] == f'{UNUSED} met no endpoint; did you mean "POST /orders"?'


def test_a_rule_that_one_worker_met_is_not_called_unused(empty):
    path = empty(
        run_of(endpoints=(counts_of("POST /orders", ORDERS, seen=3),)),
        run_of(pid=43, started_ns=2, endpoints=(counts_of("POST /orders", ORDERS), counts_of("GET /", seen=1))),
    )
    assert not [line for line in table("--store", path) if "met no endpoint" in line]


def test_a_rule_that_the_latest_run_does_not_have_any_more_is_not_called_unused(empty):
    path = empty(
        run_of(endpoints=(counts_of("POST /ordrs", UNUSED), counts_of("GET /", seen=1))),
        run_of(pid=43, started_ns=2, endpoints=(counts_of("GET /", seen=1),)),
    )
    assert not [line for line in table("--store", path) if "met no endpoint" in line]


@pytest.mark.parametrize("filters", [("--error",), ("--min-duration", "1s")])
def test_what_chooses_traces_is_refused(empty, filters):
    done = run("traces", "--endpoints", *filters, "--store", empty(run_of()), check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--error and --min-duration choose traces" in done.stderr


def test_what_matches_no_filter_is_said(empty):
    path = empty(run_of(endpoints=(counts_of("GET /", seen=1),)))
    assert (
        "No endpoint matches these filters" in run("traces", "--endpoints", "--endpoint", "x", "--store", path).stdout
    )


def test_without_a_store_it_says_how_to_get_one(tmp_path):
    done = run("traces", "--endpoints", "--format", "json", cwd=tmp_path)
    assert json.loads(done.stdout) == []
    assert "No run yet" in done.stderr


def test_a_run_that_traced_nothing_says_why(empty):
    path = empty(run_of(unmatched=("shop:Ordr",)))
    assert "These targets never matched:\n  shop:Ordr" in run("traces", "--endpoints", "--store", path).stdout


def test_a_store_that_was_written_before_endpoints_were_counted_is_said_to_be(empty):
    out = run("traces", "--endpoints", "--store", empty(run_of(roots_seen=3))).stdout
    assert "by an autotrace that did not count them" in out


def test_an_empty_store_names_what_dropped_most_and_the_rules_without_a_hit(empty):
    endpoints = (
        counts_of("GET /", seen=10),
        counts_of("POST /orders", ORDERS, seen=20),
        counts_of("POST /ordrs", UNUSED),
    )
    path = empty(run_of(roots_seen=30, rate=0.0, rule=ORDERS, endpoints=endpoints))
    lines = run("show", "--store", path, check=False).stderr.splitlines()
    assert lines[1:-1] == [
        f"  20 dropped: POST /orders [shop] by {ORDERS}",
        f"  10 dropped: GET / [shop] by {DEFAULT}",
        f'  {UNUSED} met no endpoint; did you mean "POST /orders"?',
    ]


def test_a_report_names_twenty_endpoints_and_counts_the_others():
    lines = report_endpoints([counts_of(f"GET /{number}", seen=number, errors=1) for number in range(1, 31)])
    assert len(lines) == 22
    assert lines[1].endswith("GET /30")
    assert lines[-1] == "and 10 more: 55 seen, 10 kept"


def test_a_report_counts_an_endpoint_once_whatever_rules_decided():
    lines = report_endpoints([counts_of("GET /", seen=1), counts_of("GET /", ORDERS, seen=2, sampled=1)])
    assert lines == ["SEEN  SAMPLED  DROPPED  ENDPOINT", "   3        1        2  GET /"]


def test_an_endpoint_is_cut_to_the_width_and_cannot_move_the_cursor():
    lines = draw_endpoints([("GET /\x1b[2J" + "x" * 100, counts_of("", seen=1))], "ENDPOINT", 60)
    assert "\\x1b[2J" in lines[1]
    assert max(map(len, lines)) == 60
