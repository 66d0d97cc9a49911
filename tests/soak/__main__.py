"""`python -m tests.soak [COUNT] [WORD…]`: the long runs at full length, written down with their date beside this file.

A variant is run if its name contains one of the words; without words all are.
"""

from __future__ import annotations

import datetime
import platform
import sys
import tempfile
from pathlib import Path

from .soak_run import FOLDER, LIMIT, VARIANTS, Memory, Variant, soak

RESULTS = FOLDER / "RESULTS.md"
COUNT = 1_000_000


def main(words: list[str]) -> int:
    """Run the variants; the exit code says whether all of them kept within the limit."""
    count = int(words.pop(0)) if words and words[0].isdigit() else COUNT
    found: dict[str, Memory] = {}
    for name, variant in VARIANTS.items():
        if words and not any(word in name for word in words):
            continue
        with tempfile.TemporaryDirectory() as folder:
            found[name] = memory = soak(variant, count, Path(folder))
        print(f"{name}: {memory.growth / 1e6:+.1f} MB, {memory.seconds:.0f} s", flush=True)
    if not words and count == COUNT:
        RESULTS.write_text(report(found, count))
    return int(any(memory.growth > LIMIT for memory in found.values()))


def report(found: dict[str, Memory], count: int) -> str:
    """The results as a page."""
    today = datetime.datetime.now(tz=datetime.timezone.utc).date()
    lines = [
        "# A million requests in one process",
        "",
        f"`python -m tests.soak`, {today}, CPython {platform.python_version()}. "
        f"Resident memory after {count // 10:,} requests and after {count:,}: "
        f"the second may be {LIMIT / 1e6:.0f} MB above the first. "
        f"`[buffer] memory` was {Variant().memory}, so that what may wait was full after a tenth.",
        "",
        "| | after a tenth | after all | growth |",
        "|---|---|---|---|",
    ]
    for name, memory in found.items():
        lines.append(
            f"| {name} | {memory.early / 1e6:.1f} MB | {memory.late / 1e6:.1f} MB | {memory.growth / 1e6:+.1f} MB |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
