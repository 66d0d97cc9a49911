"""The classes of the design document give the traces that it draws."""

from __future__ import annotations

import asyncio
import json
import pickle

import pytest

TREE = [
    "OrderService.create_order [OrderService]",
    "  PaymentService.handle_payment [PaymentService]",
    "    NotificationService.notify_payment_complete [NotificationService]",
]


@pytest.fixture(params=["installed first", "installed later"])
def seed(request, program):
    """The document's module, imported on either side of `install()`."""
    if request.param == "installed first":
        program.install()
        return program.load_file("seed_services")
    module = program.load_file("seed_services")
    program.install()
    return module


def test_an_order_is_one_tree_without_a_span_for_the_context(program, seed):
    assert asyncio.run(seed.Shop().order()) == [10]
    assert program.tree() == TREE
    assert len({span.trace_id for span in program.spans()}) == 1
    assert program.span("OrderService.create_order").attributes["order_type"] == "book"
    assert program.span("PaymentService.handle_payment").attributes["payment_provider"] == "bank"


def test_orders_at_once_are_traces_of_their_own(program, seed):
    assert asyncio.run(seed.Shop().order(30)) == [10 * n for n in range(1, 31)]
    assert program.tree() == TREE * 30
    assert len({span.trace_id for span in program.spans()}) == 30


def test_a_caught_error_is_recorded_and_kept_although_nothing_is_sampled(program):
    program.install(sampler={"rate": 0.0})
    service = program.load_file("seed_services").ResilientService(None, None)
    assert asyncio.run(service.critical_operation({"parts": 2})).value == 5
    with pytest.raises(ZeroDivisionError):
        asyncio.run(service.critical_operation({"parts": 0}))
    (span,) = program.spans()
    assert (span.name, span.status) == ("ResilientService.critical_operation", "error")
    assert span.attributes["status"] == "error"
    assert span.attributes["error_type"] == "ZeroDivisionError"
    assert span.attributes["error_message"] == span.status_message == "integer division or modulo by zero"
    assert [event.name for event in span.events] == ["exception"]


def test_the_document_s_functions_are_the_objects_that_they_were(program):
    seed = program.load_file("seed_services")
    method = seed.OrderService.create_order
    program.install()
    assert seed.OrderService.create_order is method
    assert asyncio.iscoroutinefunction(method)
    assert pickle.loads(pickle.dumps(method)) is method


def test_without_tracing_the_document_s_classes_do_their_work(program):
    seed = program.load_file("seed_services")
    assert asyncio.run(seed.Shop().order(3)) == [10, 20, 30]
    published = []

    class Recorder(seed.Queue):
        async def publish(self, topic, body, trace_context):
            published.append(trace_context)

    asyncio.run(seed.OrderService(seed.Database(), Recorder()).create_order({"type": "book"}))
    assert published == [{}]


def test_the_context_in_a_message_is_plain_data(program, seed):
    messages = []

    class Recorder(seed.Queue):
        async def publish(self, topic, body, trace_context):
            messages.append(trace_context)

    asyncio.run(seed.OrderService(seed.Database(), Recorder()).create_order({"type": "book"}))
    (context,) = messages
    span = program.span("OrderService.create_order")
    assert context == {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_id": "",
        "traceparent": f"00-{span.trace_id}-{span.span_id}-01",
        "tracestate": "",
    }
    assert json.loads(json.dumps(context)) == pickle.loads(pickle.dumps(context)) == context
