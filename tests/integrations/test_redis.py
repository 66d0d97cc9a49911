"""redis: each command and each pipeline is one span, without keys and values, against a real server."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import kombu
import pytest
import redis
import redis.asyncio
from kombu.asynchronous import Hub
from recording import Recording, attributes
from redis_server import redis_server

Record = Callable[..., Recording]

RESTLESS = {"unacked_restore_interval": 0.01, "health_check_interval": 0.01}
"""kombu's options of a broker that is asked all the time."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server of our own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as number:
        yield number


@pytest.fixture
def client(port: int) -> Iterator[redis.Redis]:
    """A client that has nothing to say to the server about itself any more."""
    with redis.Redis(host="127.0.0.1", port=port, db=3) as opened:
        opened.flushall()
        yield opened


def described(port: int, operation: str, **more: Any) -> dict[str, Any]:
    return {
        "db.system.name": "redis",
        "db.operation.name": operation,
        "db.namespace": "3",
        "server.address": "127.0.0.1",
        "server.port": port,
        **more,
    }


def test_a_command_is_a_span_without_its_keys_and_values(record: Record, client: redis.Redis, port: int) -> None:
    recording = record("redis")
    client.set("user:1", "secret")
    assert client.get("user:1") == b"secret"
    spans = recording.spans(2)
    assert [(span.kind, span.name) for span in spans] == [("client", "SET"), ("client", "GET")]
    assert attributes(spans[0]) == described(port, "SET")


@pytest.mark.parametrize("command", [("SET user:1 secret",), (b"set", "user:1", "secret"), ("Set", "user:1", "secret")])
def test_only_the_first_word_of_a_command_is_recorded(command: Any, record: Record, client: redis.Redis) -> None:
    recording = record("redis")
    client.execute_command(*command)
    assert recording.only().name == "SET"
    assert "secret" not in str(attributes(recording.only()))


def test_a_command_in_a_traced_call_is_its_child(record: Record, client: redis.Redis) -> None:
    recording = record("redis")
    with recording.span("request"):
        client.incr("visits")
    assert recording.tree(2) == ["internal request", "  client INCRBY"]


def test_a_failing_command_is_an_error(record: Record, client: redis.Redis) -> None:
    recording = record("redis")
    client.set("name", "hat")
    with pytest.raises(redis.ResponseError):
        client.incr("name")
    failed = recording.spans(2)[1]
    assert attributes(failed)["error.type"] == "redis.exceptions.ResponseError"
    assert failed.root.error


def test_a_server_that_is_not_there_is_an_error(record: Record) -> None:
    recording = record("redis")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        client = redis.Redis(host="127.0.0.1", port=free.getsockname()[1], retry=None)
        with pytest.raises(redis.ConnectionError):
            client.get("name")
    assert attributes(recording.only())["error.type"] == "redis.exceptions.ConnectionError"


@pytest.mark.parametrize(
    ("transaction", "commands", "operation"),
    [
        (True, ("set", "set"), "MULTI SET"),
        (True, ("set", "get"), "MULTI"),
        (False, ("set", "set"), "PIPELINE SET"),
        (False, ("get", "set"), "PIPELINE"),
    ],
)
def test_a_pipeline_is_one_span(
    transaction: bool, commands: Any, operation: str, record: Record, client: redis.Redis, port: int
) -> None:
    recording = record("redis")
    with client.pipeline(transaction=transaction) as pipeline:
        for name in commands:
            getattr(pipeline, name)("key", *(["secret"] if name == "set" else []))
        pipeline.execute()
    assert recording.only().name == operation
    assert attributes(recording.only()) == described(port, operation, **{"db.operation.batch.size": 2})


def test_an_empty_pipeline_is_no_span(record: Record, client: redis.Redis) -> None:
    recording = record("redis")
    assert client.pipeline().execute() == []
    assert recording.spans(0) == []


def test_a_watched_transaction_has_a_span_for_each_trip(record: Record, client: redis.Redis) -> None:
    recording = record("redis")

    def move(pipeline: Any) -> None:
        pipeline.get("a")
        pipeline.multi()
        pipeline.set("b", "1")

    client.transaction(move, "a")
    assert [span.name for span in recording.spans(3)] == ["WATCH", "GET", "MULTI SET"]


async def test_the_asynchronous_client_is_traced_like_the_other(record: Record, port: int) -> None:
    recording = record("redis_asyncio")
    async with redis.asyncio.Redis(host="127.0.0.1", port=port, db=3) as client:
        with recording.span("request"):
            await client.set("name", "hat")
            assert await client.get("name") == b"hat"
            async with client.pipeline(transaction=False) as pipeline:
                await pipeline.set("a", "1").set("b", "2").execute()
            with pytest.raises(redis.ResponseError):
                await client.incr("name")
    lines = ["internal request", "  client SET", "  client GET", "  client PIPELINE SET", "  client INCRBY"]
    assert recording.tree(5) == lines
    assert attributes(recording.spans()[1]) == described(port, "SET")
    assert recording.spans()[0].root.error


def test_messages_over_redis_are_one_trace_and_an_empty_poll_receives_none(record: Record, port: int) -> None:
    recording = record("redis", "kombu", "kombu_transport")
    with kombu.Connection(f"redis://127.0.0.1:{port}/4") as connection, connection.SimpleQueue("payment") as queue:
        with recording.span("order"):
            queue.put({"order": 1})
        queue.get(timeout=5).ack()
        sent = next(span for span in recording.spans() if span.kind == "producer")
        processed = next(span for span in recording.spans() if span.kind == "consumer")
        with pytest.raises(queue.Empty):
            queue.get(timeout=0.2)
        assert sum(span.kind == "consumer" for span in recording.spans()) == 1
    assert recording.parent(processed) == sent.span_id
    assert attributes(sent)["messaging.system"] == attributes(processed)["messaging.system"] == "redis"


def idle_consumer(connection: kombu.Connection) -> kombu.Consumer:
    return connection.Consumer([kombu.Queue("idle", kombu.Exchange(""), routing_key="idle")])


def test_an_idle_consumer_over_redis_begins_no_trace(record: Record, port: int) -> None:
    recording = record("redis", "kombu", "kombu_transport")
    with (
        kombu.Connection(f"redis://127.0.0.1:{port}/5", transport_options=RESTLESS) as connection,
        idle_consumer(connection),
    ):
        begun = len(recording.spans())
        for _ in range(30):
            with pytest.raises(TimeoutError):
                connection.drain_events(timeout=0.02)
        assert len(recording.spans()) == begun


def test_an_idle_consumer_in_an_event_loop_begins_no_trace(record: Record, port: int) -> None:
    recording = record("redis", "kombu", "kombu_transport")
    loop = Hub()
    with (
        kombu.Connection(f"redis://127.0.0.1:{port}/6", transport_options=RESTLESS) as connection,
        idle_consumer(connection),
    ):
        connection.register_with_event_loop(loop)
        begun = len(recording.spans())
        limit = time.monotonic() + 1.5
        while time.monotonic() < limit:
            loop.run_once()
        assert len(recording.spans()) == begun
    loop.close()


def test_what_a_poll_asks_in_a_traced_call_is_recorded(record: Record, port: int) -> None:
    recording = record("redis", "kombu", "kombu_transport")
    with kombu.Connection(f"redis://127.0.0.1:{port}/7") as connection, connection.SimpleQueue("replies") as queue:
        queue.put("hello")
        begun = len(recording.spans())
        with recording.span("request"):
            queue.get(timeout=5).ack()
    spans = recording.spans()[begun:]
    assert {span.name for span in spans if span.root.span.name == "request"} == {"request", "MULTI"}


def test_commands_of_a_messages_handler_are_in_its_trace_and_its_acknowledgement_begins_none(
    record: Record, port: int, client: redis.Redis
) -> None:
    recording = record("redis", "kombu", "kombu_transport")
    with kombu.Connection(f"redis://127.0.0.1:{port}/8") as connection, connection.SimpleQueue("payment") as queue:
        queue.put("hello")
        message: list[Any] = []
        with connection.Consumer(
            [queue.queue], callbacks=[lambda body, got: (client.incr("paid"), message.append(got))]
        ):
            while not message:
                connection.drain_events(timeout=5)
            message[0].ack()
    processed = next(span for span in recording.spans() if span.kind == "consumer")
    names = [span.name for span in recording.spans() if span.root is processed.root]
    assert names == ["process payment", "INCRBY"]
    assert [span.name for span in recording.spans() if span.start > processed.start] == ["INCRBY"]
