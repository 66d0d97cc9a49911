"""Programs that start others: takes their files, runs them with and without autotrace, reads what the store holds."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.run.program import environment
from tests.run.program import write as write

EVERYTHING_OF_MAIN = 'service_name = "parent"\n[[services]]\nat = "__main__"\nmethods = ["*"]\n'


class Recorded(NamedTuple):
    name: str
    pid: int
    service: str
    trace: bytes
    span: bytes
    parent: bytes | None


def recorded(folder: Path, name: str | None = None) -> list[Recorded]:
    """The spans of the folder's store in the order of their starts, of one name or all."""
    connection = sqlite3.connect(folder / ".autotrace" / "traces.db")
    rows = connection.execute(
        "SELECT name, resources.attributes, service, trace_id, span_id, parent_id"
        " FROM spans JOIN resources ON resource = resources.id ORDER BY start_ns"
    ).fetchall()
    connection.close()
    found = [Recorded(row[0], json.loads(row[1])["process.pid"], *row[2:]) for row in rows]
    assert len({one.span for one in found}) == len(found), "a span is there twice"
    return [one for one in found if name in (None, one.name)]


def python(folder: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """`python WORDS` in `folder`; `-m autotrace` in front of them traces it."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def traced(folder: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """`python -m autotrace WORDS`; no word of ours may stand on stderr."""
    outcome = python(folder, "-m", "autotrace", *words, **extra)
    assert "autotrace" not in outcome.stderr, outcome.stderr
    return outcome
