"""The benchmark's functions, traced by hand with a tracer of OpenTelemetry's API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Tracer

from benchmarks.functions import plain
from benchmarks.order import Order
from benchmarks.peer import Peer


def traced(
    tracer: Tracer,
    settle: Callable[[], object],
    exported: Callable[[], int],
    encode: Callable[[int], Callable[[], Callable[[], int]]] | None = None,
) -> Peer:
    """The functions with a `with` around each body."""
    start = tracer.start_as_current_span

    def root(work: Callable[[], Any]) -> Any:
        with start("root"):
            return work()

    async def async_root(work: Callable[[], Awaitable[Any]]) -> Any:
        with start("async_root"):
            return await work()

    def sync(order: Order) -> Order:
        with start("sync"):
            return order

    def tagged(order: Order) -> Order:
        with start("tagged") as span:
            span.set_attribute("kind", order.kind)
            return order

    def outer(order: Order) -> Order:
        with start("outer"):
            return sync(order)

    async def coroutine(order: Order) -> Order:
        with start("coroutine"):
            return order

    def asking(ask: Callable[[], str]) -> str:
        with start("asking"):
            return ask()

    def generator(count: int) -> Iterator[int]:
        # A `with` around a `yield` would leave the span current in the caller.
        span = tracer.start_span("generator")
        steps = iter(range(count))
        try:
            while True:
                with trace.use_span(span):
                    try:
                        value = next(steps)
                    except StopIteration:
                        return
                yield value
        finally:
            span.end()

    return Peer(
        root=root,
        async_root=async_root,
        sync=sync,
        tagged=tagged,
        outer=outer,
        coroutine=coroutine,
        asking=asking,
        plain=plain,
        current_name=lambda: str(getattr(trace.get_current_span(), "name", "")),
        settle=settle,
        exported=exported,
        generator=generator,
        encode=encode,
    )
