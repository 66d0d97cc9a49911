"""requests and httpx: their requests become client spans and carry the trace, against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
from recording import Recording, attributes

from autotrace.span.context import set_current
from autotrace.span.remote import RemoteParent
from autotrace.span.site import Site
from autotrace.span.span import Span


def get_requests(url: str, **options: Any) -> dict[str, str]:
    return dict(requests.get(url, timeout=5, **options).json())


def get_httpx(url: str, **options: Any) -> dict[str, str]:
    return dict(httpx.get(url, follow_redirects=True, trust_env=False, **options).json())


def get_httpx_async(url: str, **options: Any) -> dict[str, str]:
    async def get() -> dict[str, str]:
        async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as client:
            return dict((await client.get(url, **options)).json())

    return asyncio.run(get())


CLIENTS = pytest.mark.parametrize("get", [get_requests, get_httpx, get_httpx_async])
Get = Callable[..., dict[str, str]]
Record = Callable[..., Recording]


@CLIENTS
def test_a_request_is_a_client_span_below_the_current_one(get: Get, record: Record, echo: str) -> None:
    recording = record("requests", "httpx")
    with recording.span("work"):
        get(f"{echo}/echo?page=2")
    assert recording.tree(2) == ["internal work", "  client GET"]
    port = int(echo.rpartition(":")[2])
    assert attributes(recording.spans()[1]) == {
        "http.request.method": "GET",
        "url.full": f"{echo}/echo?page=2",
        "server.address": "127.0.0.1",
        "server.port": port,
        "http.response.status_code": 200,
    }


@CLIENTS
def test_a_request_carries_the_trace_in_both_formats(get: Get, record: Record, echo: str) -> None:
    recording = record("requests", "httpx")
    with recording.span("work") as outer:
        sent = get(f"{echo}/echo")
    client = recording.spans(2)[1]
    trace_id, span_id = f"{outer.root.trace_id:032x}", f"{client.span_id:016x}"
    assert sent["traceparent"] == f"00-{trace_id}-{span_id}-01"
    assert sent["x-trace-id"] == trace_id
    assert sent["x-span-id"] == span_id
    assert sent["x-parent-id"] == f"{outer.span_id:016x}"
    assert sent["x-trace-sampled"] == "1"


@CLIENTS
def test_a_trace_that_is_not_sampled_says_so(get: Get, record: Record, echo: str) -> None:
    record("requests", "httpx", sampled=False)
    sent = get(f"{echo}/echo")
    assert sent["traceparent"].endswith("-00")
    assert sent["x-trace-sampled"] == "0"


class Mute(requests.adapters.BaseAdapter):
    """Answers every request, whatever its host, and keeps the headers that it had while it was sent."""

    def send(self, request: Any, *arguments: Any, **options: Any) -> requests.Response:
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        answer = requests.Response()
        answer.status_code, answer.request = 200, request
        return answer

    def close(self) -> None:
        return None


def sent_by_requests(url: str) -> dict[str, str]:
    mute = Mute()
    with requests.Session() as session:
        session.mount("http://", mute)
        session.get(url)
    return mute.headers


def sent_by_httpx(url: str) -> dict[str, str]:
    headers: dict[str, str] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        headers.update(request.headers)
        return httpx.Response(200)

    with httpx.Client(transport=httpx.MockTransport(answer), trust_env=False) as client:
        client.get(url)
    return headers


@pytest.mark.parametrize("sent", [sent_by_requests, sent_by_httpx])
@pytest.mark.parametrize(
    ("host", "sends"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("pay.shop.internal", True),
        ("PAY.Shop.internal", True),
        ("example.com", False),
        ("127.0.0.1.example.com", False),
        ("shop.internal.example.com", False),
    ],
)
def test_baggage_goes_to_own_hosts_and_not_to_third_parties(
    sent: Callable[[str], dict[str, str]], host: str, sends: bool, record: Record
) -> None:
    recording = record("requests", "httpx", baggage_hosts=("*.shop.internal",))
    parent = RemoteParent(0xA1, 0xB2, True, baggage="user=7")
    span = recording.tracer.start_remote(Site(recording.tracer, "work", "server"), Span, parent)
    set_current(span)
    with span:
        headers = sent(f"http://{host}/")
    assert headers["traceparent"].startswith("00-")
    assert headers.get("baggage") == ("user=7" if sends else None)


@CLIENTS
def test_a_redirect_stays_in_one_span_and_sends_one_traceparent(get: Get, record: Record, echo: str) -> None:
    recording = record("requests", "httpx")
    sent = get(f"{echo}/redirect")
    assert f"{recording.only().span_id:016x}" in sent["traceparent"]
    assert attributes(recording.only())["http.response.status_code"] == 200


@CLIENTS
def test_the_traceparent_of_the_caller_wins(get: Get, record: Record, echo: str) -> None:
    record("requests", "httpx")
    own = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    sent = get(f"{echo}/echo", headers={"traceparent": own})
    assert sent["traceparent"] == own
    assert "x-trace-id" not in sent


@CLIENTS
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/echo", {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/eu/s3/aws4_request, Signature=y"}),
        ("/echo?X-Amz-Signature=0a1b", {}),
        ("/echo?Signature=abc&Expires=1", {}),
    ],
)
def test_a_signed_request_is_never_touched(
    get: Get, path: str, headers: dict[str, str], record: Record, echo: str
) -> None:
    recording = record("requests", "httpx")
    sent = get(echo + path, headers=headers)
    assert not {"traceparent", "x-trace-id"} & set(sent)
    assert recording.only().name == "GET"


@CLIENTS
def test_the_headers_of_the_caller_stay_as_they_are(get: Get, record: Record, echo: str) -> None:
    record("requests", "httpx")
    headers = {"Accept": "application/json"}
    seen = {get(f"{echo}/echo", headers=headers)["traceparent"] for _ in range(5)}
    assert len(seen) == 5
    assert headers == {"Accept": "application/json"}


@CLIENTS
@pytest.mark.parametrize(("path", "status", "kept"), [("/missing", 404, False), ("/fail", 503, True)])
def test_a_4xx_is_an_error_of_the_span_and_only_a_5xx_one_of_the_trace(
    get: Get, path: str, status: int, kept: bool, record: Record, echo: str
) -> None:
    recording = record("requests", "httpx")
    get(echo + path)
    span = recording.only()
    assert span.details().status == "error"
    assert attributes(span)["error.type"] == str(status)
    assert span.root.error is kept


@CLIENTS
def test_a_refused_connection_is_an_error_with_its_message(get: Get, record: Record) -> None:
    recording = record("requests", "httpx")
    with pytest.raises((requests.ConnectionError, httpx.ConnectError)):
        get("http://127.0.0.1:1/")
    span = recording.only()
    assert span.details().status == "error"
    assert "ConnectionError" in attributes(span)["error.type"] or "ConnectError" in attributes(span)["error.type"]
    assert span.root.error


@CLIENTS
def test_secrets_in_a_url_are_redacted(get: Get, record: Record, echo: str) -> None:
    recording = record("requests", "httpx")
    get(f"{echo.replace('//', '//joe:hunter2@')}/echo?token=abc&page=2&api_key=k&author=ann")
    url = attributes(recording.only())["url.full"]
    assert url.endswith("/echo?token=REDACTED&page=2&api_key=REDACTED&author=ann")
    assert "hunter2" not in url


@CLIENTS
def test_without_propagation_there_is_a_span_and_no_header(get: Get, record: Record, echo: str) -> None:
    recording = record("requests", "httpx", http=False)
    sent = get(f"{echo}/redirect")
    assert not {"traceparent", "x-trace-id"} & set(sent)
    assert recording.only().name == "GET"


def test_a_prepared_request_is_as_it_was_after_each_send(record: Record, echo: str) -> None:
    recording = record("requests")
    with requests.Session() as session:
        prepared = session.prepare_request(requests.Request("GET", f"{echo}/echo"))
        before = prepared.headers
        traceparents = {dict(session.send(prepared).json())["traceparent"] for _ in range(3)}
    assert prepared.headers is before
    assert "traceparent" not in before
    assert len(traceparents) == 3
    assert len(recording.spans(3)) == 3


def test_a_request_made_by_a_hook_of_another_has_its_own_span(record: Record, echo: str) -> None:
    recording = record("requests")
    inner: list[dict[str, str]] = []

    def fetch(response: requests.Response, **options: Any) -> None:
        inner.append(get_requests(f"{echo}/echo"))

    requests.get(f"{echo}/echo", hooks={"response": fetch}, timeout=5)
    assert recording.tree(2) == ["client GET", "  client GET"]
    assert f"{recording.spans()[1].span_id:016x}" in inner[0]["traceparent"]


def test_an_unknown_method_is_named_http(record: Record, echo: str) -> None:
    recording = record("requests")
    requests.request("BREW", f"{echo}/echo", timeout=5)
    assert recording.only().name == "HTTP"
    assert attributes(recording.only())["http.request.method"] == "_OTHER"
    assert attributes(recording.only())["http.request.method_original"] == "BREW"


@pytest.mark.parametrize("body", [None, b"abc", "generator", "file"])
def test_bodies_of_every_kind_arrive(body: Any, record: Record, echo: str) -> None:
    import io

    recording = record("requests", "httpx")
    data = {"generator": iter([b"a", b"b"]), "file": io.BytesIO(b"abc")}.get(body, body) if body else None
    if body != "generator":
        assert requests.post(f"{echo}/echo", data=data, timeout=5).status_code == 200
        assert recording.only().name == "POST"
