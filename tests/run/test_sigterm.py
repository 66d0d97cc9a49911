"""SIGTERM has its default effect at once, also while C code runs; what ended a second before is in the store."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from .program import environment, tree, write

APP = """
import signal, time
def work(): pass
work()
time.sleep(1.5)
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, flush=True)
sum(range(10**10))
"""


def test_sigterm_ends_a_program_in_a_long_c_call_and_its_spans_are_kept(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing='service_name = "shop"\n[[services]]\nat = "app:work"\n')
    command = [sys.executable, "-m", "autotrace", "app.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "True\n"
        time.sleep(0.3)
        begin = time.monotonic()
        program.send_signal(signal.SIGTERM)
        assert program.wait(20) == -signal.SIGTERM
    assert time.monotonic() - begin < 2
    assert tree(tmp_path) == "work [shop]\n"
