"""What sending and processing messages share: takes a target, gives the names and attributes of its spans.

Fields of both: `system` (messaging.system; a word), `broker` (a path to the name by which the library knows its broker; what
it gives goes before `system`), `destination` (a path to the name of the queue or topic), `exchange` (a path to what takes
its place where it is empty), `operation` (messaging.operation.name; a word), `message_id` (a path).

OpenTelemetry's semantic conventions for messaging: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from __future__ import annotations

from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, ReadField, Values
from autotrace.span.site import Site
from autotrace.span.span import Span

NAME_LIMIT = 256

# OpenTelemetry's names of brokers that libraries call otherwise.
_SYSTEMS = {
    **dict.fromkeys(("amqp", "amqps", "pyamqp", "librabbitmq", "qpid"), "rabbitmq"),
    **dict.fromkeys(("rediss", "sentinel"), "redis"),
    "sqs": "aws_sqs",
    "confluentkafka": "kafka",
}


class Messages:
    """Names the spans of one target; `kind` is messaging.operation.type: send, process or receive."""

    def __init__(self, place: Place, fields: Fields, site: Site, kind: str, operation: str) -> None:
        self.kind = kind
        self.operation = place.word("operation", operation)
        self.system = place.word("system", place.module.partition(".")[0])
        self.named = place.target.span is not None
        self._tag = fields.tags(site)
        self._broker = fields.field("broker")
        self._destination = (fields.field("destination"), fields.field("exchange"))
        self._message_id = fields.field("message_id")

    def describe(self, span: Span, values: Values) -> None:
        """Name a span, and set what is known of its message."""
        detail = span.details()
        destination = next((name for read in self._destination if (name := _name(read, values))), "")
        if not self.named:
            detail.name = f"{self.operation} {destination}" if destination else self.operation
        attributes = detail.attributes
        attributes["messaging.system"] = self.system
        attributes["messaging.operation.type"] = self.kind
        attributes["messaging.operation.name"] = self.operation
        if destination:
            attributes["messaging.destination.name"] = destination
        identifier = _name(self._message_id, values)
        if identifier:
            attributes["messaging.message.id"] = identifier
        self.set_broker(span, values)
        if self._tag is not None:
            self._tag(span, values)

    def set_broker(self, span: Span, values: Values) -> None:
        """Set the broker as the library knows it by now: a channel may be opened by the call itself."""
        broker = _name(self._broker, values)
        if broker and not span.end:
            span.details().attributes["messaging.system"] = _SYSTEMS.get(broker, broker)


def _name(read: ReadField | None, values: Values) -> str:
    found = read(values) if read is not None else None
    if isinstance(found, bytes):
        found = found.decode("utf-8", "replace")
    if isinstance(found, int) and not isinstance(found, bool) and found.bit_length() <= 64:
        found = str(found)
    return str(found)[:NAME_LIMIT] if isinstance(found, str) else ""
