"""Fixtures of the hook's tests: a program to trace, in either way of tracing it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from woven import Program, environment_of_child


@pytest.fixture(params=["weave", "patch"])
def how(request: pytest.FixtureRequest) -> str:
    """Both ways to trace."""
    return str(request.param)


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Makes programs of which `targets` are traced, until the end of the test."""
    with ExitStack() as stack:
        yield lambda *targets, **options: stack.enter_context(Program(tmp_path, targets, **options))


@pytest.fixture
def child(tmp_path: Path) -> Callable[..., str]:
    """Runs a script in an interpreter of its own; gives what it printed, and fails unless it ends well."""

    def run(source: str, *flags: str, env: dict[str, str] | None = None) -> str:
        script = tmp_path / "child_script.py"
        script.write_text(textwrap.dedent(source), encoding="utf-8")
        done: Any = subprocess.run(
            [sys.executable, *flags, str(script)],
            env={**environment_of_child(), **(env or {})},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return str(done.stdout)

    return run
