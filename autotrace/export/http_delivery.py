"""One HTTP endpoint: takes bodies, posts each within a deadline; raises unless the answer is a 2xx.

The standard library's response parser over a socket of our own: no connection class that somebody traces, and one
deadline for the whole request, where `http.client` knows only one for each step. What it needs is imported with the first
body, on the export thread: under gevent neither `socket` nor `ssl` may be imported before the application patches them.
Proxies of the environment are not used.
"""

from __future__ import annotations

import io
import os
from binascii import b2a_base64
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from autotrace.errors import ExportError
from autotrace.guard import is_from_signal
from autotrace.span.clock import Clock

if TYPE_CHECKING:
    import socket
    import ssl

_SLICE = 64 * 1024
_ANSWER_LIMIT = 64 * 1024
_REASON_LIMIT = 80


class HttpDelivery:
    """The connection to one endpoint, kept open between bodies; a fork's child opens its own.

    `endpoint` is an http or https URL; a user and password in it are sent as basic authorization and never shown.
    """

    def __init__(self, endpoint: str, content_type: str, timeout_ns: int) -> None:
        url = urlsplit(endpoint)
        self._secure = url.scheme == "https"
        self._host = url.hostname or ""
        self._port = url.port or (443 if self._secure else 80)
        self._timeout_ns = timeout_ns
        self._address = f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"
        self._head = _head(url.path or "/", url.query, self._address, content_type, _authorization(url.netloc))
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLContext | None = None
        self._pid = 0

    def post(self, body: bytes) -> None:
        """Send `body`. Raises ExportError with the address and the reason; never sends anything twice."""
        try:
            self._exchange(body, Clock.now() + self._timeout_ns)
        except BaseException as error:
            self.close()
            if isinstance(error, ExportError) or not isinstance(error, Exception) or is_from_signal(error):
                raise
            raise ExportError(f"{self._address}: {str(error) or type(error).__name__}") from error

    def close(self) -> None:
        """Close the connection; a later body opens another."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def _exchange(self, body: bytes, deadline: int) -> None:
        from http.client import HTTPResponse

        connection = self._connected(deadline)
        _send(connection, b"%sContent-Length: %d\r\n\r\n" % (self._head, len(body)) + body, deadline)
        # It wants a socket and only ever asks it for a file.
        response = HTTPResponse(_Incoming(connection, deadline), method="POST")  # type: ignore[arg-type] # see above
        response.begin()
        response.read(_ANSWER_LIMIT)
        if response.will_close or not response.isclosed():
            self.close()
        if not 200 <= response.status < 300:
            raise ExportError(f"{self._address} answered {response.status} {response.reason[:_REASON_LIMIT]}".rstrip())

    def _connected(self, deadline: int) -> socket.socket:
        if self._socket is not None and (self._pid != os.getpid() or not _is_idle(self._socket)):
            self.close()
        if self._socket is None:
            self._socket = self._connect(deadline)
            self._pid = os.getpid()
        return self._socket

    def _connect(self, deadline: int) -> socket.socket:
        """A connection to the first address of the host that answers; each gets its share of the time that is left."""
        import socket

        failure: OSError = OSError("no address")
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(found):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(_seconds_until(deadline) / (len(found) - number))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return self._secured(connection, deadline)
            except OSError as error:
                connection.close()
                if is_from_signal(error):
                    raise
                failure = error
            except BaseException:
                connection.close()
                raise
        raise failure

    def _secured(self, connection: socket.socket, deadline: int) -> socket.socket:
        if not self._secure:
            return connection
        import ssl

        if self._tls is None:
            self._tls = ssl.create_default_context()
        connection.settimeout(_seconds_until(deadline))
        return self._tls.wrap_socket(connection, server_hostname=self._host)


class _Incoming(io.RawIOBase):
    """What comes from a socket until a deadline."""

    def __init__(self, connection: socket.socket, deadline: int) -> None:
        self._connection = connection
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        """The file that the response reads."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Yes: that is all it is for."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come, waiting until the deadline at most."""
        self._connection.settimeout(_seconds_until(self._deadline))
        return self._connection.recv_into(buffer)


def _head(path: str, query: str, host: str, content_type: str, authorization: bytes) -> bytes:
    target = f"{path}?{query}" if query else path
    lines = (
        f"POST {target} HTTP/1.1",
        f"Host: {host}",
        "User-Agent: autotrace",
        f"Content-Type: {content_type}",
    )
    return "".join(f"{line}\r\n" for line in lines).encode("ascii") + authorization


def _authorization(netloc: str) -> bytes:
    """The header for what stands before the host (RFC 7617); nothing without it."""
    credentials, at, _ = netloc.rpartition("@")
    if not at:
        return b""
    user, _, password = credentials.partition(":")
    encoded = b2a_base64(unquote_to_bytes(user) + b":" + unquote_to_bytes(password), newline=False)
    return b"Authorization: Basic %s\r\n" % encoded


def _send(connection: socket.socket, data: bytes, deadline: int) -> None:
    view = memoryview(data)
    for start in range(0, len(data), _SLICE):
        connection.settimeout(_seconds_until(deadline))
        connection.sendall(view[start : start + _SLICE])


def _is_idle(connection: socket.socket) -> bool:
    """Whether the other side has kept a connection open and said nothing since the last answer."""
    connection.settimeout(0)
    try:
        connection.recv(1)
    except BlockingIOError:
        return True
    except OSError as error:
        if is_from_signal(error):
            raise
        return type(error).__name__ == "SSLWantReadError"  # by name: `ssl` is there only where it is used
    return False


def _seconds_until(deadline: int) -> float:
    remaining = deadline - Clock.now()
    if remaining <= 0:
        raise TimeoutError("timed out")
    return remaining / 1e9
