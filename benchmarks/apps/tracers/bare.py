"""Nothing is traced."""

from __future__ import annotations

from pathlib import Path

from benchmarks.apps.tracers import Tracing


def start(mode: str, folder: Path) -> Tracing:
    return Tracing()
