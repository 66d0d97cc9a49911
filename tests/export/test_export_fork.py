"""Forks and the interpreter's end, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

PRELUDE = """
import os, sys, time
from autotrace.export.pipeline import Pipeline
from autotrace.export.resource import ProcessResource
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

class Lines:
    def deliver(self, resource, spans):
        assert resource.attributes["process.pid"] == os.getpid()
        for span in spans:
            os.write(1, f"{span.name}\\n".encode())
    def close(self):
        pass

pipeline = Pipeline([Lines()], ProcessResource("orders", "0"), 2**26)
tracer = Tracer(lambda root: True, lambda root: True, pipeline.deliver)

def run(name):
    tracer.start(Site(tracer, name), Span, None).close()
"""


def execute(script: str) -> tuple[list[str], str]:
    """The lines that `script` exported, and its stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PRELUDE + textwrap.dedent(script)],
        capture_output=True, text=True, timeout=60, check=True, env={**os.environ, "PYTHONPATH": os.getcwd()},
    )  # fmt: skip
    return done.stdout.splitlines(), done.stderr


def test_a_forked_child_exports_its_own_spans_and_the_parent_its_own() -> None:
    lines, errors = execute("""
        run("parent before")
        child = os.fork()
        run("child" if child == 0 else "parent after")
        pipeline.shutdown(2 * 10**9)
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
    """)
    assert (sorted(lines), errors) == (["child", "parent after", "parent before"], "")


def test_a_fork_that_python_was_not_told_of_repeats_nothing() -> None:
    lines, errors = execute("""
        import ctypes
        pipeline.before_fork()
        run("parent")
        pipeline.after_fork_in_parent()
        child = ctypes.PyDLL(None).fork()
        if child == 0:
            run("child")
            pipeline.shutdown(2 * 10**9)
            os._exit(0)
        os.waitpid(child, 0)
        pipeline.shutdown(2 * 10**9)
    """)
    assert (sorted(lines), errors) == (["child", "parent"], "")


def test_a_child_of_such_a_fork_that_records_nothing_exports_nothing() -> None:
    lines, errors = execute("""
        import ctypes
        pipeline.before_fork()
        run("parent")
        pipeline.after_fork_in_parent()
        child = ctypes.PyDLL(None).fork()
        if child == 0:
            pipeline.shutdown(2 * 10**9)
            os._exit(0)
        os.waitpid(child, 0)
        pipeline.shutdown(2 * 10**9)
    """)
    assert (lines, errors) == (["parent"], "")


def test_forking_again_and_again_prints_no_warning() -> None:
    lines, errors = execute("""
        for number in range(100):
            run(f"parent {number}")
            child = os.fork()
            if child == 0:
                if number % 10 == 0:
                    run(f"child {number}")
                    pipeline.shutdown(2 * 10**9)
                os._exit(0)
            os.waitpid(child, 0)
        pipeline.shutdown(2 * 10**9)
    """)
    expected = [f"parent {number}" for number in range(100)] + [f"child {number}" for number in range(0, 100, 10)]
    assert (sorted(lines), errors) == (sorted(expected), "")


def test_a_fork_while_other_threads_deliver_loses_and_repeats_nothing() -> None:
    lines, errors = execute("""
        import threading, warnings
        warnings.simplefilter("ignore")  # the application's own threads live through its forks
        def work(thread):
            for number in range(200):
                run(f"{thread}/{number}")
                time.sleep(0.0005)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
        for thread in threads: thread.start()
        for number in range(20):
            child = os.fork()
            if child == 0:
                run(f"child {number}")
                pipeline.shutdown(2 * 10**9)
                os._exit(0)
            os.waitpid(child, 0)
        for thread in threads: thread.join()
        pipeline.shutdown(5 * 10**9)
    """)
    expected = [f"{thread}/{number}" for thread in range(3) for number in range(200)]
    assert (sorted(lines), errors) == (sorted(expected + [f"child {number}" for number in range(20)]), "")


@pytest.mark.parametrize("first", ["pass", "run('early')"])
def test_what_ends_while_the_interpreter_ends_is_exported(first: str) -> None:
    lines, errors = execute(f"""
        import atexit, threading
        atexit.register(lambda: pipeline.shutdown(2 * 10**9))
        atexit.register(lambda: run("at exit"))
        class Late:
            def __del__(self): run("too late")
        late = Late()
        threading.Thread(target=lambda: (time.sleep(0.05), run("thread"))).start()
        {first}
    """)
    assert ([line for line in sorted(lines) if line != "early"], errors) == (["at exit", "thread"], "")


def test_a_process_that_never_shuts_down_ends_at_once() -> None:
    lines, errors = execute("run('work')")
    assert (lines, errors) in (([], ""), (["work"], ""))
