"""Whole programs that export to Jaeger, each in a process of its own: the classic dict, and collectors that are not well."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from jaeger_sink import JaegerSink, sink, tags

ROOT = Path(__file__).parents[2]

DICT = """
TRACING_CONFIG = {{
    'service_name': 'order-service',
    'sampler': {{
        'type': 'probabilistic',
        'rate': {rate}  # Sample 10% of requests
    }},
    'propagation': {{
        'http': True,
        'grpc': True,
        'messaging': True,
        'database': True
    }},
    'exporters': [{{
        'type': 'jaeger',
        'endpoint': '{endpoint}'
    }}]
}}
"""
SHOP = """
def create(number):
    if number == 13:
        raise ValueError("no stock")
    return charge(number)

def charge(number):
    return number
"""
FILE = """
service_name = "order-service"
[[services]]
at = "shop"
[[exporters]]
type = "jaeger"
endpoint = "{endpoint}"
{more}
"""


def run(folder: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """A Python with our package in `folder`; failures of ours are raised."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOTRACE", "OTEL_"))}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={**kept, "PYTHONPATH": str(ROOT), "AUTOTRACE_FAILURES": "raise", **extra},
    )  # fmt: skip


def install(folder: Path, collector: JaegerSink, rate: float, body: str) -> subprocess.CompletedProcess[str]:
    """A plain program that calls `install` with the dict and then does `body`; `create` and `charge` are traced."""
    (folder / "shop.py").write_text(SHOP)
    config = DICT.format(rate=rate, endpoint=collector.endpoint)
    start = "import autotrace\ninstalled = autotrace.install({**TRACING_CONFIG, 'services': [{'at': 'shop'}]})\n"
    (folder / "app.py").write_text(config + start + "import shop\n" + textwrap.dedent(body))
    return run(folder, "-W", "error", "app.py")


def launch(folder: Path, endpoint: str, more: str = "", body: str = "", words: tuple[str, ...] = ()) -> Any:
    """`python -m autotrace app.py` with a file that exports to `endpoint`; how it ended, and after how many seconds."""
    (folder / "shop.py").write_text(SHOP)
    (folder / "app.py").write_text(body or "import shop, sys\nprint(shop.create(1))\nsys.exit(7)\n")
    (folder / "tracing.toml").write_text(FILE.format(endpoint=endpoint, more=more))
    began = time.monotonic()
    outcome = run(folder, *words, "-m", "autotrace", "app.py")
    return outcome, time.monotonic() - began


def test_the_classic_dict_works_as_it_stands(tmp_path: Path) -> None:
    with sink() as collector:
        outcome = install(tmp_path, collector, 0.1, "for number in range(100, 2100):\n    shop.create(number)\n")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert 2 * 100 <= len(collector.spans) <= 2 * 300
    assert len({span.traceIdLow for span in collector.spans}) * 2 == len(collector.spans)


def test_at_rate_1_each_span_arrives_with_ids_parents_tags_and_times(tmp_path: Path) -> None:
    before = time.time_ns() // 1000
    with sink() as collector:
        outcome = install(tmp_path, collector, 1.0, "shop.create(1)\n")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    (batch,) = collector.batches
    root, child = sorted(batch.spans, key=lambda span: span.parentSpanId != 0)
    assert (root.operationName, child.operationName) == ("create", "charge")
    assert (root.traceIdLow, root.traceIdHigh) == (child.traceIdLow, child.traceIdHigh)
    assert (root.parentSpanId, child.parentSpanId) == (0, root.spanId)
    assert (root.flags, child.flags) == (1, 1)
    assert before <= root.startTime <= child.startTime <= time.time_ns() // 1000
    assert child.duration <= root.duration
    assert tags(root)["span.kind"] == "internal"
    assert batch.process.serviceName == "order-service"
    assert tags(batch.process)["telemetry.sdk.name"] == "autotrace"


def test_an_error_arrives_though_it_was_sampled_out(tmp_path: Path) -> None:
    with sink() as collector:
        outcome = install(tmp_path, collector, 0, "try:\n    shop.create(13)\nexcept ValueError:\n    pass\n")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    (span,) = collector.spans
    found = tags(span)
    assert (found["error"], found["otel.status_code"]) == (True, "ERROR")
    (log,) = span.logs
    assert (tags(log)["event"], tags(log)["exception.message"]) == ("exception", "no stock")


def test_with_jaeger_alone_the_local_store_holds_no_span_and_with_both_both_do(tmp_path: Path) -> None:
    with sink() as collector:
        launch(tmp_path, collector.endpoint)
        assert run(tmp_path, "-m", "autotrace", "show", "--tree").returncode == 1
        launch(tmp_path, collector.endpoint, '[[exporters]]\ntype = "sqlite"')
    assert run(tmp_path, "-m", "autotrace", "show", "--tree").stdout == "create [order-service]\n└─ charge\n"
    assert sorted(span.operationName for span in collector.spans) == ["charge", "charge", "create", "create"]


def test_a_store_that_is_not_asked_for_may_be_impossible(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with sink() as collector:
        outcome, _ = launch(tmp_path, collector.endpoint, '[store]\npath = "file/traces.db"')
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (7, "1\n", "")
    assert len(collector.spans) == 2


def test_a_forked_child_sends_its_own_spans_on_a_connection_of_its_own(tmp_path: Path) -> None:
    body = """
        import os
        shop.create(1)
        installed.flush()
        child = os.fork()
        shop.create(2)
        installed.flush()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        installed.uninstall()
    """
    with sink() as collector:
        outcome = install(tmp_path, collector, 1.0, body)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert len(collector.spans) == 6
    assert len({span.spanId for span in collector.spans}) == 6
    assert len({tags(batch.process)["process.pid"] for batch in collector.batches}) == 2
    assert len(collector.connections) == 2


@pytest.mark.parametrize("status", [500, None], ids=["HTTP 500", "refused"])
def test_a_collector_that_fails_changes_nothing_but_why_and_how_many_on_stderr(
    status: int | None, tmp_path: Path
) -> None:
    with sink(status or 202) as collector:
        if status:
            outcome, seconds = launch(tmp_path, collector.endpoint)
    if not status:
        outcome, seconds = launch(tmp_path, collector.endpoint)
    assert (outcome.returncode, outcome.stdout) == (7, "1\n")
    why, how_many = outcome.stderr.splitlines()
    assert why.startswith("autotrace: spans were not exported: JaegerExporter: ExportError: 127.0.0.1:")
    assert how_many == "autotrace: 2 spans were kept, but the exporter jaeger failed to take them"
    assert seconds < 10


@pytest.mark.parametrize("words", [(), ("-X", "dev", "-W", "error")], ids=["plain", "dev mode"])
def test_a_black_hole_holds_the_exit_up_for_the_timeout_and_no_longer(words: tuple[str, ...], tmp_path: Path) -> None:
    timing = "import atexit, time\nimport shop\nprint(shop.create(1), flush=True)\nprint(time.time(), flush=True)\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://me:hunter2@127.0.0.1:{server.getsockname()[1]}/api/traces"
        outcome, _ = launch(tmp_path, endpoint, '[shutdown]\ntimeout = "500ms"', timing + "raise SystemExit(7)", words)
        ended = time.time()
    value, moment = outcome.stdout.split()
    assert (outcome.returncode, value) == (7, "1")
    assert (
        outcome.stderr
        == "autotrace: spans were not exported: the end of the program waits no longer ([shutdown] timeout)\n"
    )
    assert ended - float(moment) < 2.5


def test_a_black_hole_does_not_outlive_ctrl_c(tmp_path: Path) -> None:
    body = "import os, signal, shop\nshop.create(1)\nos.kill(os.getpid(), signal.SIGINT)\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}/api/traces"
        outcome, _ = launch(tmp_path, endpoint, '[shutdown]\ntimeout = "300ms"', body)
    assert outcome.returncode == -signal.SIGINT
    assert "autotrace/export" not in outcome.stderr


def test_the_exporter_imports_nothing_of_the_network_before_its_first_span(tmp_path: Path) -> None:
    body = "import sys\nprint([name for name in ('socket', 'ssl', 'http.client') if name in sys.modules])\n"
    plain, _ = launch(tmp_path, "https://jaeger:14268/api/traces", body=body)
    (tmp_path / "tracing.toml").write_text('service_name = "order-service"\n[[services]]\nat = "shop"\n')
    assert plain.stdout == run(tmp_path, "-m", "autotrace", "app.py").stdout
    assert "http" not in plain.stdout
