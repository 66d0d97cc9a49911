"""What a program says at its end of the traces of each endpoint, and what is known of one that was killed."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .program import environment, run, spans, write

APP = """
def order(number):
    if number % 10 == 0:
        raise ValueError("no stock")

def ping():
    pass

for number in range(100):
    try:
        order(number)
    except ValueError:
        pass
ping()
"""
TRACING = """
service_name = "shop"

[[targets]]
at = "app:order"
[[targets]]
at = "app:ping"

[sampler]
type = "probabilistic"
rate = 0

[sampler.keep]
per_second = 0.001

[[sampler.endpoints]]
endpoint = "ping"
rate = 1
[[sampler.endpoints]]
endpoint = "ordr"
rate = 1
"""
TABLE = """\
autotrace: SEEN  SAMPLED  ERRORS  LIMITED  DROPPED  ENDPOINT
autotrace:  100        0       1        9       99  order
autotrace:    1        1       0        0        0  ping
"""
LIMITED = 'autotrace: keep.per_second dropped 9 traces of "order"\n'
UNUSED = 'autotrace: tracing.toml:20:12: the rule for "ordr" met no endpoint; did you mean "order"?\n'


def counted(folder: Path, *words: str) -> dict[str, dict[str, Any]]:
    """The counters of the folder's store by endpoint."""
    outcome = run(folder, "traces", "--endpoints", "--format", "json", *words)
    assert outcome.returncode == 0, outcome.stderr
    return {one["endpoint"]: one for one in json.loads(outcome.stdout)}


def test_the_report_says_where_to_look_then_counts_then_what_was_limited_and_the_rules_without_a_hit(
    tmp_path: Path,
) -> None:
    write(tmp_path, app=APP, tracing=TRACING)
    outcome = run(tmp_path, "--report", "app.py")
    assert outcome.returncode == 0
    end_line = "autotrace: 2 traces (2 kept of 101) -> .autotrace/traces.db; autotrace show\n"
    assert outcome.stderr == end_line + TABLE + LIMITED + UNUSED


def test_without_being_asked_a_program_that_is_read_by_another_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=TRACING)
    assert run(tmp_path, "app.py").stderr == ""


def test_at_a_terminal_what_was_limited_and_the_rules_without_a_hit_are_said_unasked(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=TRACING)
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "autotrace", "app.py"]
    subprocess.run(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=terminal, check=True)
    os.close(terminal)
    said = os.read(master, 4096).decode().replace("\r\n", "\n")
    os.close(master)
    assert said.endswith(LIMITED + UNUSED)
    assert "SEEN" not in said


def test_a_rule_whose_endpoints_met_an_earlier_one_is_named_with_it(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=TRACING.replace('"ordr"', '"pi*"'))
    said = run(tmp_path, "--report", "app.py").stderr.splitlines()[-1]
    assert 'rule for "pi*" met no endpoint; "ping" met an earlier one: [[sampler.endpoints]] endpoint = "ping"' in said


def test_a_report_that_has_nothing_to_count_is_the_end_line_alone(tmp_path: Path) -> None:
    write(tmp_path, app="print(1)\n", tracing="")
    assert run(tmp_path, "--report", "app.py").stderr == (
        "autotrace: 0 traces (0 kept of 0) -> .autotrace/traces.db; autotrace show\n"
    )


def test_report_takes_no_value(tmp_path: Path) -> None:
    outcome = run(tmp_path, "--report=x", "app.py")
    assert (outcome.returncode, outcome.stderr) == (2, "autotrace: --report takes no value\n")


def test_a_forks_child_says_nothing_and_counts_for_itself(tmp_path: Path) -> None:
    app = APP + "import os\nif os.fork() == 0:\n    ping()\n    raise SystemExit\nos.wait()\n"
    write(tmp_path, app=app, tracing=TRACING)
    outcome = run(tmp_path, "--report", "app.py")
    assert outcome.stderr.count("kept of") == outcome.stderr.count("SEEN") == 1
    assert "autotrace:    1        1       0        0        0  ping\n" in outcome.stderr
    assert "count for themselves; autotrace traces --endpoints adds them up\n" in outcome.stderr
    assert counted(tmp_path)["ping"]["sampled"] == 2


def test_a_child_program_says_nothing(tmp_path: Path) -> None:
    parent = "import subprocess, sys\nsubprocess.run([sys.executable, 'app.py'], check=True)\n"
    write(tmp_path, app=APP, parent=parent, tracing=TRACING)
    outcome = run(tmp_path, "--report", "parent.py")
    assert outcome.stderr.startswith("autotrace: 0 traces (0 kept of 0)")
    assert "SEEN" not in outcome.stderr
    assert counted(tmp_path)["order"]["errors"] == 1


def test_what_several_runs_have_counted_is_added_up(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=TRACING)
    run(tmp_path, "app.py")
    run(tmp_path, "app.py")
    found = counted(tmp_path)
    assert found["order"] == {
        "service": "shop", "endpoint": "order", "rule": "[sampler] rate = 0", "seen": 200, "sampled": 0, "errors": 2,
        "slow": 0, "tagged": 0, "requested": 0, "background": 0, "limited": 18, "dropped": 198, "kept": 2,
    }  # fmt: skip
    assert found["ping"]["rule"] == '[[sampler.endpoints]] endpoint = "ping", rate = 1 (tracing.toml:17:12)'
    assert found["ordr"]["seen"] == 0


def test_a_process_that_is_killed_leaves_the_counters_of_some_seconds_before(tmp_path: Path) -> None:
    app = "import sys, time\n" + APP + "print('counting', flush=True)\nwhile True:\n    ping()\n    time.sleep(0.05)\n"
    write(tmp_path, app=app, tracing=TRACING)
    command = [sys.executable, "-m", "autotrace", "app.py"]
    started = time.monotonic()
    database = tmp_path / ".autotrace" / "traces.db"
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        while not database.exists() or not database.stat().st_size:
            time.sleep(0.1)
        while counted(tmp_path).get("ping", {"seen": 0})["seen"] < 20:
            assert time.monotonic() - started < 60
            time.sleep(0.5)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    found = counted(tmp_path)
    assert (found["order"]["seen"], found["order"]["errors"], found["order"]["limited"]) == (100, 1, 9)
    assert found["ping"]["seen"] >= 20


def test_a_process_that_drops_everything_has_its_counters_in_the_store_while_it_lives(tmp_path: Path) -> None:
    app = "import time\ndef ping(): pass\nwhile True:\n    ping()\n    time.sleep(0.05)\n"
    write(tmp_path, app=app, tracing=TRACING.replace("rate = 1", "rate = 0"))
    process = subprocess.Popen([sys.executable, "-m", "autotrace", "app.py"], cwd=tmp_path, env=environment())
    try:
        for _ in range(200):
            said = run(tmp_path, "show").stderr
            if "Every trace was sampled out" in said:
                break
            time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    assert " dropped: ping [shop] by [[sampler.endpoints]] endpoint =" in said


SAYING = """
import time
from autotrace import TraceContext

def failing(): raise ValueError("no")
def slow(): time.sleep(0.05)
def asked(): TraceContext().keep()
def gold(): TraceContext().add_tag("tier", "gold")
def plain(): pass

for function in (failing, slow, asked, gold, plain):
    try:
        function()
    except ValueError:
        pass
"""


def test_a_trace_that_was_kept_late_says_why(tmp_path: Path) -> None:
    targets = "".join(f'[[targets]]\nat = "app:{name}"\n' for name in ("failing", "slow", "asked", "gold", "plain"))
    keep = '[sampler.keep]\nslower_than = "30ms"\ntags = { tier = "gold" }\nbackground_per_second = 0.001\n'
    write(tmp_path, app=SAYING, tracing=f'{targets}[sampler]\ntype = "probabilistic"\nrate = 0\n{keep}')
    assert run(tmp_path, "app.py").stderr == ""
    listed = json.loads(run(tmp_path, "traces", "--format", "json").stdout)
    said = {}
    for trace in listed:
        (span,) = spans(tmp_path, trace["trace_id"])
        said[span["name"]] = span["attributes"]["autotrace.keep"]
    assert said == {
        "failing": "errors", "slow": "slow", "asked": "requested", "gold": "tagged", "plain": "background"
    }  # fmt: skip


def test_a_sampled_trace_needs_no_other_reason(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=TRACING.replace("rate = 0", "rate = 1"))
    run(tmp_path, "app.py")
    (span,) = spans(tmp_path, "--last-error")
    assert "autotrace.keep" not in span["attributes"]
