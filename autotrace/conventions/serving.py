"""A request that is being served: takes what came in, gives the server span that WSGI, ASGI and routes share.

Server spans always start from the wire, whatever is current: a server may have been started inside a traced call.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from functools import lru_cache

from autotrace import guard
from autotrace.conventions.environment import Place
from autotrace.conventions.http import set_method, set_status
from autotrace.conventions.url import redact_query
from autotrace.plan.plan import PropagationSettings
from autotrace.propagate import formats
from autotrace.propagate.carrier import Read
from autotrace.span.capture import is_error
from autotrace.span.context import get_current, set_current
from autotrace.span.site import Site
from autotrace.span.span import Span

MARK = "autotrace.serving"
"""The key in a WSGI environment or ASGI scope that says that an outer layer records this request."""

_TEXT_LIMIT = 1024
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_serving: ContextVar[Serving | None] = ContextVar("autotrace_serving", default=None)


class Server:
    """What the requests of one application share."""

    def __init__(self, place: Place) -> None:
        self.settings: PropagationSettings = place.environment.propagation
        self.site: Site = place.site("HTTP", "server")
        self.named = place.target.span is not None


class Serving:
    """One request, from its arrival to the end of its answer.

    Its span continues the trace that the headers name; `itself` is the server's own host and port.
    """

    __slots__ = ("inside", "method", "mounted", "outer", "outside", "server", "span")

    def __init__(
        self,
        server: Server,
        read: Read,
        *,
        scheme: str,
        method: str,
        path: str,
        query: str,
        itself: Sequence[object] | None,
        version: str,
    ) -> None:
        settings = server.settings
        inbound = formats.extract(read, settings.formats) if settings.http else formats.NOTHING
        self.server = server
        tracer = server.site.tracer
        self.span = span = tracer.start_remote(server.site, Span, inbound.parent)
        self.outside: object = None
        self.outer: Serving | None = None
        self.mounted = ""
        detail = span.details()
        attributes = detail.attributes
        self.method = set_method(attributes, method)
        if not server.named:
            detail.name = self.method
        attributes["url.scheme"] = scheme
        attributes["url.path"] = path[:_TEXT_LIMIT]
        if query:
            attributes["url.query"] = redact_query(query)
        host = read("host")
        address, port = _address(host, scheme) if host else _own_address(itself)
        if address:
            attributes["server.address"] = address
        if port:
            attributes["server.port"] = port
        if version:
            attributes["network.protocol.version"] = version
        agent = read("user-agent")
        if agent:
            attributes["user_agent.original"] = agent[:_TEXT_LIMIT]
        if inbound.external_id is not None:
            attributes["autotrace.external_id"] = inbound.external_id
        self.inside: object = tracer.unrecorded(span) or span

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
        if not self.server.named:
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
            span = self.span
            if span.end:
                return
            if error is not None:
                detail = span.details()
                if any(event.name == "exception" for event in detail.events):
                    error = None
                elif is_error(error):
                    # It says more than the 500 that the framework has made of it before it let it pass.
                    detail.attributes.pop("error.type", None)
            span.close(error)
        except BaseException as failure:
            guard.swallow(failure)

    def reply_header(self) -> str | None:
        """The trace's id for the answer's `X-Trace-ID`, if answers are to have it."""
        return f"{self.span.root.trace_id:032x}" if self.server.settings.response else None


def serving() -> Serving | None:
    """The request that is being served in this context."""
    found = _serving.get()
    return found if found is not None and not found.span.end else None


@lru_cache(maxsize=256)
def _address(host: str, scheme: str) -> tuple[str, int]:
    """`server.address` and `server.port` as the client named them, in the Host header."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdigit() or len(port) > 5:
        name, port = host, ""
    return name.strip("[]")[:_TEXT_LIMIT], int(port) if port else _DEFAULT_PORTS.get(scheme, 0)


def _own_address(server: Sequence[object] | None) -> tuple[str, int]:
    """They, as the server knows itself."""
    if not server or not isinstance(server[0], str):
        return "", 0
    port = server[1] if len(server) > 1 else None
    return server[0], port if isinstance(port, int) else 0
