"""The OpenTelemetry face of a traced call: what an application may do with a span that it has not started."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, StatusCode

from autotrace import guard
from autotrace.export.convert import convert
from autotrace.span import runtime_context
from autotrace.span.facade import Facade, facade_of
from autotrace.span.finished import FinishedSpan
from autotrace.span.provider import FacadeTracer
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer


class Shop:
    """A traced function, and what left the process."""

    def __init__(self) -> None:
        self.finished: list[FinishedSpan] = []
        self.tracer = Tracer(lambda root: True, lambda root: True, self._deliver)
        self.site = Site(self.tracer, "create_order", attributes={"code.function.name": "shop.create_order"})

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        self.finished += convert(root, spans)


@pytest.fixture
def shop() -> Iterator[Shop]:
    runtime_context.take_slot()
    yield Shop()
    runtime_context.leave_slot()


def test_ending_the_span_of_a_traced_call_does_not_make_two_of_it(shop: Shop) -> None:
    with shop.site.nullcontext():
        span = trace.get_current_span()
        span.set_attribute("a", 1)
        span.end()
        assert not span.is_recording()
        span.set_attribute("late", 1)
        with shop.site.nullcontext():
            pass
        assert trace.get_current_span() is span
    inner, outer = shop.finished
    assert outer.attributes == {"code.function.name": "shop.create_order", "a": 1}
    assert (inner.parent_id, inner.trace_id) == (outer.span_id, outer.trace_id)
    assert outer.start_ns + outer.duration_ns >= inner.start_ns + inner.duration_ns


def test_using_the_current_span_to_its_end_does_not_make_two_of_it(shop: Shop) -> None:
    with shop.site.nullcontext(), trace.use_span(trace.get_current_span(), end_on_exit=True):
        pass
    with shop.site.nullcontext(), trace.get_current_span():
        pass
    assert len(shop.finished) == 2


def test_it_reads_as_the_sdks_span(shop: Shop) -> None:
    other = SpanContext(5, 6, False)
    with shop.site.nullcontext():
        span: Any = trace.get_current_span()
        span.add_event("e", {"k": (1, 2)}, timestamp=10**18)
        span.add_link(other, {"l": 1})
        span.set_status(StatusCode.ERROR, "bad")
        assert span.attributes == {"code.function.name": "shop.create_order"}
        assert [(event.name, event.timestamp, event.attributes) for event in span.events] == [
            ("e", 10**18, {"k": (1, 2)})
        ]
        assert [(link.context, link.attributes) for link in span.links] == [(other, {"l": 1})]
        assert (span.name, span.kind, span.parent, span.status.description) == (
            "create_order",
            trace.SpanKind.INTERNAL,
            None,
            "bad",
        )


def test_a_span_has_one_facade(shop: Shop) -> None:
    with shop.site.nullcontext() as _:
        span = trace.get_current_span()
        assert isinstance(span, Facade)
        assert facade_of(span.record) is span is trace.get_current_span()


def test_what_the_application_gives_by_mistake_never_raises_into_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    tracer: Any = FacadeTracer(shop.tracer, None)  # type: ignore[arg-type]  # people do
    links = [None, Link(SpanContext(1, 2, False))]
    with tracer.start_as_current_span(None, None, "server", "text", links, "now") as span:
        span.set_attributes(7)
        span.set_attributes(None)
        span.add_event(7, [1], "then")
        span.add_event(object())
        span.add_link(SpanContext(3, 4, False), 7)
        span.add_link("no context")
        span.record_exception(ValueError("x"), 7)
        span.set_attribute([], 1)
        span.update_name(object())
        span.set_status(object(), object())
        span.end("later")
    (ended,) = shop.finished
    assert (ended.name, ended.kind, ended.status, ended.scope) == ("object", "internal", "unset", "")
    assert [event.name for event in ended.events] == ["object"]
    assert [link.trace_id for link in ended.links] == [1]
    guard.failures.clear()


def test_what_the_applications_own_code_raises_stays_its_own(shop: Shop) -> None:
    class Hostile(dict[str, Any]):
        def items(self) -> Any:
            raise OSError("hostile")

    with shop.site.nullcontext():
        span = trace.get_current_span()
        with pytest.raises(OSError, match="hostile"):
            span.set_attributes(Hostile(a=1))
        span.set_attribute("a", 1)
    assert shop.finished[0].attributes["a"] == 1
