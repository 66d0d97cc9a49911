"""One run of one suite: takes its name and how it is to be traced, gives what each test did, the time, the spans."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from autotrace.store.read import StoreReader
from gate.environment import HERE, ROOT, Environment

CONFIG = HERE / "gate.toml"
SUITES = ("attrs", "structlog")
TIME_LIMIT = 600


@dataclass(frozen=True, slots=True)
class Observation:
    """What one test did: its outcome in words, what it printed and the warnings that it gave, numbers made alike."""

    outcome: tuple[str, ...]
    printed: str
    warned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a suite: observations by test id, wall time in seconds, spans in the store, what pytest printed."""

    observations: dict[str, Observation]
    exit_code: int
    seconds: float
    spans: int
    output: str


@dataclass(frozen=True, slots=True)
class Mode:
    """How a suite is run; `variables` are added to the environment, None as config means untraced."""

    config: Path | None = None
    variables: dict[str, str] = field(default_factory=dict)


def run_suite(environment: Environment, suite: str, mode: Mode, folder: Path) -> Run:
    """Run a whole suite, in the order of its files, with the same seeds each time; `folder` is for what it writes."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(environment.python)]
    if mode.config is not None:
        command += ["-m", "autotrace", "--config", str(mode.config)]
    command += ["-m", "pytest", "-p", "gate_observation", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    command += ["--basetemp", str(folder / "temporary")]
    observations = folder / "observations.json"
    store = folder / "store" / "traces.db"
    # Not the variables of the test session: coverage, pytest options or a tracing of ours in there would be a difference.
    variables = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ") if name in os.environ}
    variables |= {
        "PYTHONPATH": os.pathsep.join((_module_path(folder), str(HERE / "plugin"))),
        "PYTHONHASHSEED": "0",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        "GATE_OBSERVATIONS": str(observations),
        "AUTOTRACE_STORE": str(store),
        **mode.variables,
    }
    started = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=environment.sources(suite),
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIME_LIMIT,
    )
    seconds = time.perf_counter() - started
    output = done.stdout + done.stderr
    if not observations.exists():
        raise RuntimeError(f"pytest did not come to its end in {suite}, exit code {done.returncode}:\n{output[-8000:]}")
    return Run(_read(observations), done.returncode, seconds, _count_spans(store), output)


def _module_path(folder: Path) -> str:
    """A folder for PYTHONPATH with autotrace in it and nothing else of the checkout, whose `tests` would be found."""
    path = folder / "path"
    path.mkdir()
    (path / "autotrace").symlink_to(ROOT / "autotrace")
    return str(path)


def _read(file: Path) -> dict[str, Observation]:
    return {
        test: Observation(tuple(seen["outcome"]), seen["printed"], tuple(seen["warned"]))
        for test, seen in json.loads(file.read_text(encoding="utf-8")).items()
    }


def _count_spans(store: Path) -> int:
    if not store.exists():
        return 0
    with StoreReader(store) as reader:
        return sum(trace.spans for trace in reader.traces(limit=reader.trace_count()))
