"""The message queue between the services: files in a folder, or RabbitMQ with BROKER_URL=amqp://…"""

import os

from kombu import Connection, Consumer, Producer, Queue


def connect():
    url = os.environ["BROKER_URL"]
    if not url.startswith("filesystem:"):
        return Connection(url)
    folder = url.removeprefix("filesystem://")
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "/control"}
    return Connection("filesystem://", transport_options={**options, "polling_interval": 0.02})


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
