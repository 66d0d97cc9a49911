"""How spans come to a collector of Jaeger over HTTP, with a real server, and what a bad one costs."""

from __future__ import annotations

import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from jaeger_sink import sink, tags
from test_jaeger_thrift import finished

from autotrace.errors import ExportError
from autotrace.export.jaeger import JaegerExporter
from autotrace.export.pipeline import Pipeline
from autotrace.export.resource import ProcessResource
from autotrace.span.finished import Resource
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

SECOND = 10**9
Make = Callable[..., JaegerExporter]
SHOP = Resource("shop", {"host.name": "here"})


@pytest.fixture
def exporter_to() -> Iterator[Make]:
    """Makes exporters that are closed in the end."""
    with ExitStack() as made:
        yield lambda *words: made.enter_context(closing(JaegerExporter(*words)))


@contextmanager
def listener(answer: bytes = b"", pause: float = 0.0) -> Iterator[int]:
    """A port that takes everything, and answers one byte a `pause`; without an answer it is a black hole."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            try:
                while True:
                    connection, _ = server.accept()
                    held.append(connection)
                    for byte in answer:
                        time.sleep(pause)
                        connection.sendall(bytes([byte]))
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()
        thread.join(5)


def test_a_batch_arrives_as_thrift(exporter_to: Make) -> None:
    with sink() as collector:
        exporter_to(collector.endpoint, SECOND).deliver(SHOP, [finished(), finished(name="charge")])
    (line, headers), (batch,) = collector.requests[0], collector.batches
    assert line == "POST /api/traces HTTP/1.1"
    assert (headers["Content-Type"], headers["Host"]) == ("application/x-thrift", f"127.0.0.1:{collector.port}")
    assert (batch.process.serviceName, tags(batch.process)) == ("shop", {"host.name": "here"})
    assert [span.operationName for span in batch.spans] == ["create_order", "charge"]


def test_the_connection_is_kept_between_batches(exporter_to: Make) -> None:
    with sink() as collector:
        exporter = exporter_to(collector.endpoint, SECOND)
        for _ in range(3):
            exporter.deliver(SHOP, [finished()])
        exporter.close()
    assert (len(collector.bodies), len(collector.connections)) == (3, 1)


def test_a_connection_that_the_collector_closed_costs_no_batch(exporter_to: Make) -> None:
    with sink() as collector:
        collector.closes = True
        exporter = exporter_to(collector.endpoint, SECOND)
        for _ in range(3):
            exporter.deliver(SHOP, [finished()])
            time.sleep(0.05)
    assert (len(collector.bodies), len(collector.connections)) == (3, 3)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_each_2xx_is_a_success(exporter_to: Make, status: int) -> None:
    with sink(status) as collector:
        exporter_to(collector.endpoint, SECOND).deliver(SHOP, [finished()])


@pytest.mark.parametrize("status", [302, 400, 413, 500, 503])
def test_each_other_answer_is_a_failure_that_names_it(exporter_to: Make, status: int) -> None:
    with sink(status) as collector:
        exporter = exporter_to(collector.endpoint, SECOND)
        with pytest.raises(ExportError, match=f"^127.0.0.1:{collector.port} answered {status} "):
            exporter.deliver(SHOP, [finished()])
        collector.status = 202
        exporter.deliver(SHOP, [finished()])


def test_a_refused_connection_names_the_address(exporter_to: Make) -> None:
    with sink() as collector:
        endpoint = collector.endpoint
    with pytest.raises(ExportError, match=f"^127.0.0.1:{collector.port}: .*refused"):
        exporter_to(endpoint, SECOND).deliver(SHOP, [finished()])


@pytest.mark.parametrize(
    ("answer", "pause"),
    [(b"", 0.0), (b"HTTP/1.1 202 Accepted\r\n\r\n", 0.05), (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, 0.0)],
    ids=["nothing", "a byte at a time", "not yet, not yet"],
)
def test_a_request_ends_at_its_deadline(exporter_to: Make, answer: bytes, pause: float) -> None:
    with listener(answer, pause) as port:
        began = time.monotonic()
        with pytest.raises(ExportError, match="timed out"):
            exporter_to(f"http://127.0.0.1:{port}/api/traces", SECOND // 3).deliver(SHOP, [finished()])
        assert time.monotonic() - began < 0.6


def test_an_answer_that_is_no_http_is_a_failure(exporter_to: Make) -> None:
    with listener(b"SSH-2.0-OpenSSH_9.2\r\n") as port, pytest.raises(ExportError, match=f"^127.0.0.1:{port}: "):
        exporter_to(f"http://127.0.0.1:{port}/api/traces", SECOND).deliver(SHOP, [finished()])


def test_a_batch_too_large_for_one_request_is_sent_in_several(exporter_to: Make) -> None:
    spans = [finished(name=str(number), attributes={"text": "x" * 60_000}) for number in range(40)]
    with sink() as collector:
        exporter_to(collector.endpoint, 5 * SECOND).deliver(SHOP, spans)
    assert [span.operationName for span in collector.spans] == [str(number) for number in range(40)]
    assert len(collector.bodies) == 3
    assert max(map(len, collector.bodies)) < 1.1 * 1024 * 1024


def test_a_broken_span_costs_itself_only(exporter_to: Make) -> None:
    broken = finished(attributes={1: "a key that is no text"}, start_ns=None, name="broken")
    with sink() as collector:
        exporter = exporter_to(collector.endpoint, SECOND)
        exporter.deliver(SHOP, [finished(name="a"), broken, finished(name="b")])
    assert [span.operationName for span in collector.spans] == ["a", "b"]
    assert exporter.refused == 1


def test_credentials_are_sent_and_never_shown(exporter_to: Make) -> None:
    with sink(401) as collector:
        endpoint = collector.endpoint.replace("http://", "http://me:hunter%402@")
        with pytest.raises(ExportError) as caught:
            exporter_to(endpoint, SECOND).deliver(SHOP, [finished()])
    assert collector.requests[0][1]["Authorization"] == "Basic bWU6aHVudGVyQDI="
    assert "hunter" not in repr(caught.value)


def test_https_is_spoken_and_an_unknown_certificate_refused(
    exporter_to: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command = ["openssl", *words.split(), "-keyout", str(key), "-out", str(certificate)]
    made = subprocess.run(command, check=False, capture_output=True)
    if made.returncode:
        pytest.skip("there is no openssl here")
    with sink() as collector:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        collector.server.socket = tls.wrap_socket(collector.server.socket, server_side=True)
        endpoint = f"https://localhost:{collector.port}/api/traces"
        with pytest.raises(ExportError, match="CERTIFICATE_VERIFY_FAILED"):
            exporter_to(endpoint, SECOND).deliver(SHOP, [finished()])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        exporter = exporter_to(endpoint, SECOND)
        for _ in range(2):
            exporter.deliver(SHOP, [finished()])
        exporter.close()
    assert (len(collector.bodies), len(collector.connections)) == (2, 1)


def test_a_failure_is_counted_by_the_pipeline_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with sink(500) as collector:
        pipeline = Pipeline([JaegerExporter(collector.endpoint, SECOND)], ProcessResource("shop", "0"), 2**20)
        tracer = Tracer(lambda root: True, lambda root: True, pipeline.deliver)
        with caplog.at_level(logging.WARNING, "autotrace"):
            for _ in range(3):
                tracer.start(Site(tracer, "work"), Span, None).close()
                pipeline.flush(SECOND)
            pipeline.shutdown(SECOND)
    assert (pipeline.lost, pipeline.failures) == ({"JaegerExporter": 3}, {"JaegerExporter: ExportError": 3})
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.endswith(f"127.0.0.1:{collector.port} answered 500 Internal Server Error")
