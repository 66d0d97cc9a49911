"""A program whose rates come from a server that speaks Jaeger's protocol, and from one that does not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from .program import environment, run, write
from .sampling_server import SamplingServer, by_operation, probabilistic, sampling

SHOP = """
def order(): pass
def pay(): pass
def health(): pass
"""
# Works until its stdin is closed, or a line comes: the round that it has then reached goes to stdout.
APP = """
import sys, threading, time
import shop
lines = []
reader = threading.Thread(target=lambda: [lines.append(line) for line in sys.stdin] or lines.append(""), daemon=True)
reader.start()
longest = 0.0
while "" not in lines:
    before = time.monotonic()
    shop.order(), shop.pay(), shop.health()
    longest = max(longest, time.monotonic() - before)
    time.sleep(0.005)
print(longest)
"""
TRACING = """
service_name = "{service}"
[[services]]
name = "shop"
at = "shop"
methods = ["*"]
[sampler]
type = "jaeger_remote"
server = "http://{host}/sampling{query}"
poll = "1s"
rate = {rate}
{rules}
[shutdown]
timeout = "2s"
"""


def prepare(
    folder: Path, host: str, rate: float = 0, service: str = "shop", query: str = "", rules: str = "", app: str = APP
) -> None:
    """The files of a program that asks `host`."""
    text = TRACING.format(service=service, host=host, query=query, rate=rate, rules=rules)
    write(folder, app=app, shop=SHOP, tracing=text)


@contextmanager
def running(folder: Path, **extra: str) -> Iterator[subprocess.Popen[str]]:
    """The program, from its start until what is in the block is done; it has to end well, and soon."""
    process = subprocess.Popen(
        [sys.executable, "-m", "autotrace", "app.py"], cwd=folder, env=environment(**extra), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Let the program end; what it wrote."""
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    return output, errors


def kept(folder: Path) -> list[tuple[float, str]]:
    """When each kept trace began, in seconds, and its endpoint."""
    outcome = run(folder, "traces", "--format", "json", "--limit", "100000")
    assert outcome.returncode == 0, outcome.stderr
    return sorted((trace["start_ns"] / 1e9, trace["endpoint"]) for trace in json.loads(outcome.stdout))


def host(server: SamplingServer) -> str:
    return f"127.0.0.1:{server.port}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_the_rates_arrive_and_follow_the_server(tmp_path: Path) -> None:
    with sampling(probabilistic(1)) as server:
        prepare(tmp_path, host(server))
        with running(tmp_path) as process:
            server.until(lambda: len(server.asked) >= 2)
            changed = time.time()
            server.answer = probabilistic(0)
            server.until(lambda: len(server.asked) >= 3)
            time.sleep(0.5)
            quiet = time.time()
            server.until(lambda: len(server.asked) >= 4)
            finish(process)
    starts = [start for start, _ in kept(tmp_path)]
    assert sum(start < changed for start in starts) > 100
    assert not [start for start in starts if start > quiet]
    times = [asked.at for asked in server.asked]
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.95


def test_each_operation_has_its_rate_and_a_rule_of_the_file_comes_first(tmp_path: Path) -> None:
    rules = '[[sampler.endpoints]]\nendpoint = "health"\nrate = 0\n'
    with sampling(by_operation(0, 0, order=1, health=1)) as server:
        prepare(tmp_path, host(server), rules=rules)
        with running(tmp_path) as process:
            server.until(lambda: len(server.asked) >= 2)
            finish(process)
    assert {endpoint for _, endpoint in kept(tmp_path)} == {"order"}


def test_a_lower_bound_shows_each_endpoint_a_little(tmp_path: Path) -> None:
    with sampling(by_operation(0, 0.01)) as server:
        prepare(tmp_path, host(server))
        with running(tmp_path) as process:
            server.until(lambda: len(server.asked) >= 2)
            finish(process)
    assert Counter(endpoint for _, endpoint in kept(tmp_path)) == {"order": 1, "pay": 1, "health": 1}


def test_the_service_is_named_and_the_password_sent_and_nothing_else_said(tmp_path: Path) -> None:
    service = "shop é & co/1+1=2"
    with sampling(probabilistic(1)) as server:
        prepare(tmp_path, f"me:s%40cret@{host(server)}", service=service, query="?tenant=7")
        with running(tmp_path) as process:
            server.until(lambda: len(server.asked) >= 2)
            _, errors = finish(process)
    for asked in server.asked:
        assert asked.query == {"tenant": ["7"], "service": [service]}
        assert asked.headers == {
            "Host": host(server),
            "User-Agent": "autotrace",
            "Accept": "application/json",
            "Authorization": "Basic bWU6c0BjcmV0",
            "Connection": "close",
        }
    assert errors == ""


def test_our_own_request_is_not_traced(tmp_path: Path) -> None:
    app = APP.replace("import shop", "import http.client, requests, shop, socket")
    with sampling(probabilistic(1)) as server:
        prepare(tmp_path, host(server), rate=1, app=app)
        with running(tmp_path, http_proxy="http://127.0.0.1:1", HTTP_PROXY="http://127.0.0.1:1") as process:
            server.until(lambda: len(server.asked) >= 2)
            finish(process)
    assert {endpoint for _, endpoint in kept(tmp_path)} == {"order", "pay", "health"}


def test_a_server_that_is_down_at_first_is_found_later_and_said_once(tmp_path: Path) -> None:
    port = free_port()
    prepare(tmp_path, f"me:secret@127.0.0.1:{port}")
    with running(tmp_path) as process:
        time.sleep(2.5)
        with sampling(probabilistic(1), port) as server:
            server.until(lambda: len(server.asked) >= 2)
        up = time.time()
        time.sleep(2.5)
        _, errors = finish(process)
    starts = [start for start, _ in kept(tmp_path)]
    assert sum(start > up + 0.5 for start in starts) > 100  # the last good answer holds
    assert errors.count("\n") == 1, errors
    assert f"no sampling strategies from 127.0.0.1:{port}: " in errors
    assert "[sampler] rate holds" in errors
    assert "secret" not in errors


def test_an_answer_that_is_none_changes_nothing_and_is_said_once(tmp_path: Path) -> None:
    with sampling(probabilistic(1)) as server:
        prepare(tmp_path, host(server))
        with running(tmp_path) as process:
            server.until(lambda: len(server.asked) >= 1)
            server.answer = probabilistic(7)
            server.until(lambda: len(server.asked) >= 3)
            time.sleep(0.2)
            bad = time.time()
            time.sleep(0.5)
            _, errors = finish(process)
    assert sum(start > bad for start, _ in kept(tmp_path)) > 20
    assert errors.count("\n") == 1, errors
    assert "samplingRate is 7, not a number from 0 to 1; its last answer holds" in errors


def test_a_server_that_hangs_holds_up_nothing(tmp_path: Path) -> None:
    with sampling(probabilistic(1)) as server:
        server.delay = 30
        prepare(tmp_path, host(server), rate=1)
        with running(tmp_path) as process:
            server.until(lambda: len(server.asked) >= 1)
            before = time.monotonic()
            output, errors = finish(process)
    assert float(output) < 0.8  # a second is how long it waits where nobody minds
    assert time.monotonic() - before < 1.0
    assert (errors, len(kept(tmp_path)) > 2) == ("", True)


FORKS = """
import os, sys, time
import shop
def work(seconds):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        shop.order()
        time.sleep(0.005)
if sys.stdin.readline() == "warm\\n":
    work(2.5)
longest = 0.0
children = []
for _ in range(2):
    before = time.monotonic()
    child = os.fork()
    if child == 0:
        work(4.5)
        sys.exit()
    longest = max(longest, time.monotonic() - before)
    children.append(child)
work(1.0)
for child in children:
    os.waitpid(child, 0)
print(longest)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("first", ["cold\n", "warm\n"])
def test_a_forks_child_asks_for_itself(tmp_path: Path, first: str) -> None:
    with sampling(probabilistic(1)) as server:
        prepare(tmp_path, host(server), app=FORKS)
        with running(tmp_path, PYTHONWARNINGS="error::DeprecationWarning:__main__") as process:
            _, errors = process.communicate(first, timeout=60)
            assert (process.returncode, errors) == (0, "")
    # The parent once or twice before the fork and once after it, each child at once or after up to a second, then again.
    assert len(server.asked) >= 6
    assert len(kept(tmp_path)) > 800


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_does_not_wait_for_a_server_that_hangs(tmp_path: Path) -> None:
    with sampling(probabilistic(1)) as server:
        server.delay = 30
        prepare(tmp_path, host(server), rate=1, app=FORKS.replace("work(2.5)", "work(0.3)").replace("4.5", "0.1"))
        with running(tmp_path) as process:
            output, errors = process.communicate("warm\n", timeout=60)
            assert process.returncode == 0, errors
    assert float(output) < 0.8


def test_a_rate_of_nothing_does_not_end_the_asking_after_a_fork(tmp_path: Path) -> None:
    with sampling(probabilistic(0)) as server:
        prepare(tmp_path, host(server), app=FORKS.replace("4.5", "0.1").replace("work(1.0)", "work(3.5)"))
        with running(tmp_path) as process:
            process.stdin.write("warm\n")  # type: ignore[union-attr]  # a pipe
            process.stdin.flush()  # type: ignore[union-attr]
            server.until(lambda: len(server.asked) >= 2)
            server.answer = probabilistic(1)
            finish(process)
    assert len(kept(tmp_path)) > 50


SERVICES = """
import sys, time
import autotrace
import shop

SAMPLER = {"type": "jaeger_remote", "server": sys.stdin.readline().strip(), "rate": 0}

@autotrace.service(tracing={"service_name": "billing", "sampler": SAMPLER})
class Billing:
    @autotrace.traced
    def charge(self): pass

billing = Billing()
limit = time.monotonic() + 3
while time.monotonic() < limit:
    shop.order(), billing.charge()
    time.sleep(0.005)
"""


def test_a_service_with_a_sampler_of_its_own_asks_under_its_own_name(tmp_path: Path) -> None:
    with sampling(probabilistic(1)) as server:
        prepare(tmp_path, host(server), app=SERVICES)
        with running(tmp_path) as process:
            _, errors = process.communicate(f"http://{host(server)}/own\n", timeout=60)
            assert (process.returncode, errors) == (0, "")
    assert set(server.services) == {"shop", "billing"}
    assert server.services.count("billing") == 1  # its `poll` is the default, a minute
    assert {endpoint for _, endpoint in kept(tmp_path)} == {"order", "Billing.charge"}
