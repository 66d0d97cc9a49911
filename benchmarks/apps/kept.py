"""What autotrace's store holds: takes its file, gives the number of spans, which `python -m benchmarks.apps.kept` prints."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path


def count_spans(store: Path) -> int:
    """Spans of all traces; 0 where nothing was ever stored."""
    if not store.exists():
        return 0
    with closing(sqlite3.connect(store)) as connection:
        spans: int = connection.execute("SELECT coalesce(sum(spans), 0) FROM parts").fetchone()[0]
    return spans


if __name__ == "__main__":
    print(count_spans(Path(sys.argv[1])))
