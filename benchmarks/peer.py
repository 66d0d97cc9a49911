"""What a worker needs of a tracer: its traced functions, how to ask it and how to empty it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

SERVICE = "benchmark"


class UnavailableError(Exception):
    """The peer has no such mode; the text says why."""


@dataclass(frozen=True)
class Peer:
    """One tracer, set up. The functions are those of `benchmarks.functions`, traced as its users would.

    `settle` brings what waits to the transport, `exported` counts the spans that got there. A generator is given only by
    peers whose span is current in its body alone. `encode` takes a number of attributes per span and gives a
    function that prepares 500 finished spans, in traces of ten; what that gives encodes them, once, and says how many bytes
    they became.
    """

    root: Callable[[Callable[[], Any]], Any]
    async_root: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
    sync: Callable[[Any], object]
    tagged: Callable[[Any], object]
    outer: Callable[[Any], object]
    coroutine: Callable[[Any], Awaitable[object]]
    asking: Callable[[Callable[[], str]], str]
    plain: Callable[[Any], object]
    current_name: Callable[[], str]
    settle: Callable[[], object]
    exported: Callable[[], int]
    generator: Callable[[int], Iterator[int]] | None = None
    encode: Callable[[int], Callable[[], Callable[[], int]]] | None = None
