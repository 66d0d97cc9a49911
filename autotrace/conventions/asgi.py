"""ASGI 3 (https://asgi.readthedocs.io): takes an application's entry, gives one server span for each request.

A websocket has a span for its handshake. The lifespan protocol is no request.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from autotrace import guard
from autotrace.conventions.around import Call, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.serving import MARK, Server, Serving, address, location
from autotrace.propagate import formats
from autotrace.propagate.carrier import reader

_READ = (*formats.HEADERS, "host", "user-agent")
_SWITCHED = 101
_DENIED = 403


def build(place: Place) -> Wrapper:
    """The wrapper of an ASGI application."""
    server = Server(place)

    def begin(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        # Positional by the specification; a caller that names them is rare enough to stay untraced.
        if len(args) != 3 or kwargs:
            return None
        scope = args[0]
        if scope.get("type") not in ("http", "websocket") or MARK in scope:
            return None
        request = _start(server, scope)
        scope[MARK] = True
        return AsgiCall(server, request, args)

    return surround(place.original, begin)


def _start(server: Server, scope: Mapping[str, Any]) -> Serving:
    read = reader(list(scope.get("headers", ())), _READ)
    websocket = scope["type"] == "websocket"
    scheme = str(scope.get("scheme") or ("ws" if websocket else "http"))
    query = scope.get("query_string", b"")
    query = query.decode("latin-1") if isinstance(query, bytes) else str(query)
    attributes = location(scheme, str(scope.get("path", "")), query)
    attributes.update(address(read("host"), scope.get("server"), scheme))
    if scope.get("http_version"):
        attributes["network.protocol.version"] = str(scope["http_version"])
    if websocket:
        attributes["network.protocol.name"] = "websocket"
    return server.start(read, str(scope.get("method") or "GET"), attributes)


class AsgiCall(Call):
    """One request: its span ends when the application returns, which is after its background tasks."""

    __slots__ = ("request", "send", "server")

    def __init__(self, server: Server, request: Serving, args: tuple[Any, ...]) -> None:
        scope, receive, self.send = args
        super().__init__((scope, receive, self.sent), {})
        self.server = server
        self.request = request

    def __enter__(self) -> None:
        self.request.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.request.leave()
        self.request.end(error)

    def sent(self, message: Any) -> Any:
        """The server's `send`; its awaitable is handed on as it is."""
        try:
            message = self._note(message)
        except BaseException as failure:
            guard.swallow(failure)
        return self.send(message)

    def _note(self, message: Any) -> Any:
        kind = message.get("type")
        if kind == "websocket.accept":
            self.request.status(_SWITCHED)
            self.request.end()
        elif kind == "websocket.close":
            self.request.status(_DENIED)
            self.request.end()
        elif kind in ("http.response.start", "websocket.http.response.start"):
            self.request.status(int(message["status"]))
            identifier = self.server.reply_header(self.request)
            if identifier is not None:
                return {**message, "headers": [*message.get("headers", ()), (b"x-trace-id", identifier.encode())]}
        return message
