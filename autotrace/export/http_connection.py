"""A connection to one HTTP server: takes requests, each with its deadline, gives the bodies of answers that are a 2xx.

The standard library's response parser over a socket of our own: no connection class that somebody traces, and one
deadline for the whole request, where `http.client` knows only one for each step. What it needs is imported with the first
request, on the export thread: under gevent neither `socket` nor `ssl` may be imported before the application patches them.
Proxies of the environment are not used, and no redirect is followed.
"""

from __future__ import annotations

import io
import os
from binascii import b2a_base64
from collections.abc import Callable
from errno import EAGAIN, EALREADY, EINPROGRESS, EISCONN
from time import sleep  # not by its module: tests of applications replace it there
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from autotrace.errors import ExportError
from autotrace.guard import is_from_signal
from autotrace.span.clock import Clock

if TYPE_CHECKING:
    import socket
    import ssl

ANSWER_LIMIT = 64 * 1024
_SLICE = 64 * 1024
_REASON_LIMIT = 80
_PATIENCE_S = 0.05
_CONNECTING = frozenset((EAGAIN, EALREADY, EINPROGRESS))


class Deadline:
    """When a request is over: after `timeout_ns` nanoseconds, or soon after `is_unwanted` says so."""

    def __init__(self, timeout_ns: int, is_unwanted: Callable[[], bool] | None = None) -> None:
        self._at = Clock.now() + timeout_ns
        self._is_unwanted = is_unwanted

    def seconds(self) -> float:
        """How long to wait before asking again; TimeoutError when the request is over."""
        left = self._at - Clock.now()
        if left <= 0 or (self._is_unwanted is not None and self._is_unwanted()):
            raise TimeoutError("timed out")
        return left / 1e9 if self._is_unwanted is None else min(left / 1e9, _PATIENCE_S)

    def part(self, number: int) -> Deadline:
        """The end of the first of `number` even parts of what is left."""
        return Deadline(max(self._at - Clock.now(), 0) // number, self._is_unwanted)


class HttpConnection:
    """The connection to the server of one http or https URL, kept open between requests; a fork's child opens its own.

    A user and password in the URL are sent as basic authorization and never shown. `target` is its path and query.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._secure else 80)
        self._authorization = _authorization(parts.netloc)
        self.address = f"[{self._host}]:{self._port}" if ":" in self._host else f"{self._host}:{self._port}"
        self.target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLContext | None = None
        self._pid = 0

    def head(self, method: str, target: str, header: str) -> bytes:
        """The first lines of a request: what its body asks for and the empty line are still to come."""
        lines = (f"{method} {target} HTTP/1.1", f"Host: {self.address}", "User-Agent: autotrace", header)
        return "".join(f"{line}\r\n" for line in lines).encode("ascii") + self._authorization

    def ask(self, method: str, request: bytes, deadline: Deadline) -> bytes:
        """Send `request` and give the body of its answer, of which no more than `ANSWER_LIMIT` bytes and one are read.

        Raises ExportError with the address and the reason; never sends anything twice.
        """
        try:
            return self._exchange(method, request, deadline)
        except BaseException as error:
            self.close()
            if isinstance(error, ExportError) or not isinstance(error, Exception) or is_from_signal(error):
                raise
            raise ExportError(f"{self.address}: {str(error) or type(error).__name__}") from error

    def close(self) -> None:
        """Close the connection; a later request opens another."""
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()

    def _exchange(self, method: str, request: bytes, deadline: Deadline) -> bytes:
        from http.client import HTTPResponse

        connection = self._connected(deadline)
        _send(connection, request, deadline)
        # It wants a socket and only ever asks it for a file.
        response = HTTPResponse(_Incoming(connection, deadline), method=method)  # type: ignore[arg-type] # see above
        response.begin()
        body = response.read(ANSWER_LIMIT + 1)
        if response.will_close or not response.isclosed():
            self.close()
        if not 200 <= response.status < 300:
            raise ExportError(f"{self.address} answered {response.status} {response.reason[:_REASON_LIMIT]}".rstrip())
        return body

    def _connected(self, deadline: Deadline) -> socket.socket:
        if self._socket is not None and (self._pid != os.getpid() or not _is_idle(self._socket)):
            self.close()
        if self._socket is None:
            self._socket = self._connect(deadline)
            self._pid = os.getpid()
        return self._socket

    def _connect(self, deadline: Deadline) -> socket.socket:
        """A connection to the first address of the host that answers; each gets its share of the time that is left."""
        import socket

        failure: OSError = OSError("no address")
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        for number, (family, kind, protocol, _, address) in enumerate(found):
            connection = socket.socket(family, kind, protocol)
            try:
                _reach(connection, address, deadline.part(len(found) - number))
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

    def _secured(self, connection: socket.socket, deadline: Deadline) -> socket.socket:
        if not self._secure:
            return connection
        import ssl

        if self._tls is None:
            self._tls = ssl.create_default_context()
        secured = self._tls.wrap_socket(connection, server_hostname=self._host, do_handshake_on_connect=False)
        try:
            _wait(secured, secured.do_handshake, deadline)
        except BaseException:
            secured.close()
            raise
        return secured


class _Incoming(io.RawIOBase):
    """What comes from a socket until a deadline."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
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
        received: int = _wait(self._connection, lambda: self._connection.recv_into(buffer), self._deadline)
        return received


def _authorization(netloc: str) -> bytes:
    """The header for what stands before the host (RFC 7617); nothing without it."""
    credentials, at, _ = netloc.rpartition("@")
    if not at:
        return b""
    user, _, password = credentials.partition(":")
    encoded = b2a_base64(unquote_to_bytes(user) + b":" + unquote_to_bytes(password), newline=False)
    return b"Authorization: Basic %s\r\n" % encoded


def _reach(connection: socket.socket, address: Any, deadline: Deadline) -> None:
    connection.settimeout(deadline.seconds())
    while (code := connection.connect_ex(address)) in _CONNECTING:
        # Only the first call waits; the later ones ask how it stands.
        sleep(min(deadline.seconds(), 0.01))
    if code not in (0, EISCONN):
        raise OSError(code, os.strerror(code))


def _wait(connection: socket.socket, step: Callable[[], Any], deadline: Deadline) -> Any:
    """What `step` gives, which waits for the other side and may be asked again when that took too long."""
    while True:
        connection.settimeout(deadline.seconds())
        try:
            return step()
        except TimeoutError as error:
            if is_from_signal(error):
                raise


def _send(connection: socket.socket, data: bytes, deadline: Deadline) -> None:
    view = memoryview(data)
    for start in range(0, len(data), _SLICE):
        connection.settimeout(deadline.seconds())
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
