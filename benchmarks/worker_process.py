"""A worker seen from the parent: takes requests as dicts, gives the answers of a peer's interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.environments import CHECKOUT


class WorkerError(Exception):
    """A worker ended; the text says what it wrote last."""


class NoSuchCaseError(WorkerError):
    """The peer does not have what was asked for."""


class WorkerProcess:
    """`python -m MODULE PEER MODE FOLDER` in a peer's environment, from start to `stop`."""

    def __init__(
        self,
        python: str,
        peer: str,
        mode: str,
        folder: Path,
        environ: Mapping[str, str],
        module: str = "benchmarks.worker",
    ) -> None:
        self.name = f"{peer} ({mode})"
        self._log = folder / "stderr.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [python, "-m", module, peer, mode, str(folder)],
                cwd=CHECKOUT,
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            self._answer()
        except WorkerError:
            self.stop()
            raise

    def ask(self, case: str, **how: Any) -> dict[str, float]:
        """Measure `case`. Raises WorkerError; NoSuchCaseError where the peer has no such thing in this mode."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"case": case, **how}) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "unavailable" in answer:
            raise NoSuchCaseError(f"{self.name}: {answer['unavailable']}")
        return answer

    def stop(self) -> None:
        """End the process: by the end of its input, else by a signal."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            written = self._log.read_text(errors="replace").strip()
            print(written[-3000:], file=sys.stderr)
            raise WorkerError(f"{self.name} ended: {written.splitlines()[-1] if written else 'it said nothing'}")
        answer: dict[str, Any] = json.loads(line)
        return answer
