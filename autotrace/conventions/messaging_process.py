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
from typing import Any, NamedTuple

from autotrace.conventions.around import Around, Wrapper, abandon, surround, wrapper
from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, reading
from autotrace.conventions.function import tag_result
from autotrace.conventions.messaging import Messages
from autotrace.plan.path import ABSENT
from autotrace.propagate import formats
from autotrace.propagate.carrier import reader
from autotrace.span.context import set_current
from autotrace.span.finished import FinishedLink
from autotrace.span.span import Span
from autotrace.span.unrecorded import Unrecorded

_LINK_LIMIT = 128
_READ = frozenset(formats.MESSAGE.headers)


def build(place: Place) -> Wrapper:
    """What takes the place of a handler, or of the function to which handlers are given."""
    name = place.word("handler")
    if name:
        return surround(place, Around(Subscription(place).begin, (name,), _result, _nothing, replaces=name))
    return surround(place, Consumer(place).around())


class Consumer:
    """Reads the messages that one handler gets, and records their processing."""

    def __init__(self, place: Place) -> None:
        self.settings = place.environment.propagation
        self.site = place.site("process", "consumer")
        self.fields = Fields(place)
        self.messages = Messages(place, self.fields, self.site, "process", "process")
        self.batch = self.fields.field("messages")
        self.headers = self.fields.field("headers") if self.batch is None else None
        self.headers_of_one = _reader_of_one(place) if self.batch is not None else None

    def around(self) -> Around:
        """What is done around a handler."""
        return Around(self.begin, self.fields.roots, tag_result)

    def begin(self, *values: Any) -> Span | Unrecorded | None:
        """Start the span of one message, or of all that came at once."""
        tracer = self.site.tracer
        if not tracer.active:
            return None
        inbound, links = formats.NOTHING, []
        count = 1
        if self.batch is not None:
            batch = _sequence(self.batch(values))
            if not batch:
                return None
            count = len(batch)
            links = self._links(batch)
        elif self.headers is not None:
            inbound = self._extract(self.headers(values))
        span = tracer.start_remote(self.site, Span, inbound.parent)
        try:
            self.messages.describe(span, values)
            attributes = span.details().attributes
            if inbound.external_id is not None:
                attributes["autotrace.external_id"] = inbound.external_id
            if self.batch is not None:
                attributes["messaging.batch.message_count"] = count
                span.root.links = (*span.root.links, *links)
        except BaseException as failure:
            abandon(span, failure)
            return None
        current = tracer.unrecorded(span) or span
        set_current(current)
        return current

    def _extract(self, headers: Any) -> formats.Inbound:
        if not self.settings.messaging:
            return formats.NOTHING
        return formats.extract(reader(headers, _READ), self.settings.formats, formats.MESSAGE)

    def _links(self, batch: Sequence[Any]) -> list[FinishedLink]:
        read = self.headers_of_one
        if read is None:
            return []
        parents = dict.fromkeys(self._extract(read(message)).parent for message in batch[:_LINK_LIMIT])
        return [FinishedLink(parent.trace_id, parent.span_id, {}) for parent in parents if parent is not None]


class Subscribing(NamedTuple):
    """A call that gets traced handlers, and nothing else."""

    replaced: Any


class Subscription:
    """Wraps the handlers that one function is given."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def begin(self, given: Any) -> Subscribing | None:
        """The same call with traced handlers."""
        if given is ABSENT or given is None:
            return None
        if type(given) in (list, tuple):
            return Subscribing(type(given)(map(self._traced, given)))
        return Subscribing(self._traced(given))

    def _traced(self, handler: Any) -> Any:
        if not callable(handler):
            return handler
        import wrapt  # equal to what it wraps, so that a library finds it when it is taken away again

        place = self.place
        fields = tuple((name, text) for name, text in place.target.fields if name not in ("handler", "parameters"))
        arguments = place.word("arguments")
        if arguments:
            fields = (*fields, ("parameters", arguments))
        place = place._replace(target=place.target._replace(fields=fields), original=handler)
        around = wrapper(place, Consumer(place).around())
        # The names of its parameters begin behind what a bound method is bound to.
        return wrapt.FunctionWrapper(
            handler, lambda wrapped, instance, args, kwargs: around(wrapped, None, args, kwargs)
        )


def _result(call: Subscribing, result: Any) -> Any:
    return result


def _nothing(call: Subscribing, error: BaseException) -> None:
    return None


def _reader_of_one(place: Place) -> Callable[[Any], Any] | None:
    text = place.word("headers")
    return reading(place, text) if text else None


def _sequence(found: Any) -> Sequence[Any]:
    return found if isinstance(found, list | tuple) else ()
