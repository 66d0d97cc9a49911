"""`autotrace overhead` over the store of a real program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from autotrace.store.overhead import STAGES

ROOT = Path(__file__).parent.parent.parent
APP = """
import os, sys

class Orders:
    def create(self, order): return self.price(order)
    def price(self, order): return len(order)
    def fail(self): raise ValueError("no stock")

def work(count):
    orders = Orders()
    for number in range(count):
        orders.create(f"order {number}")

work(int(sys.argv[1]))
if "fork" in sys.argv:
    child = os.fork()
    work(50)
    if child: os.waitpid(child, 0)
"""
CONFIG = """
service_name = "shop"
[[services]]
at = "__main__:Orders"
tags = { order = "order" }
[sampler]
type = "probabilistic"
rate = %s
"""


def run(folder: Path, *words: str, **extra: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOTRACE", "OTEL_"))}
    environment = {**kept, "PYTHONPATH": str(ROOT), "AUTOTRACE_FAILURES": "raise", "COLUMNS": "120", **extra}
    command = [sys.executable, "-m", "autotrace", *words]
    outcome = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def told(folder: Path, *words: str, rate: float = 1.0) -> list[dict[str, Any]]:
    """What the command says of a run of the program."""
    (folder / "app.py").write_text(APP)
    (folder / "tracing.toml").write_text(CONFIG % rate)
    run(folder, "app.py", *words)
    found: list[dict[str, Any]] = json.loads(run(folder, "overhead", "--format", "json"))
    return found


def test_a_chart_and_two_tables_say_what_tracing_costs(tmp_path: Path) -> None:
    told(tmp_path, "300")
    drawn = run(tmp_path, "overhead")
    assert drawn.startswith("shop · 1 process · ")
    assert all(stage in drawn for stage in STAGES)
    assert "█" in drawn
    assert "__main__.Orders.create" in drawn.partition("TARGET")[2].partition("ENDPOINT")[0]
    assert "Orders.create" in drawn.partition("ENDPOINT")[2]


def test_targets_and_endpoints_add_up_to_the_stages(tmp_path: Path) -> None:
    (shop,) = told(tmp_path, "300")
    assert {line["function"]: line["spans"] for line in shop["targets"]} == {
        "__main__.Orders.create": pytest.approx(300, rel=0.2),
        "__main__.Orders.price": pytest.approx(300, rel=0.2),
    }
    assert [line["name"] for line in shop["endpoints"]] == ["Orders.create"]
    for part in ("targets", "endpoints"):
        for stage in STAGES:
            assert sum(line["stages"][stage] for line in shop[part]) == pytest.approx(shop["stages"][stage], abs=10)
    assert shop["stages"]["Export"] > 0
    assert 0 < shop["share"] < 1


def test_tags_have_a_part_of_their_own(tmp_path: Path) -> None:
    # A tag costs less than what a busy machine adds to a call now and then; the runs of one store are added up.
    assert any(told(tmp_path, "300")[0]["stages"]["Tag Management"] > 0 for _ in range(4))


def test_what_is_recorded_and_dropped_costs_too(tmp_path: Path) -> None:
    (shop,) = told(tmp_path, "300", rate=0.0)
    assert shop["stages"]["Span Recording"] > 0
    assert sum(line["spans"] for line in shop["targets"]) == pytest.approx(600, rel=0.2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_counts_its_own(tmp_path: Path) -> None:
    (shop,) = told(tmp_path, "100", "fork")
    assert shop["processes"] == 2
    assert sum(line["spans"] for line in shop["targets"]) == pytest.approx(400, rel=0.2)


def test_without_a_span_it_says_why_there_is_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, "0") == []
    assert "without a traced call" in run(tmp_path, "overhead")


def test_without_a_store_it_says_that_nothing_ran(tmp_path: Path) -> None:
    assert "No run yet" in run(tmp_path, "overhead")


def test_an_unknown_service_is_answered_with_those_there_are(tmp_path: Path) -> None:
    told(tmp_path, "10")
    assert "services in this store: shop" in run(tmp_path, "overhead", "--service", "shipping")
