"""The message queue between the services: files in a folder, or RabbitMQ with BROKER_URL=amqp://…"""

import os
import time
import uuid
from pathlib import Path

from kombu import Connection, Consumer, Producer, Queue
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Files that come whole: kombu's own are there before they are written, and whoever listens may take them empty."""

    def _put(self, queue, payload, **kwargs):
        name = f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        unfinished = Path(self.data_folder_out, "." + name)
        unfinished.write_text(dumps(payload))
        unfinished.rename(Path(self.data_folder_out, name))


class Transport(filesystem.Transport):
    Channel = Channel


def connect():
    url = os.environ["BROKER_URL"]
    if not url.startswith("filesystem:"):
        return Connection(url)
    folder = url.removeprefix("filesystem://")
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "/control"}
    return Connection("filesystem://", transport=Transport, transport_options={**options, "polling_interval": 0.02})


def publish(topic, message):
    with connect() as connection:
        producer = Producer(connection, serializer="json")
        producer.publish(message, routing_key=topic, declare=[Queue(topic, routing_key=topic)])


def consume(topic, handle):
    """Hand every message of a topic to `handle` until the process is interrupted; one that fails is rejected."""

    def receive(body, message):
        try:
            handle(body)
        except Exception as error:
            print(f"{topic} {body}: {error}", flush=True)
            message.reject()
        else:
            message.ack()

    with connect() as connection:
        queue = Queue(topic, routing_key=topic)
        with Consumer(connection, [queue], callbacks=[receive], prefetch_count=10):
            while True:
                try:
                    connection.drain_events(timeout=1)
                except TimeoutError:
                    continue
                except KeyboardInterrupt:
                    return
