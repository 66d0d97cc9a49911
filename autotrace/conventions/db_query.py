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

from autotrace.conventions.around import Wrapper, abandon, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import field, plain, tag_arguments, text
from autotrace.conventions.function import TaggedCall
from autotrace.conventions.sql import describe
from autotrace.plan.path import getter, parse
from autotrace.span.finished import AttributeValue
from autotrace.span.span import Span

_NAME_LIMIT = 256
# Nothing behind the first word: `SET name value` may be given as one text.
_FIRST_WORD = re.compile(r"\s*([A-Za-z][A-Za-z0-9_.\-]{0,63})(?:\s|$)")


def build(place: Place) -> Wrapper:
    """The wrapper of a function that queries a database."""
    client = DatabaseClient(place)
    return surround(place.original, client.begin)


class DatabaseClient:
    """Reads the queries of one function, and records them."""

    def __init__(self, place: Place) -> None:
        self.system = place.word("system", place.module.partition(".")[0])
        self.site = place.site(self.system, "client")
        self.named = place.target.span is not None
        self.tag_arguments = tag_arguments(place, self.site)
        self.query = field(place, "query")
        self.batch = field(place, "batch")
        self.transaction = field(place, "transaction")
        self.operation = field(place, "operation") if self.batch is None else None
        self.operation_of_one = _reader_of_one(place) if self.batch is not None else None
        self.server = field(place, "server")

    def begin(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TaggedCall | None:
        """Start the span of one query; None for a list without commands."""
        batch = self.batch(instance, args, kwargs) if self.batch is not None else None
        if self.batch is not None and (not isinstance(batch, list | tuple) or not batch):
            return None
        span = self.site.nullcontext()
        if not isinstance(span, Span):
            return None
        try:
            attributes = span.details().attributes
            attributes["db.system.name"] = self.system
            if self.server is not None:
                _set_server(attributes, self.server(instance, args, kwargs))
            if batch is not None:
                transaction = self.transaction is not None and bool(self.transaction(instance, args, kwargs))
                self._name(span, self._batch_operation(batch, transaction))
                if len(batch) > 1:
                    attributes["db.operation.batch.size"] = len(batch)
            elif self.query is not None:
                statement = self.query(instance, args, kwargs)
                if isinstance(statement, str | bytes) and statement:
                    self._describe(span, text(statement))
            elif self.operation is not None:
                self._name(span, _first_word(self.operation(instance, args, kwargs)))
            self.tag_arguments(span, instance, args, kwargs)
        except BaseException as failure:
            abandon(span, failure)
            return None
        return TaggedCall(args, kwargs, span)

    def _name(self, span: Span, operation: str) -> None:
        if not operation:
            return
        detail = span.details()
        detail.attributes["db.operation.name"] = operation
        if not self.named:
            detail.name = operation

    def _batch_operation(self, batch: Any, transaction: bool) -> str:
        kind = "MULTI" if transaction else "PIPELINE"
        read = self.operation_of_one
        names = {_first_word(read(command)) for command in batch} if read is not None else set()
        only = names.pop() if len(names) == 1 else ""
        return f"{kind} {only}" if only else kind

    def _describe(self, span: Span, statement: str) -> None:
        described = describe(statement)
        detail = span.details()
        if not self.named and described.summary:
            detail.name = described.summary
        query, operation, collection = described
        for name, value in (
            ("db.query.text", query),
            ("db.operation.name", operation),
            ("db.collection.name", collection),
        ):
            if value:
                detail.attributes[name] = value


def _reader_of_one(place: Place) -> Callable[[Any], Any] | None:
    path = place.word("operation")
    if not path:
        return None
    read = getter(parse(path), place.target.evaluate)
    return lambda command: plain(read(command))


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
