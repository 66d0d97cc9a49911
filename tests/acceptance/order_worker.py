"""The shop's worker: takes orders from the queue in several threads. Its argument is the broker."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import kombu
from failing_orders import failure_of

QUEUE = "orders"
THREADS = 4


class Payments:
    """What the worker does with an order."""

    def handle(self, order: dict[str, int]) -> None:
        """Charge it."""
        self.charge(order["order"])

    def charge(self, number: int) -> None:
        """Take the money, unless this order is one that fails."""
        failure = failure_of(number)
        if failure is not None and failure.where == "worker":
            time.sleep(failure.seconds)
            raise ValueError(f"order {number} was not paid")


payments = Payments()


def take(body: Any, message: Any) -> None:
    payments.handle(body)


def work() -> None:
    queue = kombu.Queue(QUEUE, kombu.Exchange(""), routing_key=QUEUE)
    # Without acknowledgements, which would be half of the run.
    with kombu.Connection(sys.argv[1]) as connection, connection.Consumer([queue], callbacks=[take], no_ack=True):
        while True:
            try:
                connection.drain_events(timeout=1)
            except (TimeoutError, ValueError):
                pass


threads = [threading.Thread(target=work, daemon=True) for _ in range(THREADS)]
for thread in threads:
    thread.start()
print("ready", flush=True)
for thread in threads:
    thread.join()
