"""When a sampling server is asked, how long is waited for it, and what becomes of an answer that is none."""

from __future__ import annotations

import json
import logging
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from autotrace.export.pipeline import Pipeline
from autotrace.export.resource import ProcessResource
from autotrace.export.strategy_poll import StrategyPoll
from autotrace.plan.plan import SamplerSettings
from autotrace.sample.remote import Remote
from autotrace.span.clock import Clock

GOOD = b'{"probabilisticSampling": {"samplingRate": 0.25}}'
MINUTE = 60 * 10**9


class Thread(Pipeline):
    """A pipeline whose export thread is the test's own: nobody waits for it, unless the test says so."""

    has_time = True
    first = False

    def __init__(self) -> None:
        super().__init__((), ProcessResource("shop", "0"), 2**20)

    def awake(self, at_once: bool = False) -> None:
        self.first = at_once


@contextmanager
def server(body: bytes = GOOD, status: int = 200, **headers: str) -> Iterator[tuple[str, list[str]]]:
    """A server that gives one answer: its URL, and the requests that came."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.handle_error = lambda *words: None  # type: ignore[method-assign] # a client that goes away is no news
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/sampling", requests
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def polling(url: str, poll_ns: int = MINUTE, service: str = "shop") -> tuple[StrategyPoll, Remote, Thread]:
    thread = Thread()
    remote = Remote(SamplerSettings(type="jaeger_remote", server=url, poll_ns=poll_ns, rate=0.001))
    return StrategyPoll(remote, service, thread), remote, thread


@pytest.mark.parametrize(
    ("path", "service", "asked"),
    [
        ("/sampling", "shop", "/sampling?service=shop"),
        ("", "shop", "/?service=shop"),
        ("/sampling?tenant=7", "a b&c=d/é", "/sampling?tenant=7&service=a%20b%26c%3Dd%2F%C3%A9"),
        ("/sampling", "file-\udcff", "/sampling?service=file-%FF"),
    ],
)
def test_the_service_stands_in_the_query(path: str, service: str, asked: str) -> None:
    with server() as (url, requests):
        poll, remote, _ = polling(url.replace("/sampling", path), service=service)
        poll.act()
    assert requests == [asked]
    assert remote.is_answered


def test_it_asks_once_in_each_interval() -> None:
    with server() as (url, requests):
        poll, _, _ = polling(url, poll_ns=200_000_000)
        end = time.monotonic() + 1.1
        while time.monotonic() < end:
            poll.act()
            time.sleep(0.01)
    assert 4 <= len(requests) <= 6


def test_many_processes_do_not_ask_at_the_same_time() -> None:
    with server() as (url, _):
        polls = [polling(url)[0] for _ in range(20)]
        for poll in polls:
            poll.act()
    left = sorted(poll._due - Clock.now() for poll in polls)
    assert MINUTE * 0.95 < left[0] < left[-1] < MINUTE * 1.1
    assert left[-1] - left[0] > MINUTE * 0.02


def test_after_the_first_failure_it_asks_again_soon_and_then_as_ever() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        url = f"http://127.0.0.1:{probe.getsockname()[1]}/sampling"
    poll, _, _ = polling(url)
    poll.act()
    assert 4e9 < poll._due - Clock.now() <= 5e9
    poll._due = 0
    poll.act()
    assert MINUTE * 0.95 < poll._due - Clock.now() < MINUTE * 1.1


def test_only_the_first_question_is_in_a_hurry() -> None:
    with server() as (url, _):
        poll, _, thread = polling(url)
        poll.awake()
        assert thread.first
        poll.act()
        poll.awake()
        assert not thread.first


def test_it_does_not_ask_where_somebody_waits_for_the_export() -> None:
    with server() as (url, requests):
        poll, _, thread = polling(url)
        thread.has_time = False
        poll.act()
    assert not requests


CASES: list[tuple[dict[str, Any], str]] = [
    ({"body": b"<html>oops"}, "{address}: the answer is not JSON"),
    ({"body": b""}, "{address}: the answer is not JSON"),
    ({"body": GOOD[:-1], "Content_Length": str(len(GOOD))}, "{address}: the answer is not JSON"),
    (
        {"body": json.dumps({"probabilisticSampling": {"samplingRate": 7}}).encode()},
        "{address}: samplingRate is 7, not",
    ),
    ({"body": b" " * 70_000 + GOOD}, "{address}: the answer has more than 65536 bytes"),
    ({"body": b"oops", "Content_Length": "oops"}, "{address}: the answer is not JSON"),
    ({"body": GOOD, "Transfer_Encoding": "chunked"}, "{address}: "),
    ({"body": GOOD, "status": 404}, "{address} answered 404 Not Found"),
    ({"body": GOOD, "status": 302, "Location": "/elsewhere"}, "{address} answered 302 Found"),
    ({"body": GOOD, "X_Long": "x" * 70_000}, "{address}: "),
]


@pytest.mark.parametrize(("answer", "reason"), CASES)
@pytest.mark.parametrize("known", [False, True])
def test_an_answer_that_is_none_is_refused_and_the_last_one_holds(
    answer: dict[str, Any], reason: str, known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with server(**answer) as (url, requests), caplog.at_level(logging.WARNING, "autotrace"):
        poll, remote, _ = polling(url, poll_ns=1)
        if known:
            remote.receive(GOOD)
        before = remote._strategies
        for _ in range(3):
            poll.act()
    assert requests == ["/sampling?service=shop"] * 3
    assert remote._strategies is before
    (message,) = caplog.messages
    assert message.startswith("autotrace: no sampling strategies from " + reason.format(address=url.split("/")[2]))
    assert message.endswith("; its last answer holds" if known else "; [sampler] rate holds")


@contextmanager
def hanging(accepts: bool) -> Iterator[str]:
    """A server that never answers, or that is never reached: what it lets wait is full."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=16 if accepts else 0)) as listening:
        others = []
        for _ in range(0 if accepts else 4):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(listening.getsockname())
            others.append(other)
        time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/sampling"
        for other in others:
            other.close()


@pytest.mark.parametrize("accepts", [True, False], ids=["silent", "unreachable"])
def test_a_server_that_hangs_is_given_up_after_a_second(accepts: bool, caplog: pytest.LogCaptureFixture) -> None:
    with hanging(accepts) as url:
        poll, _, _ = polling(url)
        before = time.monotonic()
        poll.act()
    assert 0.9 < time.monotonic() - before < 1.5
    assert "timed out" in caplog.text


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("accepts", [True, False], ids=["silent", "unreachable"])
def test_it_is_given_up_as_soon_as_somebody_waits(accepts: bool, scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    with hanging(accepts) as url:
        poll, _, thread = polling(url.replace("http", scheme))
        timer = threading.Timer(0.2, lambda: setattr(thread, "has_time", False))
        timer.start()
        before = time.monotonic()
        poll.act()
        took = time.monotonic() - before
        timer.join()
    assert 0.15 < took < 0.5
    assert not caplog.text  # nobody failed
    assert poll._due - Clock.now() <= 5e9


def test_a_trickle_is_given_up_after_a_second() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def trickle() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    for byte in b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1000:
                        connection.send(bytes((byte,)))
                        time.sleep(0.05)
                except OSError:
                    pass  # it was given up

        thread = threading.Thread(target=trickle)
        thread.start()
        poll, _, _ = polling(f"http://127.0.0.1:{listening.getsockname()[1]}/sampling")
        before = time.monotonic()
        poll.act()
        assert time.monotonic() - before < 1.5
        thread.join()


def test_https_is_spoken_and_an_unknown_certificate_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command = ["openssl", *words.split(), "-keyout", str(key), "-out", str(certificate)]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("there is no openssl here")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def answer() -> None:
            for _ in range(2):
                connection, _ = listening.accept()
                try:
                    with tls.wrap_socket(connection, server_side=True) as secured:
                        secured.recv(4096)
                        secured.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + GOOD)
                except OSError:
                    connection.close()  # the first one does not trust it

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"https://localhost:{listening.getsockname()[1]}/sampling"
        poll, remote, _ = polling(url)
        poll.act()
        assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        poll, remote, _ = polling(url)
        poll.act()
        thread.join()
    assert remote.is_answered
