"""What a message says of its trace: takes a message of any make, gives the remote parent that it names.

A message is a mapping, or an object with `headers`, `properties` or `trace_context`; in it, or in one of those, stand
`traceparent`, or `trace_id` and `span_id`. Values may be str, bytes, integers or None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from autotrace.guard import is_from_signal
from autotrace.plan.plain import ABSENT, NOT_PLAIN, evaluated_attribute, plain_attribute
from autotrace.propagate.carrier import reader
from autotrace.propagate.formats import HTTP, MESSAGE, NOTHING, Inbound, Names, extract
from autotrace.span.remote import RemoteParent

_PLACES = ("trace_context", "headers", "properties")
_FORMATS = ("tracecontext", "baggage", "x-trace")
_WORDS = (str, bytes)
_PLAIN_CARRIERS = (dict, list, tuple)
_LONGEST = 256
"""No headers are longer; data is, and looking through it would cost every call."""

_Attribute: TypeAlias = Callable[[object, str], object]


def read_message(message: object) -> Inbound:
    """What `message` says, asked for by the application: its properties are run, and what they raise counts as absent."""
    try:
        return _read(message, _evaluated)
    except Exception as error:
        if is_from_signal(error):
            raise
        return NOTHING


def find_parent(arguments: Iterator[object]) -> RemoteParent | None:
    """The parent that the first message among the arguments names; nothing of the application runs to find it."""
    for argument in arguments:
        if argument is not None and not isinstance(argument, int | float | str | bytes):
            parent = _read(argument, _plain).parent
            if parent is not None and parent.span_id:
                return parent
    return None


def _read(message: object, attribute: _Attribute) -> Inbound:
    external = NOTHING
    for carrier in _carriers(message, attribute):
        for names in (MESSAGE, HTTP):
            inbound = _extract(carrier, names)
            if inbound.parent is not None:
                return inbound
            external = external if external.external_id else inbound
    return external


def _extract(carrier: object, names: Names) -> Inbound:
    if isinstance(carrier, _WORDS):
        carrier = {"traceparent": carrier}
    return extract(reader(carrier, names.headers), _FORMATS, names)


def _carriers(message: object, attribute: _Attribute) -> Iterator[object]:
    """Wherever in a message the ids may stand, likely places first."""
    for name in _PLACES:
        found = attribute(message, name)
        if found is None or found is ABSENT or found is NOT_PLAIN:
            continue
        if _is_carrier(found, attribute) or isinstance(found, _WORDS):
            yield found
        else:
            # AMQP: `message.properties.headers`.
            inner = attribute(found, "headers")
            if _is_carrier(inner, attribute):
                yield inner
    if _is_carrier(message, attribute) and (attribute is _evaluated or isinstance(message, dict)):
        yield message  # any other list among the arguments is data
    elif attribute is _evaluated and isinstance(message, _WORDS):
        yield message


def _is_carrier(value: object, attribute: _Attribute) -> bool:
    if attribute is _evaluated:
        return isinstance(value, Mapping | list | tuple)
    return isinstance(value, dict | list | tuple) and type(value) in _PLAIN_CARRIERS and len(value) <= _LONGEST


def _evaluated(message: object, name: str) -> object:
    if isinstance(message, Mapping):
        return message.get(name)
    found = evaluated_attribute(message, name)
    # confluent-kafka: `message.headers()`.
    return found() if name == "headers" and callable(found) and not isinstance(found, Mapping) else found


def _plain(message: object, name: str) -> object:
    return message.get(name) if type(message) is dict else plain_attribute(message, name)
