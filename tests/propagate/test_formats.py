"""What comes in and goes out over the wire, for every value that a header can have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotrace.propagate.carrier import environ_reader, reader, text_of, with_headers
from autotrace.propagate.formats import HEADERS, Inbound, extract, inject
from autotrace.propagate.signature import NAMES, is_signed
from autotrace.span.remote import RemoteParent
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

FORMATS = ("tracecontext", "baggage", "x-trace")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
UUID = "0af76519-16cd-43dd-8448-eb211c80319c"
VALID = f"00-{TRACE}-{SPAN}-01"


def read(headers: Any, formats: tuple[str, ...] = FORMATS) -> Inbound:
    return extract(reader(headers, HEADERS), formats)


def started(remote: RemoteParent | None = None, *, sampled: bool = True) -> Span:
    tracer = Tracer(lambda root: sampled, lambda root: False, lambda root, spans: None)
    return tracer.start_remote(Site(tracer, "here"), Span, remote)


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": VALID},
        {"Traceparent": VALID.encode()},
        {"TRACEPARENT": [VALID]},
        [(b"traceparent", VALID.encode())],
        [("traceparent", VALID), ("host", "a")],
        {"traceparent": f" {VALID} "},
        {"traceparent": f"cc-{TRACE}-{SPAN}-01-what-the-future-brings"},
        {"traceparent": VALID, "X-Trace-ID": "1" * 32, "X-Span-ID": "2" * 16},
        {"X-Trace-ID": TRACE, "X-Span-ID": SPAN, "X-Trace-Sampled": "1"},
        {"X-Trace-ID": UUID.upper(), "X-Span-ID": SPAN.upper(), "X-Trace-Sampled": 1},
    ],
)
def test_a_parent_is_read_from_headers_of_every_make(headers: Any) -> None:
    assert read(headers) == Inbound(RemoteParent(int(TRACE, 16), int(SPAN, 16), True))


@pytest.mark.parametrize(
    "value",
    [
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        VALID.upper(),
        VALID + "-00",
        VALID[:-1],
        VALID + "0",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-0x",
        f"{VALID},{VALID}",
        [VALID, VALID],
        VALID + "\r\nX-Evil: 1",
        "x" * 100_000,
        "",
        None,
        7,
        [10**5000],
        object(),
        {"a": 1},
        True,
    ],
)
def test_a_bad_traceparent_counts_as_none(value: Any) -> None:
    assert read({"traceparent": value}) == Inbound()


def test_two_headers_of_one_name_count_as_none() -> None:
    assert read([("traceparent", VALID), ("TraceParent", VALID)]) == Inbound()


def test_a_trace_id_alone_goes_on_without_a_parent() -> None:
    assert read({"X-Trace-ID": TRACE}) == Inbound(RemoteParent(int(TRACE, 16), 0, None))


@pytest.mark.parametrize("identifier", ["xyz-123", "order 17", "a" * 128, TRACE[:-1]])
def test_a_foreign_trace_id_is_kept_as_a_tag(identifier: str) -> None:
    assert read({"X-Trace-ID": identifier}) == Inbound(None, identifier)


@pytest.mark.parametrize("identifier", ["a" * 129, "é", "a\nb", "0" * 32, "  "])
def test_what_is_no_printable_id_is_dropped(identifier: str) -> None:
    assert read({"X-Trace-ID": identifier}) == Inbound()


def test_a_tracestate_that_is_too_long_loses_its_longest_entries_and_then_its_last() -> None:
    own, long = "ot=th:c;rv:20000000000000", "long=" + "x" * 200
    short = [f"v{number}={'y' * 90}" for number in range(6)]
    found = read({"traceparent": VALID, "tracestate": ",".join([own, long, *short, "bad=\u00e9"])}).parent
    assert found is not None
    assert found.trace_state == ",".join([own, *short[:5]])
    assert len(found.trace_state) <= 512


def test_tracestate_and_baggage_are_passed_on_as_they_came() -> None:
    found = read({"traceparent": VALID, "tracestate": ["a=1", "b=2"], "baggage": "tier=gold"}).parent
    assert found is not None
    sent = inject(started(found), FORMATS)
    assert (sent["tracestate"], sent["baggage"]) == ("a=1,b=2", "tier=gold")


@pytest.mark.parametrize("bad", ["a=1\r\nX-Evil: 1", "é=1", "a=" + "1" * 9000])
def test_what_could_split_a_request_is_not_passed_on(bad: str) -> None:
    found = read({"traceparent": VALID, "tracestate": bad, "baggage": bad}).parent
    assert found is not None
    assert (found.trace_state, found.baggage) == ("", "")


def test_formats_that_are_not_asked_for_are_neither_read_nor_sent() -> None:
    assert read({"traceparent": VALID}, ("x-trace",)) == Inbound()
    assert read({"X-Trace-ID": TRACE}, ("tracecontext",)) == Inbound()
    assert set(inject(started(), ("tracecontext",))) == {"traceparent"}
    assert set(inject(started(), ("x-trace",), 5)) == {"X-Trace-ID", "X-Span-ID", "X-Parent-ID", "X-Trace-Sampled"}


def test_what_goes_out_comes_in() -> None:
    span = started(sampled=False)
    for formats in (("tracecontext",), ("x-trace",)):
        found = read(inject(span, formats)).parent
        assert found == RemoteParent(span.root.trace_id, span.span_id, False)


VALUES = st.one_of(
    st.text(max_size=80),
    st.binary(max_size=80),
    st.integers(),
    st.none(),
    st.booleans(),
    st.floats(),
    st.lists(st.one_of(st.text(max_size=40), st.binary(max_size=40), st.none()), max_size=3),
    st.from_regex(r"\A[0-9a-fA-F]{2}-[0-9a-fA-F]{32}-[0-9a-fA-F]{16}-[0-9a-f]{2}(-.*)?\Z"),
)
NAMES_OF_ALL_CASES = st.sampled_from([*HEADERS, *(name.upper() for name in HEADERS), *(n.title() for n in HEADERS)])


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(NAMES_OF_ALL_CASES, VALUES, max_size=8))
def test_no_header_makes_extract_raise_or_send_a_line_break(headers: dict[str, Any]) -> None:
    environ = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
    for found in (
        read(headers),
        read(list(headers.items())),
        extract(environ_reader(environ), FORMATS),
    ):
        if found.parent is not None:
            assert 0 < found.parent.trace_id < 1 << 128
            assert 0 <= found.parent.span_id < 1 << 64
        sent = inject(started(found.parent), FORMATS)
        assert all("\r" not in value and "\n" not in value for value in sent.values())


@settings(deadline=None, max_examples=60)
@given(st.one_of(VALUES, st.lists(st.tuples(VALUES, VALUES)), st.lists(VALUES)))
def test_no_carrier_makes_the_reader_raise(carrier: Any) -> None:
    assert read(carrier) is not None
    assert text_of(carrier) is None or isinstance(text_of(carrier), str)


@pytest.mark.parametrize("headers", [{}, {"A": "1"}, [("A", "1")], [(b"A", b"1")], (("A", "1"),), None])
def test_headers_are_copied_before_anything_is_added(headers: Any) -> None:
    before = repr(headers)
    added = with_headers(headers, {"traceparent": VALID})
    assert repr(headers) == before
    assert reader(added, HEADERS)("traceparent") == VALID
    assert headers is None or type(added) is type(headers)


@pytest.mark.parametrize(
    ("url", "headers", "signed"),
    [
        ("https://bucket/key?X-Amz-Signature=1", {}, True),
        ("https://bucket/key?Expires=1&Signature=1", {}, True),
        ("https://bucket/key?x-goog-signature=1", {}, True),
        ("https://bucket/key", {"authorization": "AWS4-HMAC-SHA256 Credential=x"}, True),
        ("https://bucket/key", {"Authorization": b"AWS4-ECDSA-P256-SHA256 x"}, True),
        ("https://bucket/key?design=1", {"Authorization": "Bearer x"}, False),
        ("https://bucket/Signature=", {}, False),
    ],
)
def test_a_signed_request_is_recognised(url: str, headers: dict[str, Any], signed: bool) -> None:
    assert is_signed(url, reader(headers, NAMES)) is signed
