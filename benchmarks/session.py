"""One run of the benchmark: takes what the command line asked for, gives sections their peers, rounds and workers."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks import environments
from benchmarks.worker_process import NoSuchCaseError, WorkerError, WorkerProcess

_KEPT = ("BENCHMARKS_ISOLATED", "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


class Session:
    """Workers live as long as it does. `quick` asks for as little as shows that everything works."""

    def __init__(self, peers: Sequence[str], rounds: int, quick: bool, is_isolated: bool) -> None:
        self.peers = tuple(peers)
        self.rounds = rounds
        self.quick = quick
        self.is_isolated = is_isolated
        self.notes: list[str] = []
        """What the results must say: who was left out, and why."""
        self.folder = Path(tempfile.mkdtemp(prefix="benchmarks-"))
        """For files of this run; every worker and `run` gets a folder of its own below it."""
        self._workers: dict[tuple[str, str], WorkerProcess] = {}
        self._broken: set[tuple[str, str]] = set()
        self._started = time.monotonic()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers.values():
            worker.stop()

    def say(self, text: str) -> None:
        """One line of progress on stderr."""
        print(f"[{time.monotonic() - self._started:5.0f} s] {text}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Something that the results must say."""
        if text not in self.notes:
            self.notes.append(text)
            self.say(text)

    def having(self, *peers: str) -> list[str]:
        """Those of `peers` that take part in this run, in this order."""
        return [peer for peer in peers if peer in self.peers]

    def python(self, peer: str) -> str:
        """The interpreter of a peer's environment."""
        return str(environments.python(peer))

    def environ(self, **more: str) -> dict[str, str]:
        """The environment variables of a measured process: nothing of the user's that could change it, and `more`."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {**kept, "PYTHONHASHSEED": "0", **more}

    def new_folder(self, name: str) -> Path:
        """An empty folder for one process."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def worker(self, peer: str, mode: str) -> WorkerProcess:
        """The worker of a peer in a mode, started when first asked for; it lives until the session ends."""
        worker = self._workers.get((peer, mode))
        if worker is None:
            worker = self._workers[peer, mode] = self.new_worker(peer, mode)
        return worker

    def ask(self, peer: str, mode: str, case: str, **how: Any) -> dict[str, float] | None:
        """What the worker of a peer in a mode answers; None where there is no such thing, or where it broke, noted."""
        if (peer, mode) in self._broken:
            return None
        try:
            return self.worker(peer, mode).ask(case, **how)
        except NoSuchCaseError:
            return None
        except WorkerError as error:
            self._broken.add((peer, mode))
            self.note(f"The rest of {peer}, {mode}, is missing from {case} on: {error}")
            return None

    def new_worker(self, peer: str, mode: str) -> WorkerProcess:
        """A worker of the caller's own, who stops it."""
        return WorkerProcess(self.python(peer), peer, mode, self.new_folder(f"{peer}-{mode}"), self.environ())
