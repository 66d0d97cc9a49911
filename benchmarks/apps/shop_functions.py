"""Small functions of the shop, as a user wrote them: a loop of them has more tracing in it than anything else."""

from __future__ import annotations

from benchmarks.order import Order


def take_order(count: int) -> int:
    """A trace of `count` calls."""
    total = 0
    for number in range(count):
        total += price_item(number, 2)
    return total


def take_described_order(count: int) -> int:
    """A trace of `count` calls with a tag."""
    order = Order("book")
    return sum([len(name_order(order)) for _ in range(count)])


def price_item(price: int, quantity: int) -> int:
    """A traced call."""
    return sum([price * number for number in range(quantity + 20)])


def name_order(order: Order) -> str:
    """A traced call with a tag, the kind of the order."""
    return ", ".join([order.kind.title() for _ in range(8)])
