"""No tracer: the functions as they are; what they cost is taken off everybody's."""

from __future__ import annotations

from pathlib import Path

from benchmarks import functions
from benchmarks.peer import Peer


def start(mode: str, folder: Path) -> Peer:
    """The functions, untraced."""
    return Peer(
        root=functions.root,
        async_root=functions.async_root,
        sync=functions.sync,
        tagged=functions.tagged,
        outer=functions.outer,
        coroutine=functions.coroutine,
        asking=functions.asking,
        plain=functions.plain,
        current_name=lambda: "untraced",
        settle=lambda: None,
        exported=lambda: 0,
        generator=functions.generator,
    )
