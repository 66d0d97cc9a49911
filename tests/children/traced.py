"""Programs that start others: takes their files, runs them with and without autotrace, reads what the store holds."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from autotrace.store.row import RECORD
from tests.run.program import environment
from tests.run.program import write as write

EVERYTHING_OF_MAIN = 'service_name = "parent"\n[[services]]\nat = "__main__"\nmethods = ["*"]\n'


class Recorded(NamedTuple):
    name: str
    pid: int
    service: str
    trace: bytes
    span: int
    parent: int | None


def recorded(folder: Path, name: str | None = None) -> list[Recorded]:
    """The spans of the folder's store in the order of their starts, of one name or all."""
    connection = sqlite3.connect(folder / ".autotrace" / "traces.db")
    parts = connection.execute(
        "SELECT trace_id, resources.attributes, service, records, descriptions"
        " FROM parts JOIN spans ON spans.id = parts.id JOIN resources ON resources.id = resource"
    ).fetchall()
    connection.close()
    timed = sorted(span for part in parts for span in _spans(*part))
    found = [one for _, one in timed]
    assert len({one.span for one in found}) == len(found), "a span is there twice"
    return [one for one in found if name in (None, one.name)]


def _spans(trace: bytes, attributes: str, service: str, records: bytes, texts: str) -> Iterator[tuple[int, Recorded]]:
    pid = json.loads(attributes)["process.pid"]
    names = [description[0] for description in json.loads(texts)]
    for span, parent, start_ns, _, place in RECORD.iter_unpack(records):
        yield start_ns, Recorded(names[place], pid, service, trace, span, parent or None)


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
