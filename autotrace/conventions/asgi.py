"""ASGI 3 (https://asgi.readthedocs.io): takes an application's entry, gives one server span for each request.

A websocket has a span for its handshake. The lifespan protocol is no request.
"""

from __future__ import annotations

from typing import Any

from autotrace import guard
from autotrace.conventions.around import Around, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.serving import MARK, Server, Serving
from autotrace.propagate import formats
from autotrace.propagate.carrier import Read, reader

_READ = frozenset((*formats.HEADERS, "host", "user-agent"))
_READ_BYTES = frozenset(name.encode() for name in _READ)
_SWITCHED = 101
_DENIED = 403


def build(place: Place) -> Wrapper:
    """What takes the place of an ASGI application; its arguments are positional by the specification."""
    server = Server(place)

    def begin(scope: Any, send: Any) -> AsgiRequest | None:
        if not callable(send) or scope.get("type") not in ("http", "websocket") or MARK in scope:
            return None
        request = AsgiRequest(server, scope, send)
        scope[MARK] = True
        request.enter()
        return request

    return surround(place, Around(begin, ("-3", "-1"), _returned, _raised, replaces="-1"))


class AsgiRequest(Serving):
    """One request: its span ends when the application returns, which is after its background tasks."""

    __slots__ = ("replaced", "send")

    def __init__(self, server: Server, scope: Any, send: Any) -> None:
        get = scope.get
        websocket = scope["type"] == "websocket"
        query = get("query_string", b"")
        super().__init__(
            server,
            _reader(get("headers", ())),
            scheme=str(get("scheme") or ("ws" if websocket else "http")),
            method=str(get("method") or "GET"),
            path=str(get("path", "")),
            query=query.decode("latin-1") if isinstance(query, bytes) else str(query),
            itself=get("server"),
            version=str(get("http_version") or ""),
        )
        if websocket:
            self.span.details().attributes["network.protocol.name"] = "websocket"
        self.send = send
        self.replaced: Any = self.sent

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
            self.status(_SWITCHED)
            self.end()
        elif kind == "websocket.close":
            self.status(_DENIED)
            self.end()
        elif kind in ("http.response.start", "websocket.http.response.start"):
            self.status(int(message["status"]))
            identifier = self.reply_header()
            if identifier is not None:
                return {**message, "headers": [*message.get("headers", ()), (b"x-trace-id", identifier.encode())]}
        return message


def _reader(headers: Any) -> Read:
    # Servers give bytes in lower case, as the specification says; test clients give what they like.
    wanted = [pair for pair in headers if type(pair[0]) is not bytes or pair[0] in _READ_BYTES or not pair[0].islower()]
    return reader(wanted, _READ)


def _returned(request: AsgiRequest, result: Any) -> Any:
    try:
        request.leave()
        request.replaced = None  # it holds the request, which the collector alone would free
        request.end()
    except BaseException as failure:
        guard.swallow(failure)
    return result


def _raised(request: AsgiRequest, error: BaseException) -> None:
    try:
        request.leave()
        request.replaced = None
        request.end(error)
    except BaseException as failure:
        guard.swallow(failure)
