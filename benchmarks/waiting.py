"""What waiting spans hold: takes a peer whose export stands still, gives bytes of memory per finished span."""

from __future__ import annotations

import gc
from pathlib import Path

from benchmarks.loops import CASES
from benchmarks.peer import Peer

_PAGE = 4096


def hold(peer: Peer, spans: int) -> dict[str, float]:
    """Finish about `spans` spans in traces of ten; the resident memory that the process gained, by their number."""
    trace = CASES["traces"](peer)
    for _ in range(100):
        trace()
    exported, before, held = peer.exported(), _resident(), 0
    while held < spans:
        held += trace().spans
    gained = _resident() - before
    assert peer.exported() == exported, "spans were exported while they should wait"
    peer.settle()
    assert peer.exported() - exported >= held, "spans were dropped while they should wait"
    return {"bytes": gained / held, "spans": held}


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
