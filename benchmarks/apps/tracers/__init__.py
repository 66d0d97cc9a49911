"""How each peer traces the shop: takes a mode and a folder, gives a `Tracing`; one module a peer, named as the peer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

Decorate = Callable[[Callable[..., Any]], Callable[..., Any]]


def _unchanged(given: Any) -> Any:
    return given


def _none() -> int:
    return 0


@dataclass(frozen=True)
class Tracing:
    """A tracer that is set up, before any library of the shop is imported.

    `function` traces a function of the shop, where that is done by hand; `root` a function that begins a trace; `flask`
    and `fastapi` what has to be done with an application. `flush` brings what is recorded to the last step before the
    network. `spans` counts those that got there, or as near to it as can be counted.
    """

    function: Decorate = _unchanged
    root: Decorate = _unchanged
    flask: Callable[[Any], Any] = _unchanged
    fastapi: Callable[[Any], Any] = _unchanged
    flush: Callable[[], object] = _none
    spans: Callable[[], int] = _none


def start(peer: str, mode: str, folder: Path) -> Tracing:
    """Begin to trace this process as `peer` does it; `mode` is "recorded" or "unsampled"."""
    started: Tracing = import_module(f"{__name__}.{peer}").start(mode, folder)
    return started
