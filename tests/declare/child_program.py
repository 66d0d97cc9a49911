"""Runs an interpreter of its own: takes its words, gives what it printed and how it ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def run_child(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python WORDS` in `folder`, with autotrace and this folder's modules to import."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOTRACE", "OTEL_"))}
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**kept, "PYTHONPATH": paths, "AUTOTRACE_FAILURES": "raise", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
