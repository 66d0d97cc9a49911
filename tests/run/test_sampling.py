"""Which requests of a real application are kept: by endpoint, by the caller's flag, by error and by duration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .program import run, write

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
