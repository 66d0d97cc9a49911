"""What tracing by `patch` would change: runs the suites with `how = "patch"`, prints the differences.

A report, no test: `PYTHONPATH=tests:. python -m gate.report [patch|weave] [attrs structlog]`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gate.comparison import compare, read_deviations
from gate.environment import HERE, make_environment
from gate.suite import CONFIG, SUITES, Mode, run_suite


def report(how: str, suites: Sequence[str], folder: Path) -> None:
    """Print, for each suite, how many tests differ under tracing by `how`, which, and the times."""
    environment = make_environment()
    config = folder / "gate.toml"
    config.write_text(f'how = "{how}"\n{CONFIG.read_text(encoding="utf-8")}', encoding="utf-8")
    for suite in suites:
        untraced = run_suite(environment, suite, Mode(), folder / f"{suite}-untraced")
        traced = run_suite(environment, suite, Mode(config), folder / f"{suite}-{how}")
        deviations = read_deviations(HERE / "deviations.toml", suite, how)
        differences = compare(untraced.observations, traced.observations, deviations)
        print("\n\n".join(differences))
        print(
            f"\n{suite}, {how}: {len(differences)} of {len(untraced.observations)} tests differ, {traced.spans} spans, "
            f"{untraced.seconds:.0f} s untraced, {traced.seconds:.0f} s traced\n"
        )


if __name__ == "__main__":
    words = sys.argv[1:] or ["patch"]
    with tempfile.TemporaryDirectory() as temporary:
        report(words[0], words[1:] or SUITES, Path(temporary))
