"""Two installations in one process: the newer one records, and the older one again when the newer is taken out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from .program import environment, run, write

SHOP = "def buy(number):\n    return number\n"
APP = """
import autotrace

older = autotrace.install({"service_name": "older", "services": [{"at": "shop"}]})
newer = autotrace.install({"service_name": "newer", "services": [{"at": "shop"}]})
import shop

shop.buy(1)
FIRST.uninstall()
shop.buy(2)
SECOND.uninstall()
shop.buy(3)
"""


def services(folder: Path) -> list[str]:
    """The service of each trace, oldest first."""
    listed: list[dict[str, Any]] = json.loads(run(folder, "traces", "--format", "json").stdout)
    return [service for trace in reversed(listed) for service in trace["services"]]


def run_plain(folder: Path, first: str, second: str) -> subprocess.CompletedProcess[str]:
    write(folder, app=APP.replace("FIRST", first).replace("SECOND", second), shop=SHOP)
    command = [sys.executable, "app.py"]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def test_taking_out_the_older_one_leaves_the_newer_one_recording(tmp_path: Path) -> None:
    outcome = run_plain(tmp_path, "older", "newer")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert services(tmp_path) == ["newer", "newer"]


def test_taking_out_the_newer_one_gives_recording_back_to_the_older(tmp_path: Path) -> None:
    outcome = run_plain(tmp_path, "newer", "older")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert services(tmp_path) == ["newer", "older"]


def test_an_installation_under_the_launcher_covers_the_file_until_it_is_taken_out(tmp_path: Path) -> None:
    tracing = 'service_name = "file"\n[[services]]\nat = "shop"\n'
    write(tmp_path, app=APP.replace("FIRST", "newer").replace("SECOND", "older"), shop=SHOP, tracing=tracing)
    outcome = run(tmp_path, "app.py")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert services(tmp_path) == ["newer", "older", "file"]
