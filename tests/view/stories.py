"""One request through three services, as finished spans and as a store holds them."""

from __future__ import annotations

from autotrace.span.finished import FinishedEvent, FinishedSpan, Resource

START = 1_700_000_000_000_000_000
MS = 1_000_000
TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736

ORDERS, PAYMENTS = Resource("order-service", {}), Resource("payment-service", {})


def finished(number, parent, name, kind="internal", at=0, lasts=1, error="", trace=TRACE, attributes=None, root=False):
    events = [
        FinishedEvent(
            "exception", START + (at + lasts) * MS, {"exception.type": "ValueError", "exception.message": error}
        )
    ]
    return FinishedSpan(
        trace, number, parent, name, kind, START + at * MS, lasts * MS, "error" if error else "unset", error,
        attributes or {}, events if error else [], [], "autotrace", root,
    )  # fmt: skip


def an_order():
    """(resource, spans) as two processes deliver them, out of order."""
    payments = [finished(5, 4, "POST /pay", "server", at=60, lasts=30, error="card refused", root=True)]
    orders = [
        finished(3, 2, "INSERT orders", "client", at=5, lasts=20, attributes={"db.system.name": "sqlite"}),
        finished(4, 2, "POST", "client", at=50, lasts=45, error="500"),
        finished(2, 1, "OrderService.create_order", at=2, lasts=95, attributes={"order_type": "gold", "n": 3}),
        finished(1, 0, "POST /orders", "server", at=0, lasts=100, root=True),
        finished(6, 1, "render", at=98, lasts=1),
    ]
    return [(PAYMENTS, payments), (ORDERS, orders)]
