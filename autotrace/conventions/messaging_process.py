"""`messaging.process`: takes a call that handles a message, gives a consumer span below the span that sent it.

The call is that of the handler itself or, with the field `handler` (the parameter that takes one or several of them), that
of the function to which handlers are given. Fields beside those of `autotrace.conventions.messaging`: `headers` (a path
to the message's properties), `messages` (a path to a list of messages; then `headers` begins with `message`, one of them),
`arguments` (with `handler`: the names of its parameters, for paths).

A span here is a local root below the remote parent, whatever is current: a consumer's loop may run in a traced call.
Several messages at once have one span, linked to those that sent them; no message has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from autotrace.conventions.around import Call, Wrapper, abandon, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import argument, field, parameters, plain
from autotrace.conventions.function import TaggedCall
from autotrace.conventions.messaging import Messages
from autotrace.plan.path import ABSENT, getter, parse
from autotrace.propagate import formats
from autotrace.propagate.carrier import reader
from autotrace.span.context import set_current
from autotrace.span.finished import FinishedLink
from autotrace.span.span import Span

_LINK_LIMIT = 128


def build(place: Place) -> Wrapper:
    """The wrapper of a handler, or of the function to which handlers are given."""
    if place.word("handler"):
        return surround(place.original, Subscription(place).begin)
    return surround(place.original, Consumer(place).begin)


class Consumer:
    """Reads the messages that one handler gets, and records their processing."""

    def __init__(self, place: Place) -> None:
        self.settings = place.environment.propagation
        self.site = place.site("process", "consumer")
        self.messages = Messages(place, self.site, "process", "process")
        self.batch = field(place, "messages")
        self.headers: Callable[[Any, tuple[Any, ...], Any], Any] | None = None
        if self.batch is None:
            self.headers = field(place, "headers")
        self.headers_of_one = _reader_of_one(place) if self.batch is not None else None

    def begin(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        """Start the span of one message, or of all that came at once."""
        tracer = self.site.tracer
        if not tracer.active:
            return None
        inbound, links = formats.NOTHING, []
        count = 1
        if self.batch is not None:
            batch = _sequence(self.batch(instance, args, kwargs))
            if not batch:
                return None
            count = len(batch)
            links = self._links(batch)
        elif self.headers is not None:
            inbound = self._extract(self.headers(instance, args, kwargs))
        span = tracer.start_remote(self.site, Span, inbound.parent)
        set_current(span)
        try:
            self.messages.describe(span, instance, args, kwargs)
            attributes = span.details().attributes
            if inbound.external_id is not None:
                attributes["autotrace.external_id"] = inbound.external_id
            if self.batch is not None:
                attributes["messaging.batch.message_count"] = count
                span.root.links = (*span.root.links, *links)
            unrecorded = tracer.unrecorded(span)
            if unrecorded is not None:
                set_current(unrecorded)
        except BaseException as failure:
            abandon(span, failure)
            return None
        return TaggedCall(args, kwargs, span)

    def _extract(self, headers: Any) -> formats.Inbound:
        if not self.settings.messaging:
            return formats.NOTHING
        return formats.extract(reader(headers, formats.MESSAGE.headers), self.settings.formats, formats.MESSAGE)

    def _links(self, batch: Sequence[Any]) -> list[FinishedLink]:
        read = self.headers_of_one
        if read is None:
            return []
        parents = dict.fromkeys(self._extract(read(message)).parent for message in batch[:_LINK_LIMIT])
        return [FinishedLink(parent.trace_id, parent.span_id, {}) for parent in parents if parent is not None]


class Subscription:
    """Wraps the handlers that one function is given."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.name = place.word("handler")
        self.names = parameters(place)
        self.read = argument(place, self.name)

    def begin(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        """The same call with traced handlers."""
        given = self.read(instance, args, kwargs)
        if given is ABSENT or given is None:
            return None
        handlers = type(given)(map(self._traced, given)) if type(given) in (list, tuple) else self._traced(given)
        if self.name in kwargs:
            return Call(args, {**kwargs, self.name: handlers})
        index = self.names.index(self.name) - (instance is not None)
        return Call((*args[:index], handlers, *args[index + 1 :]), kwargs)

    def _traced(self, handler: Any) -> Any:
        if not callable(handler):
            return handler
        import wrapt  # equal to what it wraps, so that a library finds it when it is taken away again

        place = self.place
        fields = tuple((name, text) for name, text in place.target.fields if name not in ("handler", "parameters"))
        arguments = place.word("arguments")
        if arguments:
            fields = (*fields, ("parameters", arguments))
        consumer = Consumer(replace(place, target=place.target._replace(fields=fields), original=handler))
        begin = consumer.begin
        wrapper = surround(handler, lambda instance, args, kwargs: begin(None, args, kwargs))
        return wrapt.FunctionWrapper(handler, wrapper)


def _reader_of_one(place: Place) -> Callable[[Any], Any] | None:
    text = place.word("headers")
    if not text:
        return None
    read = getter(parse(text), place.target.evaluate)
    return lambda message: plain(read(message))


def _sequence(found: Any) -> Sequence[Any]:
    return found if isinstance(found, list | tuple) else ()
