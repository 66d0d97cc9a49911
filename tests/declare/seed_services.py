"""The classes of the design document, as they are written there, and around them what such a program has: ordinary code."""

# ruff: noqa: W293, F841 - as the document has it

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from autotrace import TraceContext, service, traced


@dataclass
class Order:
    id: int
    type: str


@dataclass
class Payment:
    id: int


@dataclass
class Result:
    value: int


@dataclass
class Message:
    body: dict[str, Any]
    trace_context: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.body[name]
        except KeyError:
            raise AttributeError(name) from None


class Database:
    async def create_order(self, data: dict[str, Any]) -> Order:
        await asyncio.sleep(0)
        return Order(data.get("id", 17), data["type"])


class Queue:
    """A queue whose consumers are tasks of their own, which were there before anything was published."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[tuple[str, Message]] = asyncio.Queue()
        self.consumers: dict[str, Callable[[Message], Awaitable[None]]] = {}

    async def publish(self, topic: str, body: dict[str, Any], trace_context: dict[str, str]) -> None:
        await self.waiting.put((topic, Message(body, trace_context)))

    async def work(self) -> None:
        while True:
            topic, message = await self.waiting.get()
            if topic in self.consumers:
                await self.consumers[topic](message)
            self.waiting.task_done()


class Wiring:
    """What the services are given, each the same database and queue."""

    provider = "bank"

    def __init__(self, database: Database, queue: Queue) -> None:
        self.db = database
        self.queue = queue
        self.sent: list[int] = []

    async def process_payment(self, order_id: int) -> Payment:
        await asyncio.sleep(0)
        return Payment(order_id * 10)

    async def send_notification(self, payment_id: int) -> None:
        self.sent.append(payment_id)

    async def process(self, data: dict[str, Any]) -> Result:
        return Result(10 // data["parts"])


# fmt: off
@service
class OrderService(Wiring):
    @traced
    async def create_order(self, order_data: dict) -> Order:
        with TraceContext() as trace:
            # Automatically captures the trace context
            trace.add_tag("order_type", order_data["type"])
            
            # Database operation is traced
            order = await self.db.create_order(order_data)
            
            # Message queue operation is traced
            await self.queue.publish(
                "payment_needed",
                {"order_id": order.id},
                trace_context=trace.context
            )
            
            return order

@service
class PaymentService(Wiring):
    @traced
    async def handle_payment(self, message: Message) -> None:
        # Trace context is automatically extracted from message
        with TraceContext.from_message(message) as trace:
            trace.add_tag("payment_provider", self.provider)
            
            # Process payment
            payment = await self.process_payment(message.order_id)
            
            # Publish result with trace context
            await self.queue.publish(
                "payment_complete",
                {"payment_id": payment.id},
                trace_context=trace.context
            )

@service
class NotificationService(Wiring):
    @traced
    async def notify_payment_complete(self, message: Message) -> None:
        with TraceContext.from_message(message) as trace:
            # Send notification
            await self.send_notification(message.payment_id)

@service
class ResilientService(Wiring):
    @traced
    async def critical_operation(self, data: dict) -> Result:
        with TraceContext() as trace:
            try:
                result = await self.process(data)
                trace.add_tag("status", "success")
                return result
            except Exception as e:
                trace.add_tag("status", "error")
                trace.add_tag("error_type", type(e).__name__)
                trace.add_tag("error_message", str(e))
                trace.mark_as_error()
                raise
# fmt: on


class Shop:
    """The three services, and the consumers of two."""

    def __init__(self) -> None:
        self.queue = Queue()
        database = Database()
        self.orders = OrderService(database, self.queue)
        self.payments = PaymentService(database, self.queue)
        self.notifications = NotificationService(database, self.queue)
        self.queue.consumers["payment_needed"] = self.payments.handle_payment
        self.queue.consumers["payment_complete"] = self.notifications.notify_payment_complete

    async def order(self, count: int = 1) -> list[int]:
        """Order `count` times at once, and wait until all is paid and notified."""
        workers = [asyncio.create_task(self.queue.work()) for _ in range(3)]
        await asyncio.gather(*(self.orders.create_order({"type": "book", "id": n}) for n in range(1, count + 1)))
        await self.queue.waiting.join()
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        return sorted(self.notifications.sent)
