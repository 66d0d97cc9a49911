"""The children of `multiprocessing`, by every start method: their spans arrive, once, with their own pid and ids."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children.traced import EVERYTHING_OF_MAIN, recorded, traced, write
from tests.run.program import environment

POOL = """\
import multiprocessing, sys
def work(n):
    return n * 2
if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        print(pool.map(work, range(10)))
"""
EXECUTOR = """\
import concurrent.futures, multiprocessing, sys
def work(n):
    return n * 2
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        print(list(pool.map(work, range(10))))
"""
PROCESSES = """\
import multiprocessing, sys
def work(n):
    print(n * 2, end=" ", flush=True)
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    for n in range(3):
        process = context.Process(target=work, args=(n,))
        process.start()
        process.join()
        assert process.exitcode == 0
    print()
"""
METHODS = ("fork", "spawn", "forkserver")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("program", "calls"), [(POOL, 10), (EXECUTOR, 10)], ids=["Pool", "ProcessPoolExecutor"])
def test_no_span_of_a_pool_is_lost_or_there_twice(program: str, calls: int, method: str, tmp_path: Path) -> None:
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=program)
    outcome = traced(tmp_path, "app.py", method)
    assert outcome.stdout == f"{[n * 2 for n in range(10)]}\n"
    assert outcome.stderr == ""
    assert len(recorded(tmp_path, "work")) == calls


@pytest.mark.parametrize("method", METHODS)
def test_each_process_has_its_own_pid_and_the_service_of_its_parent(method: str, tmp_path: Path) -> None:
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=PROCESSES)
    assert traced(tmp_path, "app.py", method).stdout == "0 2 4 \n"
    spans = recorded(tmp_path, "work")
    assert len({one.pid for one in spans}) == len({one.trace for one in spans}) == len(spans) == 3
    assert {one.service for one in spans} == {"parent"}


FORKING = """\
import os
def child():
    pass
def after():
    pass
def parent():
    pid = os.fork()
    if pid == 0:
        child()
        return
    os.waitpid(pid, 0)
    after()
parent()
"""


@pytest.mark.skipif(not hasattr(sys, "abiflags"), reason="no fork")
def test_a_span_that_is_open_at_a_fork_is_the_parents_and_the_childs_calls_are_below_it(tmp_path: Path) -> None:
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=FORKING)
    traced(tmp_path, "app.py")
    spans = {one.name: one for one in recorded(tmp_path)}
    assert sorted(spans) == ["after", "child", "parent"]
    parent, child, after = spans["parent"], spans["child"], spans["after"]
    assert child.trace == after.trace == parent.trace
    assert child.parent == after.parent == parent.span
    assert child.pid != parent.pid == after.pid


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGTERM)", "signal.raise_signal(15)"])
def test_a_process_that_ends_itself_at_once_loses_nothing(end: str, tmp_path: Path) -> None:
    app = f"import os, signal\ndef work():\n    pass\nwork()\n{end}\n"
    write(tmp_path, tracing=EVERYTHING_OF_MAIN, app=app)
    assert traced(tmp_path, "app.py").returncode == (0 if "_exit" in end else -15)
    assert len(recorded(tmp_path, "work")) == 1


ENDING = """\
import os, signal
from autotrace.hook.multiprocess import Multiprocessing, _Wait

flushed = []
owner = Multiprocessing(lambda: flushed.append(True), compile)
wait = _Wait(owner)

def end():
    signal.signal(signal.SIGTERM, wait._end_process)
    os.kill(os.getpid(), signal.SIGTERM)
    print("ended", flushed, flush=True)

owner.finish(end)
"""


def test_a_worker_that_is_killed_while_it_ends_finishes_first_and_then_obeys(tmp_path: Path) -> None:
    write(tmp_path, app=ENDING)
    command = [sys.executable, "app.py"]
    outcome = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (-signal.SIGTERM, "ended []\n", "")
