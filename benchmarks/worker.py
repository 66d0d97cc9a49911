"""A peer at work: takes `PEER MODE FOLDER`, then one case a line on stdin, gives what each cost, one line on stdout.

Lines are JSON: `{"case": "sync", "seconds": 0.15}` is answered by what `benchmarks.loops.measure` gives, or by
`{"unavailable": why}`. The first answer, `{}`, says that the peer is set up, and that its current span was right.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.encoding import encode
from benchmarks.loops import measure
from benchmarks.peer import Peer, UnavailableError
from benchmarks.waiting import hold


def main(name: str, mode: str, folder: Path) -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # a peer may print

    def answer(work: Callable[[], Mapping[str, float]]) -> None:
        try:
            found: Mapping[str, object] = work()
        except UnavailableError as reason:
            found = {"unavailable": str(reason)}
        answers.write(json.dumps(found) + "\n")

    peers: list[Peer] = []

    def start() -> Mapping[str, float]:
        peers.append(import_module(f"benchmarks.peers.{name}").start(mode, folder))
        if mode == "recorded":
            _check(peers[0])
        return {}

    answer(start)
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        answer(lambda: _do(peers, **request))  # noqa: B023 - it is called at once


def _do(peers: Sequence[Peer], case: str, seconds: float = 0.15, spans: int = 0) -> Mapping[str, float]:
    if not peers:
        raise UnavailableError("it is not set up")
    peer = peers[0]
    if case == "waiting":
        return hold(peer, spans)
    if case.startswith("encode"):
        return encode(peer, int(case.removeprefix("encode_")), seconds)
    return measure(peer, case, seconds)


def _check(peer: Peer) -> None:
    """What is current is the innermost traced call, and nothing outside of one. Raises AssertionError."""
    if peer.current_name() == "untraced":
        return
    before = peer.exported()
    names: list[str] = []

    def work() -> None:
        names.append(peer.current_name())
        names.append(peer.asking(peer.current_name))
        names.append(peer.current_name())

    peer.root(work)
    assert names == ["root", "asking", "root"], names
    peer.settle()
    assert peer.exported() - before == 2, f"{peer.exported() - before} of 2 spans reached the transport"


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    os._exit(0)  # what a peer does at its end, such as waiting for a collector, is not measured
