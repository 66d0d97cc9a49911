"""`http.client`: takes a call that sends a request, gives a client span and sends the trace's ids along.

Fields: `method`, `url`, `headers` (a parameter, or an attribute of one: it is replaced by a copy for the time of the call,
so that nobody's headers are changed), `status` (of the result). One span for each call, its redirects included.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from operator import attrgetter
from typing import Any

from autotrace import guard
from autotrace.conventions.around import Around, Wrapper, abandon, end, fail, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, ReadField, Values, attempt, result_field, text
from autotrace.conventions.headers import Headers, Sending
from autotrace.conventions.http import set_method, set_status
from autotrace.conventions.url import split
from autotrace.plan.path import Attribute, Path, parse
from autotrace.propagate import formats
from autotrace.propagate.baggage import takes_baggage
from autotrace.propagate.carrier import Read
from autotrace.propagate.signature import NAMES, is_signed
from autotrace.span.context import get_current
from autotrace.span.detail import Detail
from autotrace.span.span import Span

_INJECTED = frozenset(formats.HEADERS)
_READ = _INJECTED.union(NAMES)

# The request that is being sent, for the layers below that would record it again.
_sending: ContextVar[Request | None] = ContextVar("autotrace_sending", default=None)


def build(place: Place) -> Wrapper:
    """What takes the place of a function that sends requests."""
    client = HttpClient(place)
    roots, replaces = client.fields.roots, client.headers.replaces
    return surround(place, Around(client.begin, roots, client.returned, client.raised, replaces))


class Request(Sending):
    """One request on its way."""

    __slots__ = ("injected", "outer")

    def __init__(self, span: Span, replaced: Any, outer: Request | None) -> None:
        self.span = span
        self.replaced = replaced
        self.holder = None
        self.injected = False
        self.outer = outer


class HttpClient:
    """Reads the requests of one function, and records them."""

    def __init__(self, place: Place) -> None:
        self.settings = place.environment.propagation
        self.site = place.site("HTTP", "client")
        self.named = place.target.span is not None
        self.fields = fields = Fields(place)
        self.method = fields.field("method")
        self.url = fields.field("url")
        self.status = result_field(place, "status")
        self.headers = Headers(place, fields, _READ)
        self.at_once = _at_once(place, fields)

    def begin(self, *values: Any) -> Request | None:
        """Start the span of one request; None for a layer below one that has begun it."""
        headers = self.headers
        method, url, carried = self._read(values)
        found = headers.find(carried)
        outer, outer_request = get_current(), _sending.get()
        if outer_request is not None and _is_inner_layer(outer_request, outer, found.get):
            return None
        url = text(url)
        span = self.site.nullcontext()
        if not isinstance(span, Span):
            return None
        call = Request(span, headers.given(values), outer_request)
        try:
            host = self._describe(span, text(method), url)
            if headers.known and self.settings.http and _may_inject(span, url, found):
                parent = outer.span_id if isinstance(outer, Span) else 0
                added = formats.inject(span, self._formats(span, host), parent)
                call.injected = headers.add(call, values, carried, added, fresh=_INJECTED.isdisjoint(found))
        except BaseException as failure:
            abandon(span, failure)
            return None
        _sending.set(call)
        return call

    def _read(self, values: Values) -> tuple[Any, Any, Any]:
        """The method, the URL and the headers."""
        read = attempt(self.at_once, values) if self.at_once is not None else None
        if read is not None:
            return read  # type: ignore[no-any-return]  # attrgetter gives one for each of three names
        method = self.method(values) if self.method is not None else None
        return method, self.url(values) if self.url is not None else None, self.headers.read(values)

    def returned(self, request: Request, result: Any) -> Any:
        """End the span with the status of the answer."""
        span = request.span
        try:
            self._leave(request)
            code = self.status(result) if self.status is not None else None
            if isinstance(code, int) and not span.end:
                set_status(span, int(code), 400)
        except BaseException as failure:
            guard.swallow(failure)
        return end(span, result)

    def raised(self, request: Request, error: BaseException) -> None:
        """End the span of a request without an answer."""
        try:
            self._leave(request)
        except BaseException as failure:
            guard.swallow(failure)
        fail(request.span, error)

    def _leave(self, request: Request) -> None:
        if _sending.get() is request:
            _sending.set(request.outer)
        self.headers.restore(request)

    def _describe(self, span: Span, method: str, url: str) -> str:
        if span.detail is None:
            # Nobody else knows of this span yet, so its detail needs no lock.
            span.detail = detail = Detail()
            detail.attributes = {}
        else:
            detail = span.details()
        attributes = detail.attributes
        name = set_method(attributes, method or "GET")
        if not self.named:
            detail.name = name
        full, _, host, port = split(url)
        if full:
            attributes["url.full"] = full
        if host:
            attributes["server.address"] = host
        if port:
            attributes["server.port"] = port
        return host

    def _formats(self, span: Span, host: str) -> Sequence[str]:
        settings = self.settings
        remote = span.root.remote
        if remote is None or not remote.baggage or takes_baggage(host, settings.baggage_hosts):
            return settings.formats
        return [name for name in settings.formats if name != "baggage"]


def _at_once(place: Place, fields: Fields) -> ReadField | None:
    """Reads the method, the URL and the headers in one step, where they are attributes of the same parameter."""
    paths = [parse(place.word(name)) if place.word(name) else Path("") for name in ("method", "url", "headers")]
    names = [[step.name for step in path.steps if isinstance(step, Attribute)] for path in paths]
    plain = all(len(path.steps) == len(steps) > 0 for path, steps in zip(paths, names, strict=True))
    if not place.target.evaluate or not plain or len({path.root for path in paths}) > 1:
        return None
    root, read = fields.argument(paths[0].root), attrgetter(*(".".join(name) for name in names))
    return lambda values: read(root(values))


def _is_inner_layer(outer: Request, current: object, read: Read) -> bool:
    """Whether an outer layer is sending this very request: it carries the outer span's id, or nothing could."""
    if outer.span.end or current is not outer.span:
        return False
    if not outer.injected:
        return True
    return f"{outer.span.span_id:016x}" in f"{read('traceparent')} {read('x-span-id')}"


def _may_inject(span: Span, url: str, found: dict[str, str]) -> bool:
    if not found and "?" not in url:
        return True
    if is_signed(url, found.get):
        return False
    # A redirect or a request that is sent again still carries what we gave it; anything else is the caller's own.
    carried = formats.carried_trace_id(found.get)
    return carried is None or carried == span.root.trace_id
