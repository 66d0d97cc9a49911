"""A request that is being served: takes what came in, gives the server span that WSGI, ASGI and routes share.

Server spans always start from the wire, whatever is current: a server may have been started inside a traced call.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar

from autotrace import guard
from autotrace.conventions.environment import Place
from autotrace.conventions.http import set_method, set_status
from autotrace.conventions.url import redact_query
from autotrace.plan.plan import PropagationSettings
from autotrace.propagate import formats
from autotrace.propagate.carrier import Read
from autotrace.span.capture import is_error
from autotrace.span.context import get_current, set_current
from autotrace.span.finished import AttributeValue
from autotrace.span.site import Site
from autotrace.span.span import Span

MARK = "autotrace.serving"
"""The key in a WSGI environment or ASGI scope that says that an outer layer records this request."""

_TEXT_LIMIT = 1024
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_serving: ContextVar[Serving | None] = ContextVar("autotrace_serving", default=None)


class Serving:
    """One request, from its arrival to the end of its answer."""

    __slots__ = ("inside", "method", "mounted", "named", "outer", "outside", "span")

    def __init__(self, span: Span, method: str, inside: object, *, named: bool) -> None:
        self.span = span
        self.method = method
        self.named = named
        self.mounted = ""
        self.inside = inside
        self.outside: object = None
        self.outer: Serving | None = None

    def enter(self) -> None:
        """Make the request's context current."""
        self.outside = get_current()
        self.outer = _serving.get()
        set_current(self.inside)
        _serving.set(self)

    def leave(self) -> None:
        """Make the server's own context current again; in another context (a task closed elsewhere) nothing is ours."""
        if _serving.get() is self:
            self.inside = get_current()
            set_current(self.outside)
            _serving.set(self.outer)

    def route(self, template: str, *, mount: bool) -> None:
        """Add what a router has found; a mount's inner router adds the rest."""
        if self.span.end:
            return
        detail = self.span.details()
        if mount:
            self.mounted += template.rstrip("/")
            template = self.mounted + "/{path}"
        else:
            template = self.mounted + template
        detail.attributes["http.route"] = template[:_TEXT_LIMIT]
        if not self.named:
            detail.name = f"{self.method} {template[:_TEXT_LIMIT]}"

    def status(self, code: int) -> None:
        """Record the status code of the answer."""
        if not self.span.end:
            set_status(self.span, code, 500)

    def fail(self, error: BaseException) -> None:
        """Record an exception that a framework has turned into an answer."""
        if not self.span.end:
            self.span.details().attributes.pop("error.type", None)
            self.span.fail(error)

    def end(self, error: BaseException | None = None) -> None:
        """End the span, once; an exception that was recorded already is not recorded again."""
        try:
            if not self.span.end:
                detail = self.span.details()
                if any(event.name == "exception" for event in detail.events):
                    error = None
                elif error is not None and is_error(error):
                    # It says more than the 500 that the framework has made of it before it let it pass.
                    detail.attributes.pop("error.type", None)
                self.span.close(error)
        except BaseException as failure:
            guard.swallow(failure)


def serving() -> Serving | None:
    """The request that is being served in this context."""
    found = _serving.get()
    return found if found is not None and not found.span.end else None


class Server:
    """Starts the requests of one application."""

    def __init__(self, place: Place) -> None:
        self.settings: PropagationSettings = place.environment.propagation
        self.site: Site = place.site("HTTP", "server")
        self.named = place.target.span is not None

    def start(self, read: Read, method: str, attributes: dict[str, AttributeValue]) -> Serving:
        """A request whose span continues the trace that its headers name."""
        inbound = formats.extract(read, self.settings.formats) if self.settings.http else formats.NOTHING
        span = self.site.tracer.start_remote(self.site, Span, inbound.parent)
        detail = span.details()
        name = set_method(attributes, method)
        if not self.named:
            detail.name = name
        if inbound.external_id is not None:
            attributes["autotrace.external_id"] = inbound.external_id
        agent = read("user-agent")
        if agent:
            attributes["user_agent.original"] = agent[:_TEXT_LIMIT]
        detail.attributes.update(attributes)
        return Serving(span, name, self.site.tracer.unrecorded(span) or span, named=self.named)

    def reply_header(self, request: Serving) -> str | None:
        """The trace's id for the answer's `X-Trace-ID`, if answers are to have it."""
        return f"{request.span.root.trace_id:032x}" if self.settings.response else None


def address(host: str | None, server: Sequence[object] | None, scheme: str) -> dict[str, AttributeValue]:
    """`server.address` and `server.port`, as the client named them (the Host header), else as the server knows itself."""
    if host:
        name, colon, port = host.rpartition(":")
        if not colon or not port.isdigit() or len(port) > 5:
            name, port = host, ""
        number = int(port) if port else _DEFAULT_PORTS.get(scheme, 0)
        found: dict[str, AttributeValue] = {"server.address": name.strip("[]")[:_TEXT_LIMIT]}
        return {**found, "server.port": number} if number else found
    if server and isinstance(server[0], str):
        found = {"server.address": server[0]}
        return {**found, "server.port": server[1]} if len(server) > 1 and isinstance(server[1], int) else found
    return {}


def location(scheme: str, path: str, query: str) -> dict[str, AttributeValue]:
    """`url.scheme`, `url.path` and `url.query`, the last without secrets."""
    found: dict[str, AttributeValue] = {"url.scheme": scheme, "url.path": path[:_TEXT_LIMIT]}
    if query:
        found["url.query"] = redact_query(query)
    return found
