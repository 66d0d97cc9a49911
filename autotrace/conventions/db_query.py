"""`db.query`: takes a call that sends a command or a statement to a database, gives a client span without its values.

Fields: `system` (db.system.name; a word), `operation` (a path to the command's name, or to a text that begins with it),
`query` (a path to a SQL statement), `batch` (a path to a list of commands that are sent together; then `operation` begins
with `command`, one of them), `transaction` (a path: whether the list is one), `server` (a path to a dict that has the
server's `host`, `port` and `db`).

OpenTelemetry's semantic conventions: https://opentelemetry.io/docs/specs/semconv/database/
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from autotrace.conventions.around import Around, Wrapper, abandon, end, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, Values, reading, text
from autotrace.conventions.function import tag_result
from autotrace.conventions.messaging_poll import is_housekeeping
from autotrace.conventions.sql import describe
from autotrace.span.finished import AttributeValue
from autotrace.span.span import Span

_NAME_LIMIT = 256
# Nothing behind the first word: `SET name value` may be given as one text.
_FIRST_WORD = re.compile(r"\s*([A-Za-z][A-Za-z0-9_.\-]{0,63})(?:\s|$)")


def build(place: Place) -> Wrapper:
    """What takes the place of a function that queries a database."""
    client = DatabaseClient(place)
    return surround(place, Around(client.begin, client.fields.roots, tag_result if place.target.tags else end))


class DatabaseClient:
    """Reads the queries of one function, and records them."""

    def __init__(self, place: Place) -> None:
        self.system = place.word("system", place.module.partition(".")[0])
        self.site = place.site(self.system, "client")
        self.named = place.target.span is not None
        self.fields = fields = Fields(place)
        self.tag = fields.tags(self.site)
        self.query = fields.field("query")
        self.batch = fields.field("batch")
        self.transaction = fields.field("transaction")
        self.operation = fields.field("operation") if self.batch is None else None
        self.operation_of_one = _reader_of_one(place) if self.batch is not None else None
        self.server = fields.field("server")

    def begin(self, *values: Any) -> Span | None:
        """Start the span of one query; None for a list without commands, and for what a poll does for itself."""
        if is_housekeeping(self.site.tracer):
            return None
        batch = self.batch(values) if self.batch is not None else None
        if self.batch is not None and (not isinstance(batch, list | tuple) or not batch):
            return None
        span = self.site.nullcontext()
        if not isinstance(span, Span):
            return None
        try:
            attributes = span.details().attributes
            attributes["db.system.name"] = self.system
            if self.server is not None:
                _set_server(attributes, self.server(values))
            if batch is not None:
                self._describe_batch(span, batch, values)
            elif self.query is not None:
                statement = self.query(values)
                if isinstance(statement, str | bytes) and statement:
                    self._describe(span, text(statement))
            elif self.operation is not None:
                self._name(span, _first_word(self.operation(values)))
            if self.tag is not None:
                self.tag(span, values)
        except BaseException as failure:
            abandon(span, failure)
            return None
        return span

    def _name(self, span: Span, operation: str) -> None:
        if not operation:
            return
        detail = span.details()
        detail.attributes["db.operation.name"] = operation
        if not self.named:
            detail.name = operation

    def _describe_batch(self, span: Span, batch: Any, values: Values) -> None:
        kind = "MULTI" if self.transaction is not None and self.transaction(values) else "PIPELINE"
        read = self.operation_of_one
        names = {_first_word(read(command)) for command in batch} if read is not None else set()
        only = names.pop() if len(names) == 1 else ""
        self._name(span, f"{kind} {only}" if only else kind)
        if len(batch) > 1:
            span.details().attributes["db.operation.batch.size"] = len(batch)

    def _describe(self, span: Span, statement: str) -> None:
        query, operation, collection, summary = describe(statement)
        detail = span.details()
        if not self.named and summary:
            detail.name = summary
        for name, value in (
            ("db.query.text", query),
            ("db.operation.name", operation),
            ("db.collection.name", collection),
        ):
            if value:
                detail.attributes[name] = value


def _reader_of_one(place: Place) -> Callable[[Any], Any] | None:
    path = place.word("operation")
    return reading(place, path) if path else None


def _set_server(attributes: dict[str, AttributeValue], server: Any) -> None:
    if type(server) is not dict:
        return
    host, port, namespace = server.get("host"), server.get("port"), server.get("db")
    if isinstance(host, str) and host:
        attributes["server.address"] = host[:_NAME_LIMIT]
    if isinstance(port, int):
        attributes["server.port"] = int(port)
    if isinstance(namespace, str | int):
        attributes["db.namespace"] = str(namespace)[:_NAME_LIMIT]


def _first_word(value: Any) -> str:
    found = _FIRST_WORD.match(text(value)[:_NAME_LIMIT]) if isinstance(value, str | bytes) else None
    return found[1].upper() if found else ""
