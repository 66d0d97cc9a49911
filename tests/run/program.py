"""Runs a small program under `python -m autotrace` in its own folder, and gives what it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def environment(**extra: str) -> dict[str, str]:
    """The environment of a user, without ours; failures of ours are raised."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOTRACE", "OTEL_"))}
    return {**kept, "PYTHONPATH": str(ROOT), "AUTOTRACE_FAILURES": "raise", **extra}


def run(folder: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """`python -m autotrace WORDS` in `folder`."""
    command = [sys.executable, "-m", "autotrace", *words]
    return subprocess.run(
        command, cwd=folder, env=environment(**extra), capture_output=True, text=True, timeout=60, check=False
    )


def write(folder: Path, **files: str) -> None:
    """Write files named without their endings: `app="…"` is app.py, `tracing="…"` is tracing.toml."""
    for name, text in files.items():
        (folder / f"{name}{'.toml' if name == 'tracing' else '.py'}").write_text(text, encoding="utf-8")


def spans(folder: Path, *words: str) -> list[dict[str, Any]]:
    """The spans of the newest trace in the folder's store, as `autotrace show` gives them."""
    outcome = run(folder, "show", "--format", "json", *words)
    assert outcome.returncode == 0, outcome.stderr
    found: list[dict[str, Any]] = json.loads(outcome.stdout)
    return found


def tree(folder: Path, *words: str) -> str:
    """The newest trace as a drawn tree."""
    outcome = run(folder, "show", "--tree", *words)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout
