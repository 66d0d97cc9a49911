"""Real processes, forked and spawned, that share through their store what their service may sample in a second."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from .program import run, write

# Three children whose loads differ, and a parent that does nothing.
FORKING = """
import os, sys, time

def work():
    pass

def serve(pause, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        work()
        time.sleep(pause)

if __name__ == "__main__":
    children = []
    for pause in (0.002, 0.005, 0.01):
        child = os.fork()
        if not child:
            serve(pause, float(sys.argv[1]))
            sys.exit()
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
"""
SPAWNING = (
    FORKING.partition("if __name__")[0]
    + """
if __name__ == "__main__":
    import multiprocessing
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=serve, args=(pause, float(sys.argv[1]))) for pause in (0.002, 0.005, 0.01)]
    for child in children:
        child.start()
    for child in children:
        child.join()
"""
)
ADAPTIVE = '[sampler]\ntype = "adaptive"\ntarget_per_second = 40\n'
RULE = '[sampler]\ntype = "always_off"\n[[sampler.endpoints]]\nendpoint = "work"\nper_second = 40\n'
SECONDS = 8
SETTLED = 3


def question(folder: Path, sql: str) -> list[tuple[int, ...]]:
    with closing(sqlite3.connect(folder / ".autotrace" / "traces.db")) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("program", "sampler"),
    [(FORKING, ADAPTIVE), (SPAWNING, RULE)],
    ids=["adaptive, forked", "a rule, spawned"],
)
def test_processes_share_the_budget_of_their_service(program: str, sampler: str, tmp_path: Path) -> None:
    write(tmp_path, app=program, tracing=f'service_name = "shop"\n[[targets]]\nat = "app:work"\n{sampler}')
    outcome = run(tmp_path, "app.py", str(SECONDS))
    assert (outcome.returncode, outcome.stderr) == (0, "")
    ((begun,),) = question(tmp_path, "SELECT min(start_ns) FROM parts")
    last = begun + (SECONDS - 1) * 10**9
    ((kept,),) = question(
        tmp_path, f"SELECT count(*) FROM parts WHERE start_ns BETWEEN {begun + SETTLED * 10**9} AND {last}"
    )
    assert kept / (SECONDS - 1 - SETTLED) == pytest.approx(40, rel=0.35)
    # The parent has decided on nothing and takes nothing.
    assert len(question(tmp_path, "SELECT DISTINCT pid, started_ns FROM heartbeats")) == 3
