"""`http.client`: takes a call that sends a request, gives a client span and sends the trace's ids along.

Fields: `method`, `url`, `headers` (a parameter, or an attribute of one: it is replaced by a copy for the time of the call,
so that nobody's headers are changed), `status` (of the result). One span for each call, its redirects included.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from autotrace import guard
from autotrace.conventions.around import Wrapper, abandon, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import field, result_field, text
from autotrace.conventions.headers import Headers, SendingCall
from autotrace.conventions.http import set_method, set_status
from autotrace.conventions.url import split
from autotrace.propagate import formats
from autotrace.propagate.baggage import takes_baggage
from autotrace.propagate.carrier import Read, reader
from autotrace.propagate.signature import NAMES, is_signed
from autotrace.span.context import get_current
from autotrace.span.span import Span

_READ = (*formats.HEADERS, *NAMES)

# The request that is being sent, for the layers below that would record it again.
_sending: ContextVar[RequestCall | None] = ContextVar("autotrace_sending", default=None)


def build(place: Place) -> Wrapper:
    """The wrapper of a function that sends requests."""
    client = HttpClient(place)
    return surround(place.original, client.begin)


class HttpClient:
    """Reads the requests of one function, and records them."""

    def __init__(self, place: Place) -> None:
        self.settings = place.environment.propagation
        self.site = place.site("HTTP", "client")
        self.named = place.target.span is not None
        self.method = field(place, "method")
        self.url = field(place, "url")
        self.status = result_field(place, "status")
        self.headers = Headers.of(place)

    def begin(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> RequestCall | None:
        """Start the span of one request; None for a layer below one that has begun it."""
        carried = self.headers.read(instance, args, kwargs) if self.headers is not None else None
        read = reader(carried, _READ)
        if self._is_inner_layer(read):
            return None
        method = text(self.method(instance, args, kwargs)) if self.method else ""
        url = text(self.url(instance, args, kwargs)) if self.url else ""
        outer = get_current()
        span = self.site.nullcontext()
        if not isinstance(span, Span):
            return None
        call = RequestCall(self, args, kwargs, span)
        try:
            self._describe(span, method, url)
            if self.headers is not None and self.settings.http and self._may_inject(span, url, read):
                parent = outer.span_id if isinstance(outer, Span) else 0
                added = formats.inject(span, self._formats(span), parent)
                call.injected = self.headers.add(call, instance, carried, added)
        except BaseException as failure:
            abandon(span, failure)
            return None
        call.outer_request = _sending.get()
        _sending.set(call)
        return call

    def _is_inner_layer(self, read: Read) -> bool:
        """Whether an outer layer is sending this very request: it carries the outer span's id, or nothing could."""
        outer = _sending.get()
        if outer is None or outer.span.end or get_current() is not outer.span:
            return False
        if not outer.injected:
            return True
        return f"{outer.span.span_id:016x}" in f"{read('traceparent')} {read('x-span-id')}"

    def _describe(self, span: Span, method: str, url: str) -> None:
        detail = span.details()
        attributes = detail.attributes
        name = set_method(attributes, method or "GET")
        if not self.named:
            detail.name = name
        parts = split(url)
        if parts.full:
            attributes["url.full"] = parts.full
        if parts.host:
            attributes["server.address"] = parts.host
        if parts.port:
            attributes["server.port"] = parts.port

    def _formats(self, span: Span) -> Sequence[str]:
        settings = self.settings
        host = str(span.details().attributes.get("server.address", ""))
        if takes_baggage(host, settings.baggage_hosts):
            return settings.formats
        return [name for name in settings.formats if name != "baggage"]

    def _may_inject(self, span: Span, url: str, read: Read) -> bool:
        if is_signed(url, read):
            return False
        # A redirect or a request that is sent again still carries what we gave it; anything else is the caller's own.
        carried = formats.carried_trace_id(read)
        return carried is None or carried == span.root.trace_id


class RequestCall(SendingCall):
    """One request on its way."""

    __slots__ = ("client", "injected", "outer_request")

    def __init__(self, client: HttpClient, args: tuple[Any, ...], kwargs: dict[str, Any], span: Span) -> None:
        super().__init__(args, kwargs, span)
        self.client = client
        self.injected = False
        self.outer_request: RequestCall | None = None

    def returned(self, result: Any) -> Any:
        try:
            code = self.client.status(result) if self.client.status is not None else None
            if isinstance(code, int) and not self.span.end:
                set_status(self.span, int(code), 400)
        except BaseException as failure:
            guard.swallow(failure)
        return result

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if _sending.get() is self:
                _sending.set(self.outer_request)
        except BaseException as failure:
            guard.swallow(failure)
        super().__exit__(kind, error, trace)
