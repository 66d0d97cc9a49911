"""`python -m benchmarks.paired`: what tracing costs, measured from outside and by itself; prints both and their ratio.

A program runs twice at the same time, with tracing and without (AUTOTRACE=off), and both do the same work in turns of a
third of a second. From outside: the difference of their CPU, as a share of the traced turn's; the median over all turns,
as other programs on the machine add to both. By itself: what the traced program writes into the store for
`autotrace overhead`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from autotrace.store.overhead import NOTHING, STAGES, Nanoseconds, total
from autotrace.store.overhead_text import from_text as overhead_of
from autotrace.store.read import StoreReader
from benchmarks.environments import CHECKOUT

PROGRAM = "benchmarks.apps.paired_program"
COUNTS = {"functions": 500, "tags": 400, "roots": 50_000, "flask": 1200, "fastapi": 120, "requests": 25, "httpx": 30}
"""Pieces of work of one turn: about a third of a second of CPU, untraced."""
TURNS = 8
_CONFIG = """\
service_name = "shop"
[[targets]]
at = "benchmarks.apps.shop_functions:name_order"
tags = {{ kind = "order.kind" }}
[[targets]]
at = "benchmarks.apps.shop_functions:*"
[[targets]]
at = "benchmarks.apps.pricing:price_order"
[[targets]]
at = "benchmarks.apps.clients:*.call_ten"
[sampler]
type = "probabilistic"
rate = {rate}
[shutdown]
timeout = "60s"
"""


class Pair(NamedTuple):
    """Shares of the traced program's CPU that tracing takes: `outside`, and `inside` by stage."""

    outside: float
    inside: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """What the tracer says, to what it costs."""
        return sum(self.inside) / self.outside


class Program:
    """One run of the program; `store` is None for an untraced one."""

    def __init__(self, case: str, url: str, folder: Path, rate: float, *, traced: bool) -> None:
        self._store = folder / "traces.db"
        config = folder / "tracing.toml"
        config.write_text(_CONFIG.format(rate=rate))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOTRACE", "OTEL_"))}
        switch = {} if traced else {"AUTOTRACE": "off"}
        environment = {**kept, **switch, "PYTHONPATH": str(CHECKOUT), "AUTOTRACE_STORE": str(self._store)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "autotrace", "--config", str(config), "-m", PROGRAM, case, url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            cwd=CHECKOUT,
        )

    def take_turn(self, count: int) -> int:
        """Do so many pieces of work; nanoseconds of CPU."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{count}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def told(self) -> Nanoseconds:
        """What the tracer has written of itself so far."""
        with StoreReader(self._store) as reader:
            found = [overhead for one in reader.runs() if (overhead := overhead_of(one.overhead)) is not None]
        return total(found).stages if found else NOTHING

    def stop(self) -> None:
        """End it."""
        self._process.communicate(timeout=60)


def measure(case: str, url: str = "", rate: float = 1.0, turns: int = TURNS) -> Pair:
    """Run one case with and without tracing."""
    with tempfile.TemporaryDirectory() as name:
        programs = []
        for traced in (False, True):
            folder = Path(name, str(traced))
            folder.mkdir()
            programs.append(Program(case, url, folder, rate, traced=traced))
        try:
            return _measure(programs[0], programs[1], COUNTS[case], turns)
        finally:
            for program in programs:
                program.stop()


def _measure(untraced: Program, traced: Program, count: int, turns: int) -> Pair:
    for program in (untraced, traced):
        program.take_turn(count // 3)  # what is done once
    before = traced.told()
    taken, shares = [], []
    for _ in range(turns):
        plain = untraced.take_turn(count)
        taken.append(traced.take_turn(count))
        shares.append(1 - (plain + untraced.take_turn(count)) / 2 / taken[-1])
    told = [(later - earlier) / sum(taken) for earlier, later in zip(before, traced.told(), strict=True)]
    return Pair(median(shares), tuple(told))


@contextmanager
def server() -> Iterator[str]:
    """Something to call, in a process of its own; its URL."""
    command = [sys.executable, "-m", "benchmarks.apps.keep_alive"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
        finally:
            process.terminate()


def line(title: str, pair: Pair) -> str:
    """One line of the table."""
    cells = [title, f"{pair.outside:.1%}", f"{sum(pair.inside):.1%}", f"**{pair.ratio:.2f}**"]
    return f"| {' | '.join((*cells, *(f'{share:.1%}' for share in pair.inside)))} |"


def main(cases: Sequence[str]) -> None:
    """Print the table."""
    heads = ["work", "from outside", "by itself", "ratio", *STAGES]
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    with server() as url:
        for case in cases or COUNTS:
            for rate in (1.0, 0.01):
                print(line(f"{case}, {rate:.0%} sampled", measure(case, url, rate)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
