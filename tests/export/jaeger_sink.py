"""A collector for tests: takes what is posted, gives it decoded by the classes that Jaeger generated from its own IDL.

They lie in the frozen package `opentelemetry-exporter-jaeger-thrift`, whose own `__init__` no longer imports.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.transport.TTransport import TMemoryBuffer

_PACKAGE = "opentelemetry.exporter.jaeger.thrift"


def _generated() -> ModuleType:
    """Jaeger's generated classes, imported past the package's own `__init__`."""
    folder = importlib.metadata.distribution("opentelemetry-exporter-jaeger-thrift").locate_file("")
    stub = ModuleType(_PACKAGE)
    stub.__path__ = [f"{folder}/opentelemetry/exporter/jaeger/thrift"]
    sys.modules.setdefault(_PACKAGE, stub)
    # Its first lines put a folder on sys.path, for imports that we do not need.
    before = sys.path[:]
    try:
        return importlib.import_module(f"{_PACKAGE}.gen.jaeger.ttypes")
    finally:
        sys.path[:] = before


jaeger: Any = _generated()


def decode(body: bytes) -> Any:
    """The `Batch` in `body`, all of it."""
    buffer = TMemoryBuffer(body)
    batch = jaeger.Batch()
    batch.read(TBinaryProtocol(buffer))
    assert buffer._buffer.read() == b""
    batch.validate()
    return batch


def tags(owner: Any) -> dict[str, Any]:
    """The tags of a process, span, or the fields of a log, by key."""
    fields = ("vStr", "vDouble", "vBool", "vLong", "vBinary")
    listed = owner.fields if hasattr(owner, "fields") else owner.tags
    found = {}
    for tag in listed:
        tag.validate()
        values = {name: getattr(tag, name) for name in fields if getattr(tag, name) is not None}
        assert list(values) == [fields[tag.vType]], values
        found[tag.key] = values[fields[tag.vType]]
    assert len(found) == len(listed)
    return found


class JaegerSink:
    """What came, and how it is answered."""

    def __init__(self, status: int = 202, delay: float = 0) -> None:
        self.status = status
        self.delay = delay
        self.closes = False
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self.connections: set[tuple[str, int]] = set()
        self.port = 0
        self.server: ThreadingHTTPServer

    @property
    def endpoint(self) -> str:
        """The URL to configure."""
        return f"http://127.0.0.1:{self.port}/api/traces"

    @property
    def batches(self) -> list[Any]:
        """Each batch that came, decoded."""
        return [decode(body) for body in self.bodies]

    @property
    def spans(self) -> list[Any]:
        """Every span that came."""
        return [span for batch in self.batches for span in batch.spans]


@contextmanager
def sink(status: int = 202, delay: float = 0, port: int = 0) -> Iterator[JaegerSink]:
    """A collector on a free port."""
    collected = JaegerSink(status, delay)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            collected.connections.add(self.client_address)
            collected.requests.append((self.requestline, dict(self.headers)))
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(collected.delay)
            collected.bodies.append(body)
            self.send_response(collected.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            self.close_connection = collected.closes

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *words: None  # type: ignore[method-assign] # a client that goes away is no news
    collected.server = server
    collected.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield collected
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
