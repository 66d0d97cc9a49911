"""The functions that are traced, as a user wrote them: nothing here knows of a tracer.

A worker must not import them before its peer is set up: a tracer that compiles what it traces would come too late.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

from benchmarks.order import Order


def root(work: Callable[[], object]) -> object:
    """Call `work` within a span that has no parent."""
    return work()


async def async_root(work: Callable[[], Awaitable[object]]) -> object:
    """Await `work` within a span that has no parent."""
    return await work()


def sync(order: Order) -> Order:
    """A call."""
    return order


def tagged(order: Order) -> Order:
    """A call whose span has a tag: the order's kind."""
    return order


def outer(order: Order) -> Order:
    """A call with a call in it."""
    return sync(order)


async def coroutine(order: Order) -> Order:
    """A call of a coroutine function."""
    return order


def generator(count: int) -> Iterator[int]:
    """A generator; each resume is a step of its span."""
    yield from range(count)


def asking(ask: Callable[[], str]) -> str:
    """Ask what is current within a call."""
    return ask()


def plain(order: Order) -> Order:
    """A call that nobody traces."""
    return order
