"""ASGI 3 (https://asgi.readthedocs.io): takes an application's entry, gives one server span for each request.

A websocket has a span for its handshake. The lifespan protocol is no request.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Any

from autotrace import guard
from autotrace.conventions import serving
from autotrace.conventions.around import Around, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.serving import MARK, TEXT_LIMIT, Known, Server, Serving
from autotrace.propagate import formats
from autotrace.propagate.carrier import read_headers, text_of
from autotrace.span.context import set_current

_READ = frozenset((*formats.HEADERS, "host", "user-agent"))
_READ_BYTES = frozenset(name.encode() for name in _READ)
_SWITCHED = 101
_DENIED = 403


def build(place: Place) -> Wrapper:
    """What takes the place of an ASGI application; its arguments are positional by the specification."""
    server = Server(place)
    # By the words of a scope: they repeat.
    known_of = lru_cache(maxsize=256)(partial(_known, server))
    known_formats = server.settings.formats if server.settings.http else ()

    def begin(scope: Any, send: Any) -> AsgiRequest | None:
        kind = scope.get("type")
        if (kind != "http" and kind != "websocket") or MARK in scope or not callable(send):
            return None
        get = scope.get
        headers = get("headers", ())
        try:
            found: dict[Any, Any] = dict(headers)
            usual = not found or b"".join(found).islower()
        except (TypeError, ValueError):
            usual = False
        if usual and b"traceparent" not in found and b"x-trace-id" not in found:
            inbound, host, agent = formats.NOTHING, found.get(b"host"), found.get(b"user-agent")
        else:
            read = _read(headers).get
            inbound, host, agent = formats.extract(read, known_formats), read("host"), read("user-agent")
        itself = get("server")
        words = (kind, get("scheme"), get("method"), host, get("http_version"))
        try:
            known = known_of(*words, itself if host is None else None)
        except TypeError:
            kind, scheme, method, host, version = map(text_of, words)
            known = _known(server, kind, scheme, method, host, version, itself)
        path = get("path", "")
        query = get("query_string", b"")
        request = AsgiRequest()
        request.send = send
        request.arrive(
            server,
            inbound,
            known,
            path if type(path) is str else str(path),
            (query.decode("latin-1") if isinstance(query, bytes) else str(query)) if query else "",
            agent.decode("latin-1") if type(agent) is bytes and len(agent) <= TEXT_LIMIT else text_of(agent),
        )
        if kind == "websocket":
            request.detail.attributes["network.protocol.name"] = "websocket"
        scope[MARK] = True
        set_current(request.inside)
        return request

    return surround(place, Around(begin, ("-3", "-1"), _returned, _raised, replaces="-1"))


class AsgiRequest(Serving):
    """One request: its span ends when the application returns, which is after its background tasks."""

    __slots__ = ("send",)

    send: Any

    def replaced(self, message: Any) -> Any:
        """The server's `send`; its awaitable is handed on as it is."""
        try:
            kind = message.get("type")
            if kind != "http.response.body":
                message = self._note(kind, message)
        except BaseException as failure:
            guard.swallow(failure)
        return self.send(message)

    def _note(self, kind: object, message: Any) -> Any:
        if kind == "http.response.start" or kind == "websocket.http.response.start":
            self.status(int(message["status"]))
            if self.server.settings.response:
                identifier = self.reply_header().encode()
                return {**message, "headers": [*message.get("headers", ()), (b"x-trace-id", identifier)]}
        elif kind == "websocket.accept":
            self.status(_SWITCHED)
            self.end()
        elif kind == "websocket.close":
            self.status(_DENIED)
            self.end()
        return message


def _read(headers: Iterable[Any]) -> dict[str, str]:
    # Servers give bytes in lower case, as the specification says; test clients give what they like.
    wanted = [pair for pair in headers if type(pair[0]) is not bytes or pair[0] in _READ_BYTES or not pair[0].islower()]
    return read_headers(wanted, _READ)


def _known(
    server: Server, kind: object, scheme: object, method: object, host: object, version: object, itself: Any
) -> Known:
    usual = "ws" if kind == "websocket" else "http"
    return serving.known(server, str(method or "GET"), str(scheme or usual), host, itself, str(version or ""))


def _returned(request: AsgiRequest, result: Any) -> Any:
    try:
        request.leave()
        request.end()
    except BaseException as failure:
        request.end()
        guard.swallow(failure)
    return result


def _raised(request: AsgiRequest, error: BaseException) -> None:
    try:
        request.leave()
        request.end(error)
    except BaseException as failure:
        request.end(error)
        guard.swallow(failure)
