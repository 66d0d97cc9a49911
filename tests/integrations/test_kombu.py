"""kombu: each way to send and to receive a message gives one trace, over the transports that need no server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import kombu
import pytest
from kombu.mixins import ConsumerMixin
from recording import Recording, attributes

Record = Callable[..., Recording]

QUEUE = "payment_needed"


@pytest.fixture(params=["memory", "filesystem"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[kombu.Connection]:
    """A connection to a broker of its own."""
    folder = str(tmp_path)
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
    with kombu.Connection(
        f"{request.param}:///{uuid4()}", transport_options=options if request.param == "filesystem" else {}
    ) as opened:
        yield opened
        kombu.Queue(QUEUE, channel=opened.default_channel).delete()


def queue() -> kombu.Queue:
    return kombu.Queue(QUEUE, kombu.Exchange("shop"), routing_key=QUEUE)


def publish(connection: kombu.Connection, body: Any = None, **options: Any) -> None:
    with connection.Producer() as producer:
        producer.publish(body or {"order": 1}, exchange="shop", routing_key=QUEUE, declare=[queue()], **options)


def consume(connection: kombu.Connection, callback: Callable[[Any, Any], None], count: int = 1) -> None:
    got: list[Any] = []
    with connection.Consumer([queue()], callbacks=[callback, lambda body, message: got.append(message)]):
        while len(got) < count:
            connection.drain_events(timeout=5)


def test_a_message_is_one_trace_from_the_sender_to_the_handler(record: Record, connection: kombu.Connection) -> None:
    recording = record("kombu")

    def on_message(body: Any, message: Any) -> None:
        with recording.span("charge"):
            message.ack()

    with recording.span("POST /orders"):
        publish(connection)
    consume(connection, on_message)
    assert recording.tree(4) == [
        "internal POST /orders",
        f"  producer publish {QUEUE}",
        f"    consumer process {QUEUE}",
        "      internal charge",
    ]
    _, sent, processed, _ = recording.spans()
    system = connection.transport_cls
    assert attributes(sent) == {
        "messaging.system": system,
        "messaging.operation.type": "send",
        "messaging.operation.name": "publish",
        "messaging.destination.name": QUEUE,
    }
    assert attributes(processed) == {
        "messaging.system": system,
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": QUEUE,
    }
    assert processed.root.span is processed


def test_a_consumer_in_another_thread_and_in_a_traced_call_follows_the_message(
    record: Record, connection: kombu.Connection
) -> None:
    recording = record("kombu", "threads")

    class Worker(ConsumerMixin):  # type: ignore[misc]  # kombu has no types
        def __init__(self) -> None:
            self.connection = connection.clone()

        def get_consumers(self, consumer: Any, channel: Any) -> list[Any]:
            return [consumer([queue()], callbacks=[self.on_payment])]

        def on_payment(self, body: Any, message: Any) -> None:
            message.ack()
            self.should_stop = True

    def run() -> None:
        with recording.span("worker"):
            Worker().run()

    publish(connection)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    sent, worker, processed = recording.spans(3)
    assert recording.parent(processed) == sent.span_id
    assert processed.root.trace_id == sent.root.trace_id != worker.root.trace_id


def test_messages_of_three_traces_have_three_spans_and_an_empty_poll_has_none(
    record: Record, connection: kombu.Connection
) -> None:
    recording = record("kombu")
    for _ in range(3):
        publish(connection)
    consume(connection, lambda body, message: message.ack(), 3)
    with connection.Consumer([queue()], callbacks=[lambda body, message: None]), pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.05)
    spans = recording.spans(6)
    sent, processed = ([span for span in spans if span.kind == kind] for kind in ("producer", "consumer"))
    assert sorted(map(recording.parent, processed)) == sorted(span.span_id for span in sent)
    assert len({span.root.trace_id for span in spans}) == 3


def test_a_simple_queue_sends_and_receives(record: Record, connection: kombu.Connection) -> None:
    recording = record("kombu")
    with connection.SimpleQueue(QUEUE) as simple:
        simple.put({"order": 1})
        message = simple.get(timeout=5)
        message.ack()
    assert message.payload == {"order": 1}
    assert recording.tree(2) == [f"producer publish {QUEUE}", f"  consumer process {QUEUE}"]


def test_the_message_carries_the_ids_of_its_span(record: Record, connection: kombu.Connection) -> None:
    recording = record("kombu")
    found: list[dict[str, Any]] = []
    with recording.span("order") as order:
        publish(connection, headers={"attempt": 1})
    consume(connection, lambda body, message: found.append(message.headers))
    sent = recording.spans(3)[1]
    trace_id, span_id = f"{sent.root.trace_id:032x}", f"{sent.span_id:016x}"
    assert found == [
        {
            "attempt": 1,
            "traceparent": f"00-{trace_id}-{span_id}-01",
            "trace_id": trace_id,
            "span_id": span_id,
            "parent_id": f"{order.span_id:016x}",
        }
    ]


def test_the_callers_headers_stay_as_they_are(record: Record, connection: kombu.Connection) -> None:
    recording = record("kombu")
    headers = {"attempt": 1}
    for _ in range(100):
        publish(connection, headers=headers)
    assert headers == {"attempt": 1}
    assert len({span.root.trace_id for span in recording.spans(100)}) == 100


def test_the_callers_own_traceparent_wins(record: Record, connection: kombu.Connection) -> None:
    recording = record("kombu")
    own = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    publish(connection, headers=own)
    consume(connection, lambda body, message: message.ack())
    _, processed = recording.spans(2)
    assert (processed.root.trace_id, recording.parent(processed)) == (int("a" * 32, 16), int("b" * 16, 16))


def test_a_message_that_is_sent_on_with_its_headers_stays_in_its_trace(
    record: Record, connection: kombu.Connection
) -> None:
    recording = record("kombu")
    seen: list[Any] = []

    def forward(body: Any, message: Any) -> None:
        message.ack()
        if not seen:
            seen.append(body)
            publish(connection.clone(), body, headers=message.headers)

    publish(connection)
    consume(connection, forward, 2)
    assert recording.tree(4) == [
        f"producer publish {QUEUE}",
        f"  consumer process {QUEUE}",
        f"    producer publish {QUEUE}",
        f"      consumer process {QUEUE}",
    ]


def test_an_error_in_the_callback_is_recorded_and_raised(record: Record, connection: kombu.Connection) -> None:
    recording = record("kombu")

    def fail(body: Any, message: Any) -> None:
        raise ValueError("card refused")

    publish(connection)
    with pytest.raises(ValueError, match="card refused"):
        consume(connection, fail)
    processed = recording.spans(2)[1]
    assert attributes(processed)["error.type"] == "ValueError"
    assert processed.root.error


def test_on_message_takes_the_place_of_callbacks(record: Record, connection: kombu.Connection) -> None:
    recording = record("kombu")
    got: list[Any] = []
    publish(connection)
    with connection.Consumer([queue()], on_message=got.append):
        while not got:
            connection.drain_events(timeout=5)
    got[0].reject()
    assert got[0].acknowledged
    assert recording.tree(2) == [f"producer publish {QUEUE}", f"  consumer process {QUEUE}"]


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"traceparent": None, "trace_id": None, "span_id": None},
        {"traceparent": 17, "trace_id": True, "span_id": [1, None]},
        {"trace_id": b"\xff\xfe", "span_id": b""},
        "no headers at all",
    ],
)
def test_any_headers_are_no_reason_to_lose_a_message(
    headers: Any, record: Record, connection: kombu.Connection
) -> None:
    publish(connection)
    recording = record("kombu")

    def on_raw(message: Any) -> Any:
        message.headers = headers
        got.append(message)

    got: list[Any] = []
    consumer = connection.Consumer([queue()], on_message=on_raw)
    with consumer:
        connection.drain_events(timeout=5)
    got[0].headers = headers
    consumer._receive_callback(got[0])
    got[0].ack()
    first, second = recording.spans(2)
    assert recording.parent(first) == recording.parent(second) == 0
    assert len(got) == 2


def test_without_messaging_nothing_is_sent_along_and_nothing_read(record: Record, connection: kombu.Connection) -> None:
    recording = record("kombu", messaging=False)
    found: list[Any] = []
    publish(connection)
    publish(connection, headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    consume(connection, lambda body, message: found.append(message.headers), 2)
    assert sorted(map(len, found)) == [0, 1]
    assert all(span.root.trace_id != int("a" * 32, 16) for span in recording.spans(4))


@pytest.mark.parametrize(
    ("exchange", "routing_key", "name"), [("", QUEUE, QUEUE), ("events", "", "events"), ("events", "a.b", "a.b")]
)
def test_the_destination_is_the_routing_key_or_the_exchange(
    exchange: str, routing_key: str, name: str, record: Record, connection: kombu.Connection
) -> None:
    recording = record("kombu")
    declared = kombu.Exchange(exchange, "topic")
    with connection.Producer(exchange=declared, routing_key=routing_key) as producer:
        producer.publish("hello")
    assert recording.only().name == f"publish {name}"
