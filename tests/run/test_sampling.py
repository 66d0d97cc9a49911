"""Which requests of a real application are kept: by endpoint, by the caller's flag, by error and by duration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .program import run, spans, write

APP = """
import http.client, json, sys, threading, time
import requests
from flask import Flask, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

class Quiet(WSGIRequestHandler):
    def log(self, *arguments): pass

app = Flask("shop")
app.logger.disabled = True

@app.get("/orders/<int:number>")
def order(number): return {}

@app.post("/orders")
def create(): raise ValueError("no stock")

@app.get("/slow")
def slow():
    time.sleep(0.3)
    return {}

@app.get("/headers")
def headers(): return jsonify({name.lower(): value for name, value in request.headers.items()})

@app.get("/hop")
def hop(): return requests.get(server + "/headers", timeout=5).json()

wsgi = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
wsgi.daemon_threads = False  # their last lines come after the answer
server = f"http://127.0.0.1:{wsgi.server_port}"
thread = threading.Thread(target=wsgi.serve_forever, kwargs={"poll_interval": 0.02})
thread.start()
for method, path, sent in json.loads(sys.argv[1]):
    # Python's own client is not traced, so that the test is the caller.
    connection = http.client.HTTPConnection("127.0.0.1", wsgi.server_port)
    connection.request(method, path, headers=sent)
    print(connection.getresponse().read().decode().replace("\\n", ""))
    connection.close()
wsgi.shutdown()
thread.join()
wsgi.server_close()
"""
RULES = """
[sampler]
type = "probabilistic"
rate = 0

[[sampler.endpoints]]
endpoint = "GET /orders/{number}"
rate = 1

[sampler.keep]
errors = true
slower_than = "200ms"
"""
TRACE, SPAN = "a" * 32, "b" * 16
Request = tuple[str, str, dict[str, str]]


def ask(folder: Path, config: str, *requests: Request) -> list[str]:
    """What the application answered to each request."""
    write(folder, app=APP, tracing=config)
    outcome = run(folder, "app.py", json.dumps(requests))
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout.splitlines()


def kept(folder: Path) -> list[str]:
    """The endpoints of the traces that were kept."""
    outcome = run(folder, "traces", "--format", "json")
    return sorted(trace["endpoint"] for trace in json.loads(outcome.stdout))


def test_a_rule_an_error_and_a_slow_request_are_kept_and_nothing_else(tmp_path: Path) -> None:
    paths = [("GET", "/orders/1"), ("GET", "/orders/2"), ("POST", "/orders"), ("GET", "/slow"), ("GET", "/headers")]
    ask(tmp_path, RULES, *((method, path, {}) for method, path in paths))
    order = "GET /orders/<int:number>"
    assert kept(tmp_path) == [order, order, "GET /slow", "POST /orders"]


ALWAYS, NEVER, BY_RATE = True, False, None
CALLERS: list[tuple[dict[str, str], bool | None, bool]] = [  # what is sent, who decides, whether the trace goes on
    ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, ALWAYS, True),
    ({"traceparent": f"00-{TRACE}-{SPAN}-00"}, NEVER, True),
    ({"X-Trace-ID": TRACE, "X-Span-ID": SPAN, "X-Trace-Sampled": "1"}, ALWAYS, True),
    ({"X-Trace-ID": TRACE, "X-Span-ID": SPAN, "X-Trace-Sampled": "0"}, NEVER, True),
    ({"X-Trace-ID": TRACE, "X-Span-ID": SPAN}, BY_RATE, True),
    ({}, BY_RATE, False),
    ({"traceparent": f"00-{TRACE}-{SPAN}"}, BY_RATE, False),
    ({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}, BY_RATE, False),
    ({"traceparent": f"ff-{TRACE}-{SPAN}-01"}, BY_RATE, False),
]


@pytest.mark.parametrize("rate", [0, 1])
def test_the_callers_decision_is_trusted_and_told_to_the_next(rate: int, tmp_path: Path) -> None:
    config = f'[sampler]\ntype = "probabilistic"\nrate = {rate}\n'
    answers = ask(tmp_path, config, *(("GET", "/hop", sent) for sent, _, _ in CALLERS))
    found = []
    for answer in map(json.loads, answers):
        _, trace_id, _, flags = answer["traceparent"].split("-")
        found.append((flags, answer["x-trace-sampled"], trace_id == TRACE))
    decided = [(bool(rate) if decision is None else decision, goes_on) for _, decision, goes_on in CALLERS]
    assert found == [("01", "1", goes_on) if sampled else ("00", "0", goes_on) for sampled, goes_on in decided]
    assert bool(kept(tmp_path)) is any(sampled for sampled, _ in decided)


def hops(folder: Path, config: str, *sent: dict[str, str]) -> list[dict[str, str]]:
    """The headers that the next service got, for each caller."""
    return [json.loads(answer) for answer in ask(folder, config, *(("GET", "/hop", headers) for headers in sent))]


def went_on(headers: dict[str, str]) -> bool:
    return headers["traceparent"].split("-")[1] == TRACE


SAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=1"}
UNSAMPLED = {"traceparent": f"00-{TRACE}-{SPAN}-00", "tracestate": "vendor=1"}


@pytest.mark.parametrize("rate", [0, 1])
def test_a_caller_that_is_not_trusted_has_its_trace_continued_and_our_decision(rate: int, tmp_path: Path) -> None:
    config = (
        f'[sampler]\ntype = "probabilistic"\nrate = {rate}\n[[sampler.endpoints]]\nendpoint = "/hop"\ninbound = "own"\n'
    )
    found = hops(tmp_path, config, SAMPLED, UNSAMPLED)
    assert [(went_on(headers), headers["traceparent"][-2:]) for headers in found] == [(True, f"0{rate}")] * 2
    # What the next service is told, it believes: its own part of the trace is there or not, as ours is.
    assert len(spans_of(tmp_path)) == (6 if rate else 0)


@pytest.mark.parametrize("rate", [0, 1])
def test_a_caller_that_is_ignored_is_only_linked_to_a_trace_of_our_own(rate: int, tmp_path: Path) -> None:
    config = f'[sampler]\ntype = "probabilistic"\nrate = {rate}\ninbound = "ignore"\n'
    config += '[[sampler.endpoints]]\nendpoint = "/headers"\ninbound = "trust"\n'
    found = hops(tmp_path, config, SAMPLED, UNSAMPLED)
    assert [(went_on(headers), headers["traceparent"][-2:]) for headers in found] == [(False, f"0{rate}")] * 2
    assert ["tracestate" in headers for headers in found] == [False, False]
    servers = [span for span in spans_of(tmp_path) if span["name"] == "GET /hop"]
    assert len(servers) == 2 * rate
    for server in servers:
        assert server["parent_id"] is None
        assert [(link["trace_id"], link["span_id"]) for link in server["links"]] == [(TRACE, SPAN)]


def test_what_is_not_recorded_leaves_the_callers_span_the_parent_of_the_next(tmp_path: Path) -> None:
    config = '[[sampler.endpoints]]\nendpoint = "/hop"\nrecord = false\n'
    (headers,) = hops(tmp_path, config, SAMPLED)
    assert headers["traceparent"] == f"00-{TRACE}-{SPAN}-01"
    assert headers["tracestate"] == "vendor=1"


def test_what_is_not_recorded_sends_nothing_on_as_sampled_whatever_the_rules_say(tmp_path: Path) -> None:
    config = '[sampler]\ntype = "probabilistic"\nrate = 1\ninbound = "own"\n'
    config += '[[sampler.endpoints]]\nendpoint = "/hop"\nrecord = false\n'
    found = hops(tmp_path, config, UNSAMPLED, {})
    assert [headers["traceparent"][-2:] for headers in found] == ["00", "00"]


def test_the_next_service_is_told_how_many_traces_a_sampled_one_stands_for(tmp_path: Path) -> None:
    config = '[sampler]\ntype = "probabilistic"\nrate = 0.5\ninbound = "own"\n[[sampler.endpoints]]\n'
    config += 'endpoint = "/headers"\ninbound = "trust"\n'
    random = {"traceparent": f"00-{'0' * 18}{'c' * 14}-{SPAN}-00", "tracestate": "vendor=1,ot=th:c;rv:20000000000000"}
    answers = hops(tmp_path, config, SAMPLED, {**SAMPLED, "tracestate": "vendor=1,ot=th:c"}, random)
    assert [headers.get("tracestate") for headers in answers] == [
        "ot=th:8,vendor=1",
        "ot=th:8,vendor=1",
        "ot=rv:20000000000000,vendor=1",
    ]
    assert [headers["traceparent"][-2:] for headers in answers] == ["01", "01", "00"]


def spans_of(folder: Path) -> list[dict[str, Any]]:
    """Every span that is in the store."""
    traces = json.loads(run(folder, "traces", "--format", "json").stdout)
    return [span for trace in traces for span in spans(folder, trace["trace_id"])]
