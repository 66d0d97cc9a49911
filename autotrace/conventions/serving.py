"""A request that is being served: takes what came in, gives the server span that WSGI, ASGI and routes share.

Server spans always start from the wire, whatever is current: a server may have been started inside a traced call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from autotrace import guard
from autotrace.conventions.described import described
from autotrace.conventions.environment import Place
from autotrace.conventions.http import set_method, set_status
from autotrace.conventions.url import redact_query
from autotrace.plan.plan import PropagationSettings
from autotrace.propagate.carrier import text_of
from autotrace.propagate.formats import NOTHING, Inbound
from autotrace.span import tracer as tracing
from autotrace.span.capture import is_error
from autotrace.span.context import get_current, set_current
from autotrace.span.detail import Detail
from autotrace.span.finished import AttributeValue
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.unrecorded import Unrecorded

MARK = "autotrace.serving"
"""The key in a WSGI environment or ASGI scope that says that an outer layer records this request."""

TEXT_LIMIT = 1024
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Server:
    """What the requests of one application share."""

    def __init__(self, place: Place) -> None:
        self.settings: PropagationSettings = place.environment.propagation
        self.site: Site = place.site("HTTP", "server")
        self.named = place.target.span is not None


class Known(NamedTuple):
    """What many requests have in common: what a span's name says of their method, and a site with their attributes."""

    method: str
    site: Site


class ServerDetail(Detail):
    """The detail of a server's span: while the request is served, what is below finds it there."""

    serving: Serving | None = None


class Serving:
    """One request, from its arrival to the end of its answer. `arrive` comes first: that is quicker than an `__init__`."""

    __slots__ = ("detail", "inside", "method", "mounted", "outside", "server", "span")

    def arrive(self, server: Server, inbound: Inbound, known: Known, path: str, query: str, agent: str | None) -> None:
        """Start the span, which continues the trace that came in; `enter` makes it current."""
        self.method, site = known
        tracer = site.tracer
        self.server = server
        self.span = span = tracer.start_remote(site, Span, inbound.parent)
        self.outside = span.parent
        self.mounted = ""
        self.detail = span.detail = detail = ServerDetail()
        detail.serving = self
        attributes: dict[str, AttributeValue] = {"url.path": path if len(path) <= TEXT_LIMIT else path[:TEXT_LIMIT]}
        detail.attributes = attributes
        if query:
            attributes["url.query"] = redact_query(query)
        if agent:
            attributes["user_agent.original"] = agent if len(agent) <= TEXT_LIMIT else agent[:TEXT_LIMIT]
        if not server.named:
            detail.name = self.method
        if inbound is not NOTHING and inbound.external_id is not None:
            attributes["autotrace.external_id"] = inbound.external_id
        self.inside: object = span if tracer.admits is None else tracer.unrecorded(span) or span

    def enter(self) -> None:
        """Make the request's context current."""
        set_current(self.inside)

    def leave(self) -> None:
        """Make the server's own context current again; in another context (a task closed elsewhere) nothing is ours."""
        value = get_current()
        if value is not self.inside:
            if not self._is_within(value):
                return
            self.inside = value
        set_current(self.outside)

    def _is_within(self, value: object) -> bool:
        """Whether what is current was made current in this request, and left so."""
        root = self.span.root
        while value is not None:
            lineage = root.tracer.lineage(value)
            if not isinstance(lineage, Span | Unrecorded):
                return False
            if lineage.root is root:
                return True
            value = lineage.parent
        return False

    def route(self, template: str, *, mount: bool) -> None:
        """Add what a router has found; a mount's inner router adds the rest."""
        if self.span.end:
            return
        if mount:
            self.mounted += template.rstrip("/")
            template = self.mounted + "/{path}"
        elif self.mounted:
            template = self.mounted + template
        if len(template) > TEXT_LIMIT:
            template = template[:TEXT_LIMIT]
        detail = self.detail
        detail.attributes["http.route"] = template
        if not self.server.named:
            detail.name = f"{self.method} {template}"

    def status(self, code: int) -> None:
        """Record the status code of the answer."""
        if self.span.end:
            return
        if code < 500:
            self.detail.attributes["http.response.status_code"] = code
        else:
            set_status(self.span, code, 500)

    def fail(self, error: BaseException) -> None:
        """Record an exception that a framework has turned into an answer."""
        if not self.span.end:
            self.detail.attributes.pop("error.type", None)
            self.span.fail(error)

    def end(self, error: BaseException | None = None) -> None:
        """End the span, once; an exception that was recorded already is not recorded again."""
        span = self.span
        if span.end:
            return
        try:
            detail = self.detail
            if error is not None:
                if any(event.name == "exception" for event in detail.events):
                    error = None
                elif is_error(error):
                    # It says more than the 500 that the framework has made of it before it let it pass.
                    detail.attributes.pop("error.type", None)
            # The span is kept until it is exported; the request, with all that it holds, is free now.
            detail.serving = None
            span.close(error)
        except BaseException as failure:
            guard.swallow(failure)

    def reply_header(self) -> str:
        """The trace's id for the answer's `X-Trace-ID`, where answers are to have it."""
        return f"{self.span.root.trace_id:032x}"


def serving() -> Serving | None:
    """The request that is being served in this context; none where it is not recorded."""
    value = get_current()
    if type(value) is not Span:
        if value is None or isinstance(value, Unrecorded):
            return None
        value = value if isinstance(value, Span) else tracing.read_foreign_context(value)
        if not isinstance(value, Span):
            return None
    detail = value.root.span.detail
    return detail.serving if type(detail) is ServerDetail else None


def known(
    server: Server, method: str, scheme: str, host: object, itself: Sequence[object] | None, version: str
) -> Known:
    """What is known of a request by its first lines; `itself` is the server's own host and port, for one without a Host."""
    own = server.site
    attributes: dict[str, AttributeValue] = {**own.attributes}
    name = set_method(attributes, method)
    attributes["url.scheme"] = scheme
    named = text_of(host)
    address, port = _address(named, scheme) if named else _own_address(itself)
    if address:
        attributes["server.address"] = address
    if port:
        attributes["server.port"] = port
    if version:
        attributes["network.protocol.version"] = version
    return Known(name, described(own, own.name, attributes))


def _address(host: str, scheme: str) -> tuple[str, int]:
    """`server.address` and `server.port` as the client named them, in the Host header."""
    name, colon, port = host.rpartition(":")
    if not colon or not port.isdigit() or len(port) > 5:
        name, port = host, ""
    return name.strip("[]")[:TEXT_LIMIT], int(port) if port else _DEFAULT_PORTS.get(scheme, 0)


def _own_address(server: Sequence[object] | None) -> tuple[str, int]:
    """They, as the server knows itself."""
    if not server or not isinstance(server[0], str):
        return "", 0
    port = server[1] if len(server) > 1 else None
    return server[0], port if isinstance(port, int) else 0
