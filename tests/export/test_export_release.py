"""What is left of a trace once it is exported."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence

import pytest
from opentelemetry import trace

from autotrace.export.pipeline import Pipeline
from autotrace.export.resource import ProcessResource
from autotrace.span.context import get_current
from autotrace.span.facade import Facade
from autotrace.span.finished import FinishedSpan, Resource
from autotrace.span.runtime_context import context_of
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

SECOND = 10**9


class Sink:
    """An exporter that keeps nothing."""

    def deliver(self, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
        """Take them."""

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    pipeline = Pipeline((Sink(),), ProcessResource("orders", "0"), 2**26)
    gc.collect()
    gc.disable()
    yield pipeline
    gc.enable()
    pipeline.shutdown(SECOND)


@pytest.fixture
def site(pipeline: Pipeline) -> Site:
    return Site(Tracer(lambda root: True, lambda root: True, pipeline.deliver), "work")


def _left(site: Site) -> list[object]:
    return [found for found in gc.get_objects() if isinstance(found, Span) and found.site is site]


def _face() -> Facade:
    """What OpenTelemetry's API has as the current span."""
    span = get_current()
    assert isinstance(span, Span)
    facade = trace.get_current_span(context_of(span))
    assert isinstance(facade, Facade)
    return facade


def test_an_exported_trace_is_freed_without_the_garbage_collector(pipeline: Pipeline, site: Site) -> None:
    for _ in range(100):
        with site.nullcontext(), site.nullcontext():
            pass
    assert pipeline.flush(SECOND)
    assert _left(site) == []


def test_one_that_opentelemetry_was_asked_for_is_freed_too(pipeline: Pipeline, site: Site) -> None:
    for _ in range(100):
        with site.nullcontext():
            _face().set_attribute("order.id", 7)
    assert pipeline.flush(SECOND)
    assert _left(site) == []


def test_a_span_that_the_application_holds_stays_what_it_was(pipeline: Pipeline, site: Site) -> None:
    with site.nullcontext():
        held = _face()
        with site.nullcontext():
            inner = _face()
        before = held.get_span_context(), inner.get_span_context()
    assert pipeline.flush(SECOND)
    assert (held.get_span_context(), inner.get_span_context()) == before
    roots = [found for found in _left(site) if isinstance(found, Span) and found.root.span is found]
    assert len(roots) == 1


def test_a_child_that_ends_later_finds_its_root(pipeline: Pipeline, site: Site) -> None:
    with site.nullcontext():
        late = site.tracer.start(site, Span, get_current())
    assert pipeline.flush(SECOND)
    assert late.root.span.site is site
    late.close()
    assert pipeline.flush(SECOND)
    assert pipeline.exported == 2
