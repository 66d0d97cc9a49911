"""WSGI (PEP 3333): takes an application's entry, gives a server span that ends when the answer's body does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from typing import Any

from autotrace import guard
from autotrace.conventions import serving
from autotrace.conventions.around import Around, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import attempt
from autotrace.conventions.serving import MARK, Known, Server, Serving
from autotrace.propagate.carrier import environ_reader, text_of
from autotrace.propagate.formats import NOTHING, extract
from autotrace.span.context import get_current, set_current

_END = object()


def build(place: Place) -> Wrapper:
    """What takes the place of a WSGI application; its arguments are positional by the specification."""
    server = Server(place)
    formats = server.settings.formats if server.settings.http else ()
    # By the texts of an environment: they repeat.
    known_of = lru_cache(maxsize=256)(partial(_known, server))

    def begin(environ: Any, start_response: Any) -> WsgiRequest | None:
        if not isinstance(environ, dict) or MARK in environ or not callable(start_response):
            return None
        traced = "HTTP_TRACEPARENT" in environ or "HTTP_X_TRACE_ID" in environ
        try:
            known = known_of(
                environ["REQUEST_METHOD"],
                environ["wsgi.url_scheme"],
                environ["HTTP_HOST"] if "HTTP_HOST" in environ else None,  # noqa: SIM401 - half the time of `get`
                environ["SERVER_NAME"],
                environ["SERVER_PORT"],
                environ["SERVER_PROTOCOL"],
            )
            path, query = environ["SCRIPT_NAME"] + environ["PATH_INFO"], environ["QUERY_STRING"]
        except (KeyError, TypeError):
            known, path, query = _incomplete(server, environ)
        if type(path) is not str or not path.isascii():
            path = _decoded(path)
        agent = environ["HTTP_USER_AGENT"] if "HTTP_USER_AGENT" in environ else None  # noqa: SIM401 - likewise
        request = WsgiRequest()
        request.start_response = start_response
        request.file_wrapper = environ.get("wsgi.file_wrapper")
        request.arrive(
            server,
            extract(environ_reader(environ), formats) if traced else NOTHING,
            known,
            path or "/",
            query,
            agent if type(agent) is str else text_of(agent),
        )
        environ[MARK] = True
        set_current(request.inside)
        return request

    return surround(place, Around(begin, ("-2", "-1"), _returned, _raised, replaces="-1"))


class WsgiRequest(Serving):
    """One request: its span ends with the body, which the server reads after the call has returned."""

    __slots__ = ("file_wrapper", "start_response")

    start_response: Any
    file_wrapper: Any

    def replaced(self, status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        """The application's `start_response`, which it may call again after an error."""
        try:
            code = _code(status)
            if code:
                self.status(code)
            if self.server.settings.response:
                headers = [*headers, ("X-Trace-ID", self.reply_header())]
        except BaseException as failure:
            guard.swallow(failure)
        return self.start_response(status, headers, *more)

    def is_file(self, result: Any) -> bool:
        """Whether the server sends it by its own means (sendfile), as it does with exactly this class."""
        wrapper = self.file_wrapper
        return wrapper is not None and isinstance(wrapper, type) and isinstance(result, wrapper)

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
        kind: type = type(result)
        if kind is list or kind is tuple or result is None:
            request.end()
            return result
        if request.file_wrapper is not None and request.is_file(result):
            request.end_with(result)
            return result
        body = _body_of(kind)()
        body.autotrace_iterable = result
        body.autotrace_request = request
        return body
    except BaseException as failure:
        request.end()
        guard.swallow(failure)
        return result


def _raised(request: WsgiRequest, error: BaseException) -> None:
    try:
        request.leave()
        request.end(error)
    except BaseException as failure:
        request.end(error)
        guard.swallow(failure)


def _known(
    server: Server, method: object, scheme: object, host: object, name: object, port: object, protocol: object
) -> Known:
    number = int(port) if isinstance(port, str) and port.isdecimal() else None
    http, slash, version = str(protocol).partition("/")
    version = version if slash and http == "HTTP" else ""
    return serving.known(server, str(method), str(scheme), host, (name, number), version)


def _incomplete(server: Server, environ: dict[str, Any]) -> tuple[Known, str, str]:
    """What is known, the path and the query where not all is there that there must be, or is no text."""
    get = environ.get
    names = ("REQUEST_METHOD", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL")
    method, scheme, host, name, port, protocol = (text_of(get(name)) or "" for name in names)
    known = _known(server, method, scheme or "http", host, name, port, protocol)
    return known, str(get("SCRIPT_NAME", "")) + str(get("PATH_INFO", "")), str(get("QUERY_STRING", ""))


def _decoded(path: object) -> str:
    """PEP 3333 hands over the bytes of the path as latin-1."""
    return str(path).encode("latin-1", "replace").decode("utf-8", "replace")


@lru_cache(maxsize=64)
def _code(status: str) -> int:
    """The number with which a status line begins; 0 for none."""
    code = status[:3]
    return int(code) if code.isdigit() else 0


class Body:
    """An answer's body: its context is current only while the application makes the next part."""

    autotrace_iterable: Iterable[bytes]
    autotrace_request: WsgiRequest
    autotrace_iterator: Iterator[bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        # A generator, whose steps are quicker than those of `__next__`. It holds the body: freed, that ends the request.
        request = self.autotrace_request
        part: Any = None
        while True:
            outside = get_current()
            set_current(request.inside)
            try:
                iterator = self.autotrace_iterator
                if iterator is None:
                    self.autotrace_iterator = iterator = iter(self.autotrace_iterable)
                part = next(iterator, _END)
            except BaseException as error:
                request.end(error)
                raise
            finally:
                request.inside = get_current()
                set_current(outside)
            if part is _END:
                break
            yield part
        if not hasattr(self.autotrace_iterable, "close"):
            request.end()

    def __next__(self) -> bytes:
        for part in self:
            return part
        raise StopIteration

    def close(self) -> None:
        """Close what the application gave, if it can be closed; the request ends with it."""
        request = self.autotrace_request
        outside = get_current()
        set_current(request.inside)
        try:
            close = getattr(self.autotrace_iterable, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            request.end(error)
            raise
        finally:
            set_current(outside)
            request.end()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.autotrace_iterable, name)

    def __del__(self) -> None:
        # A server that forgets `close()`, or a test that reads the body only.
        if not self.autotrace_request.span.end:
            self.autotrace_request.end()


class SizedBody(Body):
    """A body that says how many parts it has, from which a server may derive Content-Length."""

    def __len__(self) -> int:
        return len(self.autotrace_iterable)  # type: ignore[arg-type]  # made only for what has a length


@lru_cache(maxsize=64)
def _body_of(kind: type) -> type[Body]:
    return SizedBody if hasattr(kind, "__len__") else Body
