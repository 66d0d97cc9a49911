"""A program with functions that are called hundreds of thousands of times runs as untraced, and its traces stay small."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .program import environment, run, spans, write

SHOP = """
def price(number):
    if number == 299_999:
        raise KeyError(number)
    return number

def total():
    found = 0
    for number in range(300_000):
        try:
            found += price(number)
        except KeyError as error:
            found += error.args[0]
    return found

def alone(number):
    return number

def fact(number):
    return 1 if number < 2 else number * fact(number - 1)

def facts():
    return sum(fact(300) for _ in range(100)) % 1000007
"""

APP = """
import sys
import shop
print(shop.total(), sum(map(shop.alone, range(100_000))), shop.facts(), sys.getrecursionlimit())
"""

TRACING = """
service_name = "shop"
how = "{how}"
[sampler]
rate = {rate}
[[services]]
name = "shop"
at = "shop"
methods = ["*"]
"""


@pytest.mark.parametrize(("how", "rate"), [("weave", 1), ("weave", 0), ("patch", 1)])
def test_hot_functions_are_limited_and_said_once_each_and_the_results_stay(tmp_path: Path, how: str, rate: int) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing=TRACING.replace("{how}", how).replace("{rate}", str(rate)))
    plain = subprocess.run(
        [sys.executable, "app.py"], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True
    )
    traced = run(tmp_path, "app.py")
    assert (traced.returncode, traced.stdout) == (0, plain.stdout), traced.stderr
    lines = re.findall(r"autotrace: shop\.(\w+) is called so often that (\d+) calls left no span", traced.stderr)
    assert sorted(name for name, _ in lines) == ["alone", "fact", "price"]
    assert traced.stderr.count("\n") == 3
    said = {name: int(calls) for name, calls in lines}
    assert said["price"] > 200_000
    assert said["alone"] > 50_000


def test_the_trace_of_a_hot_loop_says_how_many_calls_it_lacks_and_shows_the_one_that_failed(tmp_path: Path) -> None:
    app = "import shop\nprint(shop.total())\n"
    write(tmp_path, app=app, shop=SHOP, tracing=TRACING.replace("{how}", "weave").replace("{rate}", "0"))
    run(tmp_path, "app.py")
    found = spans(tmp_path)
    (root,) = [span for span in found if span["name"] == "total"]
    assert root["attributes"]["autotrace.dropped_spans"] + len(found) - 1 == 300_000
    failed = [span for span in found if span["status"] == "error"]
    assert [(span["name"], span["attributes"]["autotrace.limited"]) for span in failed] == [("price", True)]
