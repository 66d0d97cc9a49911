"""What messages carry: `trace_id`, `span_id` and `parent_id` beside `traceparent`, read whatever a broker makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotrace.propagate.carrier import reader
from autotrace.propagate.formats import MESSAGE, Inbound, carried_trace_id, extract, inject
from autotrace.span.remote import RemoteParent
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

FORMATS = ("tracecontext", "baggage", "x-trace")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
UUID = "0af76519-16cd-43dd-8448-eb211c80319c"


def read(properties: Any, formats: tuple[str, ...] = FORMATS) -> Inbound:
    return extract(reader(properties, MESSAGE.headers), formats, MESSAGE)


@pytest.mark.parametrize(
    "properties",
    [
        {"trace_id": TRACE, "span_id": SPAN},
        {"trace_id": TRACE.encode(), "span_id": bytearray(SPAN.encode())},
        {"trace_id": UUID, "span_id": SPAN, "parent_id": "f" * 16},
        [("trace_id", TRACE.encode()), ("span_id", SPAN.encode())],
        [(b"trace_id", TRACE), (b"span_id", SPAN), (b"attempt", 1)],
        (("trace_id", [TRACE]), ("span_id", (SPAN, None))),
        {"trace_id": TRACE, "span_id": SPAN, "traceparent": None},
        {"trace_id": TRACE, "span_id": SPAN, 7: None, None: 7},
    ],
)
def test_the_receivers_parent_is_the_span_id(properties: Any) -> None:
    assert read(properties) == Inbound(RemoteParent(int(TRACE, 16), int(SPAN, 16)))


def test_traceparent_goes_before_and_brings_the_decision() -> None:
    properties = {"traceparent": f"00-{TRACE}-{SPAN}-00", "trace_id": "1" * 32, "span_id": "2" * 16}
    assert read(properties) == Inbound(RemoteParent(int(TRACE, 16), int(SPAN, 16), False))


def test_a_trace_id_of_another_kind_is_kept_and_no_parent() -> None:
    assert read({"trace_id": "xyz-123", "span_id": SPAN}) == Inbound(None, "xyz-123")
    assert read({"trace_id": 17}) == Inbound(None, "17")


def test_without_their_format_the_properties_are_not_read() -> None:
    assert read({"trace_id": TRACE, "span_id": SPAN}, ("tracecontext",)) == Inbound()


VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats() | st.lists(st.text())
NAMES = st.sampled_from(MESSAGE.headers) | st.binary() | st.none() | st.integers()


@given(st.dictionaries(NAMES, VALUES) | st.lists(st.tuples(NAMES, VALUES)) | VALUES)
def test_whatever_comes_in_is_read_or_absent(properties: Any) -> None:
    assert isinstance(read(properties), Inbound)
    carried_trace_id(reader(properties, MESSAGE.headers), MESSAGE)


def test_what_goes_out_is_what_comes_in() -> None:
    tracer = Tracer(lambda root: True, lambda root: False, lambda root, spans: None)
    remote = RemoteParent(int(TRACE, 16), int(SPAN, 16), True, "vendor=1", "tier=gold")
    span = tracer.start_remote(Site(tracer, "here"), Span, remote)
    sent = inject(span, FORMATS, int(SPAN, 16), MESSAGE)
    own = f"{span.span_id:016x}"
    assert sent == {
        "traceparent": f"00-{TRACE}-{own}-01",
        "tracestate": "vendor=1",
        "baggage": "tier=gold",
        "trace_id": TRACE,
        "span_id": own,
        "parent_id": SPAN,
    }
    assert read(sent).parent == RemoteParent(int(TRACE, 16), span.span_id, True, "vendor=1", "tier=gold")
