"""WSGI (PEP 3333): takes an application's entry, gives a server span that ends when the answer's body does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any

from autotrace import guard
from autotrace.conventions.around import Call, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import attempt
from autotrace.conventions.serving import MARK, Server, Serving, address, location
from autotrace.propagate.carrier import environ_reader


def build(place: Place) -> Wrapper:
    """The wrapper of a WSGI application."""
    server = Server(place)

    def begin(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        # Positional by the specification; a caller that names them is rare enough to stay untraced.
        if len(args) != 2 or kwargs or not isinstance(args[0], dict) or MARK in args[0]:
            return None
        environ, start_response = args
        request = _start(server, environ)
        environ[MARK] = True
        return WsgiCall(server, request, environ, start_response)

    return surround(place.original, begin)


def _start(server: Server, environ: dict[str, Any]) -> Serving:
    read = environ_reader(environ)
    scheme = str(environ.get("wsgi.url_scheme", "http"))
    path = _decoded(str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", "")))
    attributes = location(scheme, path or "/", str(environ.get("QUERY_STRING", "")))
    port = str(environ.get("SERVER_PORT", ""))
    itself = (environ.get("SERVER_NAME"), int(port) if port.isdigit() else None)
    attributes.update(address(read("host"), itself, scheme))
    protocol, slash, version = str(environ.get("SERVER_PROTOCOL", "")).partition("/")
    if slash and protocol == "HTTP":
        attributes["network.protocol.version"] = version
    return server.start(read, str(environ.get("REQUEST_METHOD", "")), attributes)


def _decoded(text: str) -> str:
    # PEP 3333 hands over the bytes of the path as latin-1.
    return text if text.isascii() else text.encode("latin-1", "replace").decode("utf-8", "replace")


class WsgiCall(Call):
    """One request: its span ends with the body, which the server reads after the call has returned."""

    __slots__ = ("environ", "request", "server", "start_response")

    def __init__(
        self, server: Server, request: Serving, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> None:
        super().__init__((environ, self.started), {})
        self.server = server
        self.request = request
        self.environ = environ
        self.start_response = start_response

    def __enter__(self) -> None:
        self.request.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.request.leave()
        if error is not None:
            self.request.end(error)

    def started(self, status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        """The application's `start_response`, which it may call again after an error."""
        try:
            code = status[:3]
            if code.isdigit():
                self.request.status(int(code))
            identifier = self.server.reply_header(self.request)
            if identifier is not None:
                headers = [*headers, ("X-Trace-ID", identifier)]
        except BaseException as failure:
            guard.swallow(failure)
        return self.start_response(status, headers, *more)

    def returned(self, result: Any) -> Any:
        """The body: lists and a server's own file wrapper as they are, anything else in a `Body`."""
        try:
            if type(result) in (list, tuple) or result is None:
                self.request.end()
                return result
            if self._is_file(result):
                self._end_with(result)
                return result
            return SizedBody(result, self.request) if hasattr(type(result), "__len__") else Body(result, self.request)
        except BaseException as failure:
            guard.swallow(failure)
            return result

    def _is_file(self, result: Any) -> bool:
        # The server sends it by its own means (sendfile), if it is of exactly this class.
        wrapper = self.environ.get("wsgi.file_wrapper")
        return isinstance(wrapper, type) and isinstance(result, wrapper)

    def _end_with(self, file: Any) -> None:
        close = getattr(file, "close", None)
        request = self.request

        def closed() -> Any:
            request.end()
            return close() if close is not None else None

        attempt(setattr, file, "close", closed)
        if getattr(file, "close", None) is not closed:
            request.end()


class Body:
    """An answer's body: its context is current only while the application makes the next part."""

    def __init__(self, iterable: Iterable[bytes], request: Serving) -> None:
        self._iterable = iterable
        self._iterator: Iterator[bytes] | None = None
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        request = self._request
        request.enter()
        try:
            if self._iterator is None:
                self._iterator = iter(self._iterable)
            return next(self._iterator)
        except StopIteration:
            if not hasattr(self._iterable, "close"):
                request.end()
            raise
        except BaseException as error:
            request.end(error)
            raise
        finally:
            request.leave()

    def close(self) -> None:
        """Close what the application gave, if it can be closed; the request ends with it."""
        request = self._request
        request.enter()
        try:
            close = getattr(self._iterable, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            request.end(error)
            raise
        finally:
            request.leave()
            request.end()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterable, name)

    def __del__(self) -> None:
        # A server that forgets `close()`, or a test that reads the body only.
        self._request.end()


class SizedBody(Body):
    """A body that says how many parts it has, from which a server may derive Content-Length."""

    def __len__(self) -> int:
        return len(self._iterable)  # type: ignore[arg-type]  # made only for what has a length
