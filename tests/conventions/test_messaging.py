"""An in-house bus that targets describe as `messaging.send` and `messaging.process`, in-house threads with `handoff`."""

from __future__ import annotations

import asyncio
import inspect
import os
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recording import Recording, attributes, target

Trace = Callable[..., Recording]

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}


class Message:
    def __init__(self, body: Any, headers: Any = None) -> None:
        self.body = body
        self.headers = headers


class Bus:
    """Sends what would travel: a copy of the headers, as they are at that moment."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []
        self.handlers: list[Any] = []

    def publish(self, topic: str, message: Message) -> int:
        self.sent.append((topic, Message(message.body, dict(message.headers or {}))))
        return len(self.sent)

    async def publish_later(self, topic: str, headers: Any = None) -> int:
        await asyncio.sleep(0)
        return self.publish(topic, Message(None, headers))

    def publish_plainly(self, topic: str, headers: Any = None) -> int:
        return self.publish(topic, Message(None, headers))

    def subscribe(self, topic: str, handler: Any) -> None:
        self.handlers.append(handler)

    def unsubscribe(self, handler: Any) -> None:
        self.handlers.remove(handler)

    def deliver(self) -> list[Any]:
        return [handler(message) for _, message in self.sent for handler in self.handlers]


def handle(message: Message) -> Any:
    return message.body


async def handle_later(message: Message) -> Any:
    await asyncio.sleep(0)
    return message.body


def handle_all(topic: str, messages: Any) -> int:
    return len(messages)


class Job:
    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work

    def run(self) -> Any:
        return self.work()


class Pool:
    """One thread, started by its first user."""

    def __init__(self) -> None:
        self.jobs: queue.Queue[Any] = queue.Queue()
        self.done: queue.Queue[Any] = queue.Queue()
        self.thread: threading.Thread | None = None

    def put(self, job: Any) -> None:
        self.jobs.put(job)
        self.begin()

    def begin(self) -> None:
        if self.thread is None:
            self.thread = threading.Thread(target=self.serve, daemon=True)
            self.thread.start()

    def serve(self) -> None:
        while (job := self.jobs.get()) is not None:
            try:
                self.done.put(job.run() if isinstance(job, Job) else job())
            except Exception as error:
                self.done.put(error)


SEND = {"system": "mybus", "destination": "topic", "headers": "message.headers"}
PROCESS = {"system": "mybus", "destination": "'orders'", "headers": "message.headers"}


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Recording]]:
    """Traces targets in this file, which they call `mybus`, until the test ends."""
    monkeypatch.setitem(sys.modules, "mybus", sys.modules[__name__])
    recording = Recording("threads")

    def add(at: str, convention: str, **fields: Any) -> Recording:
        recording.patch(target(f"mybus:{at}", convention, **fields))
        return recording

    yield add
    recording.stop()


def called(name: str) -> Any:
    """A function of this file as a user of the module finds it now."""
    return getattr(sys.modules["mybus"], name)


def test_a_bus_of_the_users_own_sends_the_ids_along(trace: Trace) -> None:
    recording = trace("Bus.publish", "messaging.send", **SEND)
    bus, message = Bus(), Message("hat", {"attempt": "1"})
    mine = message.headers
    assert bus.publish("orders", message) == 1
    span = recording.only()
    assert (span.kind, span.name) == ("producer", "send orders")
    assert attributes(span) == {
        "messaging.system": "mybus",
        "messaging.operation.type": "send",
        "messaging.operation.name": "send",
        "messaging.destination.name": "orders",
    }
    assert message.headers is mine
    assert mine == {"attempt": "1"}
    sent = bus.sent[0][1].headers
    assert sent["attempt"] == "1"
    assert (sent["trace_id"], sent["span_id"]) == (f"{span.root.trace_id:032x}", f"{span.span_id:016x}")


@pytest.mark.parametrize("headers", [None, {}, {"trace_id": None}, {b"key": b"value"}])
def test_headers_may_be_absent_or_of_any_make(headers: Any, trace: Trace) -> None:
    recording = trace("Bus.publish", "messaging.send", **SEND)
    bus = Bus()
    bus.publish("orders", Message("hat", headers))
    assert bus.sent[0][1].headers["span_id"] == f"{recording.only().span_id:016x}"


def test_a_message_that_takes_no_headers_is_sent_as_it_is(trace: Trace) -> None:
    recording = trace("Bus.publish", "messaging.send", **{**SEND, "headers": "topic.headers"})
    bus = Bus()
    bus.publish("orders", Message("hat"))
    assert bus.sent[0][1].headers == {}
    assert recording.only().name == "send orders"


def test_a_trace_id_that_means_something_else_stays(trace: Trace) -> None:
    recording = trace("Bus.publish", "messaging.send", **SEND)
    bus = Bus()
    bus.publish("orders", Message("hat", {"trace_id": "case 17"}))
    sent = bus.sent[0][1].headers
    assert set(sent) == {"trace_id", "traceparent"}
    assert sent["trace_id"] == "case 17"
    assert f"{recording.only().span_id:016x}" in sent["traceparent"]


@pytest.mark.parametrize("given", [{}, {"headers": None}, {"headers": {"a": "b"}}])
def test_a_parameter_takes_headers_that_the_caller_leaves_out(given: Any, trace: Trace) -> None:
    recording = trace("Bus.publish_plainly", "messaging.send", destination="topic", headers="headers")
    bus = Bus()
    bus.publish_plainly("orders", **given)
    assert bus.sent[0][1].headers["span_id"] == f"{recording.only().span_id:016x}"
    assert given.get("headers") in (None, {"a": "b"})


async def test_an_asynchronous_bus_is_traced_like_the_other(trace: Trace) -> None:
    recording = trace("Bus.publish_later", "messaging.send", destination="topic", headers="headers", operation="post")
    bus = Bus()
    assert await bus.publish_later("orders") == 1
    assert bus.sent[0][1].headers["span_id"] == f"{recording.only().span_id:016x}"
    assert recording.only().name == "post orders"


def test_one_message_through_two_layers_is_sent_once(trace: Trace) -> None:
    trace("Bus.publish_plainly", "messaging.send", destination="topic", headers="headers")
    recording = trace("Bus.publish", "messaging.send", **SEND)
    bus = Bus()
    bus.publish_plainly("orders")
    assert recording.only().name == "send orders"
    assert bus.sent[0][1].headers["span_id"] == f"{recording.only().span_id:016x}"


def test_the_handler_runs_below_the_sender(trace: Trace) -> None:
    trace("Bus.publish", "messaging.send", **SEND)
    recording = trace("handle", "messaging.process", **PROCESS)
    bus = Bus()
    bus.subscribe("orders", called("handle"))
    bus.publish("orders", Message("hat"))
    with recording.span("loop") as loop:
        assert bus.deliver() == ["hat"]
    sent, _, processed = recording.spans(3)
    assert recording.parent(processed) == sent.span_id
    assert processed.root.trace_id == sent.root.trace_id != loop.root.trace_id
    assert (processed.kind, processed.name) == ("consumer", "process orders")


async def test_an_asynchronous_handler_is_traced_like_the_other(trace: Trace) -> None:
    trace("Bus.publish", "messaging.send", **SEND)
    recording = trace("handle_later", "messaging.process", **PROCESS)
    bus = Bus()
    bus.publish("orders", Message("hat"))
    assert await called("handle_later")(bus.sent[0][1]) == "hat"
    assert recording.tree(2) == ["producer send orders", "  consumer process orders"]


@pytest.mark.parametrize("many", [False, True])
def test_handlers_are_traced_where_they_are_given(many: bool, trace: Trace) -> None:
    trace("Bus.publish", "messaging.send", **SEND)
    recording = trace("Bus.subscribe", "messaging.process", handler="handler", arguments="message", **PROCESS)
    bus = Bus()
    own = [handle, lambda message: message.headers] if many else handle
    bus.subscribe("orders", own)
    given = bus.handlers[0]
    assert given == own
    bus.handlers = given if many else [given]
    bus.publish("orders", Message("hat"))
    assert bus.deliver()[0] == "hat"
    sent, *processed = recording.spans(3 if many else 2)
    assert {recording.parent(span) for span in processed} == {sent.span_id}
    if not many:
        bus.unsubscribe(handle)
        assert bus.handlers == []


def test_a_batch_has_one_span_with_links_and_an_empty_one_has_none(trace: Trace) -> None:
    trace("Bus.publish", "messaging.send", **SEND)
    recording = trace(
        "handle_all", "messaging.process", destination="topic", messages="messages", headers="message.headers"
    )
    bus = Bus()
    for _ in range(3):
        bus.publish("orders", Message("hat"))
    assert called("handle_all")("orders", []) == 0
    assert called("handle_all")("orders", [message for _, message in bus.sent]) == 3
    *sent, batch = recording.spans(4)
    assert attributes(batch)["messaging.batch.message_count"] == 3
    assert [link.span_id for link in batch.root.links] == [span.span_id for span in sent]
    assert batch.root.trace_id not in {span.root.trace_id for span in sent}


def test_the_name_and_tags_of_a_target_count(trace: Trace) -> None:
    tags = {"shop": "'north'", "body": "message.body", "answer": "result['order']"}
    recording = trace("handle", "messaging.process", span="pay", tags=tags, **PROCESS)
    called("handle")(Message({"order": 7}))
    called("handle")(Message("hat"))
    pay, other = recording.spans(2)
    assert pay.name == "pay"
    assert pay.site.attributes["shop"] == "north"
    assert attributes(pay)["answer"] == 7
    assert attributes(other)["body"] == "hat"


def test_the_tags_of_a_sender_count(trace: Trace) -> None:
    tags = {"order": "message.body['order']", "place": "result"}
    recording = trace("Bus.publish", "messaging.send", tags=tags, **SEND)
    Bus().publish("orders", Message({"order": 7}))
    assert {"order": 7, "place": 1}.items() <= attributes(recording.only()).items()


def test_a_target_in_a_file_describes_a_bus(tmp_path: Path) -> None:
    """The sample of the documentation, run as a program."""
    (tmp_path / "mybus.py").write_text(
        "class Bus:\n    def publish(self, topic, message):\n        print(sorted(message.headers))\n"
    )
    (tmp_path / "app.py").write_text(
        "from types import SimpleNamespace\nfrom mybus import Bus\n"
        "message = SimpleNamespace(headers=None)\nBus().publish('orders', message)\nprint(message.headers)\n"
    )
    (tmp_path / "tracing.toml").write_text(
        '[[targets]]\nat = "mybus:Bus.publish"\nas = "messaging.send"\nsystem = "mybus"\n'
        'destination = "topic"\nheaders = "message.headers"\n'
    )
    command = [sys.executable, "-m", "autotrace"]
    ran = subprocess.run(
        [*command, "app.py"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert (ran.stdout, ran.stderr) == ("['span_id', 'trace_id', 'traceparent']\nNone\n", "")
    shown = subprocess.run(
        [*command, "show"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert "send orders" in shown.stdout


def job_target(trace: Trace, way: str) -> Recording:
    """Traces a pool in one of the two ways: by the object that carries the work, or by the function that is the work."""
    if way == "object":
        trace("Pool.put", "handoff", give="job")
        return trace("Job.run", "handoff", take="self")
    return trace("Pool.put", "handoff", work="job")


@pytest.mark.parametrize("way", ["object", "function"])
def test_a_pool_of_the_users_own_hands_the_context_over(way: str, trace: Trace) -> None:
    trace("Pool.begin", "handoff")
    recording = job_target(trace, way)
    pool = Pool()

    def work() -> str:
        with recording.span("work"):
            return "done"

    def run() -> None:
        pool.put(Job(work) if way == "object" else work)
        assert pool.done.get(timeout=5) == "done"

    for name in ("first", "second"):
        with recording.span(name):
            run()
    run()
    pool.jobs.put(None)
    first, one, second, two, three = recording.spans(5)
    assert recording.parent(one) == first.span_id
    assert recording.parent(two) == second.span_id
    assert recording.parent(three) == 0
    assert not three.root.links


@pytest.mark.skipif(sys.version_info < (3, 11), reason="an exception's traceback is fixed before 3.11")
@pytest.mark.parametrize("way", ["object", "function"])
def test_handed_over_work_fails_with_the_traceback_that_it_has_untraced(way: str, trace: Trace) -> None:
    job_target(trace, way)
    pool = Pool()

    def fail() -> None:
        raise ValueError("no")

    pool.put(Job(fail) if way == "object" else fail)
    error = pool.done.get(timeout=5)
    pool.jobs.put(None)
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert names == (["serve", "run", "fail"] if way == "object" else ["serve", "fail"])


def test_a_function_that_is_handed_over_is_still_that_function(trace: Trace) -> None:
    trace("Pool.put", "handoff", work="job")
    pool = Pool()
    pool.thread = threading.current_thread()  # it starts none
    pool.put(handle)
    given = pool.jobs.get()
    assert given == handle
    assert hash(given) == hash(handle)
    assert (given.__name__, repr(given)) == ("handle", repr(handle))
    assert str(inspect.signature(given)) == str(inspect.signature(handle))
