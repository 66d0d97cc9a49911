"""WSGI (PEP 3333): takes an application's entry, gives a server span that ends when the answer's body does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from autotrace import guard
from autotrace.conventions.around import Around, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import attempt
from autotrace.conventions.serving import MARK, Server, Serving
from autotrace.propagate.carrier import environ_reader
from autotrace.span.context import get_current, set_current


def build(place: Place) -> Wrapper:
    """What takes the place of a WSGI application; its arguments are positional by the specification."""
    server = Server(place)

    def begin(environ: Any, start_response: Any) -> WsgiRequest | None:
        if not isinstance(environ, dict) or MARK in environ or not callable(start_response):
            return None
        request = WsgiRequest(server, environ, start_response)
        environ[MARK] = True
        request.enter()
        return request

    return surround(place, Around(begin, ("-2", "-1"), _returned, _raised, replaces="-1"))


class WsgiRequest(Serving):
    """One request: its span ends with the body, which the server reads after the call has returned."""

    __slots__ = ("environ", "replaced", "start_response")

    def __init__(self, server: Server, environ: dict[str, Any], start_response: Any) -> None:
        get = environ.get
        path = str(get("SCRIPT_NAME", "")) + str(get("PATH_INFO", ""))
        if not path.isascii():
            # PEP 3333 hands over the bytes of the path as latin-1.
            path = path.encode("latin-1", "replace").decode("utf-8", "replace")
        super().__init__(
            server,
            environ_reader(environ),
            scheme=str(get("wsgi.url_scheme", "http")),
            method=str(get("REQUEST_METHOD", "")),
            path=path or "/",
            query=str(get("QUERY_STRING", "")),
            itself=(get("SERVER_NAME"), _port(str(get("SERVER_PORT", "")))),
            version=_version(str(get("SERVER_PROTOCOL", ""))),
        )
        self.environ = environ
        self.start_response = start_response
        self.replaced: Any = self.started

    def started(self, status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        """The application's `start_response`, which it may call again after an error."""
        try:
            code = status[:3]
            if code.isdigit():
                self.status(int(code))
            identifier = self.reply_header()
            if identifier is not None:
                headers = [*headers, ("X-Trace-ID", identifier)]
        except BaseException as failure:
            guard.swallow(failure)
        return self.start_response(status, headers, *more)

    def is_file(self, result: Any) -> bool:
        """Whether the server sends it by its own means (sendfile), as it does with exactly this class."""
        wrapper = self.environ.get("wsgi.file_wrapper")
        return isinstance(wrapper, type) and isinstance(result, wrapper)

    def end_with(self, file: Any) -> None:
        """End with the closing of a file."""
        close = getattr(file, "close", None)

        def closed() -> Any:
            self.end()
            return close() if close is not None else None

        attempt(setattr, file, "close", closed)
        if getattr(file, "close", None) is not closed:
            self.end()


def _returned(request: WsgiRequest, result: Any) -> Any:
    """The body: lists and a server's own file wrapper as they are, anything else in a `Body`."""
    try:
        request.leave()
        # It holds the request: a body that nobody closes would otherwise end it only when the collector comes by.
        request.replaced = None
        if type(result) in (list, tuple) or result is None:
            request.end()
            return result
        if request.is_file(result):
            request.end_with(result)
            return result
        return SizedBody(result, request) if hasattr(type(result), "__len__") else Body(result, request)
    except BaseException as failure:
        guard.swallow(failure)
        return result


def _raised(request: WsgiRequest, error: BaseException) -> None:
    try:
        request.leave()
        request.end(error)
    except BaseException as failure:
        guard.swallow(failure)


@lru_cache(maxsize=64)
def _port(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


@lru_cache(maxsize=64)
def _version(protocol: str) -> str:
    name, slash, version = protocol.partition("/")
    return version if slash and name == "HTTP" else ""


class Body:
    """An answer's body: its context is current only while the application makes the next part."""

    def __init__(self, iterable: Iterable[bytes], request: WsgiRequest) -> None:
        self._iterable = iterable
        self._iterator: Iterator[bytes] | None = None
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        request = self._request
        outside = get_current()
        set_current(request.inside)
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
            request.inside = get_current()
            set_current(outside)

    def close(self) -> None:
        """Close what the application gave, if it can be closed; the request ends with it."""
        request = self._request
        outside = get_current()
        set_current(request.inside)
        try:
            close = getattr(self._iterable, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            request.end(error)
            raise
        finally:
            set_current(outside)
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
