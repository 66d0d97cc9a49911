"""`messaging.send`: takes a call that sends a message, gives a producer span and sends the trace's ids along.

Fields: those of `autotrace.conventions.messaging`, and `headers`: a parameter, or an attribute of one, that takes the
message's properties. It is replaced by a copy for the time of the call, so that nobody's headers are changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autotrace import guard
from autotrace.conventions.around import Around, Wrapper, abandon, end, fail, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, Values
from autotrace.conventions.headers import Headers, Sending
from autotrace.conventions.messaging import Messages
from autotrace.propagate import formats
from autotrace.propagate.carrier import Read
from autotrace.span.context import get_current
from autotrace.span.span import Span

_READ = frozenset(formats.MESSAGE.headers)


def build(place: Place) -> Wrapper:
    """What takes the place of a function that sends messages."""
    sender = Sender(place)
    roots, replaces = sender.fields.roots, sender.headers.replaces
    return surround(place, Around(sender.begin, roots, sender.returned, sender.raised, replaces))


class SentMessage(Sending):
    """One message on its way."""

    __slots__ = ("values",)

    def __init__(self, span: Span, replaced: Any, values: Values) -> None:
        super().__init__(span, replaced)
        self.values = values


class Sender:
    """Reads the messages that one function sends, and records them."""

    def __init__(self, place: Place) -> None:
        self.settings = place.environment.propagation
        self.site = place.site("send", "producer")
        self.fields = Fields(place)
        self.messages = Messages(place, self.fields, self.site, "send", "send")
        self.headers = Headers(place, self.fields, _READ)

    def begin(self, *values: Any) -> SentMessage | None:
        """Start the span of one message; None for a layer below one that sends this very message."""
        outer = get_current()
        carried = self.headers.read(values)
        read = self.headers.find(carried).get
        if _is_inner_layer(outer, read):
            return None
        span = self.site.nullcontext()
        if not isinstance(span, Span):
            return None
        call = SentMessage(span, self.headers.given(values), values)
        try:
            self.messages.describe(span, values)
            if self.headers.known and self.settings.messaging:
                parent = outer.span_id if isinstance(outer, Span) else 0
                added = _added(span, self.settings.formats, parent, read)
                if added:
                    self.headers.add(call, values, carried, added)
        except BaseException as failure:
            abandon(span, failure)
            return None
        return call

    def returned(self, call: SentMessage, result: Any) -> Any:
        """End the span; by now the library knows its broker."""
        try:
            self.headers.restore(call)
            self.messages.set_broker(call.span, call.values)
            call.span.site.tag(call.span, "result", result)
        except BaseException as failure:
            guard.swallow(failure)
        return end(call.span, result)

    def raised(self, call: SentMessage, error: BaseException) -> None:
        """End the span of a message that was not sent."""
        try:
            self.headers.restore(call)
        except BaseException as failure:
            guard.swallow(failure)
        fail(call.span, error)


def _is_inner_layer(outer: object, read: Read) -> bool:
    """Whether what is current is the sending of this very message, by a layer above: it carries that span's id."""
    if not isinstance(outer, Span) or outer.kind != "producer" or outer.end:
        return False
    return f"{outer.span_id:016x}" in f"{read('traceparent')} {read('span_id')}"


def _added(span: Span, wanted: Sequence[str], parent: int, read: Read) -> dict[str, str]:
    """What goes into the message's headers; nothing where they already belong to another trace, which is the caller's."""
    carried = formats.carried_trace_id(read, formats.MESSAGE)
    if carried is None or carried == span.root.trace_id:
        # Headers of a message that came in are often passed on as they are: they get the ids of this sending.
        return formats.inject(span, wanted, parent, formats.MESSAGE)
    if carried or read("traceparent") is not None:
        return {}
    # `trace_id` means something else here, and stays.
    return formats.inject(span, [name for name in wanted if name != "x-trace"], parent, formats.MESSAGE)
