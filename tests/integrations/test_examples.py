"""The two web applications of `examples/web`, run as a user runs them: whole traces, and nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "web"
PRINTED = "2 hats: 201 {'id': 1, 'price': 25.0}\n12 hats: 201 {'id': 2, 'price': 135.0}\n5 scarfs: 500 failed\n"
ORDERED = [
    "client POST",
    "  server POST /orders",
    "    internal ask_warehouse",
    "      client GET",
    "    internal check_stock",
    "    internal total_price",
    "    internal save",
    "      client INSERT orders",
]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(EXAMPLES.parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "autotrace", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module", params=["flask", "fastapi"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The demo's output, and its traces, oldest first."""
    folder = tmp_path_factory.mktemp(request.param) / "web"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns(".autotrace", "__pycache__"))
    ran = run(folder, "demo.py", request.param)
    listed = json.loads(run(folder, "traces", "--format", "json").stdout)
    traces = [json.loads(run(folder, "show", trace["trace_id"], "--format", "json").stdout) for trace in listed]
    traces.sort(key=lambda spans: min(span["start_ns"] for span in spans))
    yield ran, traces


def tree(spans: list[dict[str, Any]]) -> list[str]:
    lines: list[str] = []
    ids = {span["span_id"] for span in spans}

    def add(parent: str | None, indent: str) -> None:
        for span in sorted(spans, key=lambda span: span["start_ns"]):
            above = span["parent_id"] if span["parent_id"] in ids else None
            if above == parent:
                lines.append(f"{indent}{span['kind']} {span['name']}")
                add(span["span_id"], indent + "  ")

    add(None, "")
    return lines


def test_the_demo_prints_what_it_prints_untraced(shop: Any) -> None:
    ran, _ = shop
    assert (ran.stdout, ran.returncode) == (PRINTED, 0), ran.stderr


def test_an_order_is_one_whole_trace(shop: Any) -> None:
    _, traces = shop
    orders = [spans for spans in traces if len(spans) == len(ORDERED)]
    assert [tree(spans)[1:] for spans in orders].count(ORDERED[1:]) == 2, [tree(spans) for spans in traces]


def test_a_failed_order_says_why(shop: Any) -> None:
    _, traces = shop
    failed = traces[-1]
    assert tree(failed)[1:] == [*ORDERED[1:5]]
    messages = {span["name"]: span["status_message"] for span in failed if span["status"] == "error"}
    assert messages["check_stock"] == messages["POST /orders"] == "3 scarfs left, 5 wanted"


def test_not_one_line_of_the_applications_is_about_tracing() -> None:
    sources = [file.read_text() for file in EXAMPLES.glob("*.py")]
    assert len(sources) == 5
    assert not any(word in source for source in sources for word in ("autotrace", "opentelemetry", "traceparent"))
