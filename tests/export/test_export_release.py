"""What is left of a trace once it is exported: nothing, or all of it where somebody may still ask."""

from __future__ import annotations

import contextvars
import gc
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from opentelemetry import context as api
from opentelemetry import trace

from autotrace.export.linger import Linger
from autotrace.export.pipeline import Pipeline
from autotrace.export.resource import ProcessResource
from autotrace.span.context import get_current, set_current
from autotrace.span.facade import Facade
from autotrace.span.finished import FinishedSpan, Resource
from autotrace.span.remote import RemoteParent
from autotrace.span.runtime_context import context_of, leave_slot, take_slot
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer

SECOND = 10**9
LIMIT = 10


class Sink:
    """An exporter that keeps what it is given."""

    def __init__(self) -> None:
        self.spans: list[FinishedSpan] = []

    def deliver(self, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
        self.spans += spans

    def close(self) -> None:
        """Nothing is held."""


class Journal:
    """One that says that every trace is kept, once it is asked."""

    def __init__(self) -> None:
        self.keeps: list[int] = []

    def write_keeps(self, trace_ids: Sequence[int]) -> None:
        """Nobody listens."""

    def read_keeps(self) -> list[int]:
        return self.keeps


@pytest.fixture
def open_telemetry() -> Iterator[None]:
    """Our runtime context in the API's slot."""
    take_slot()
    yield
    leave_slot()


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def pipeline(sink: Sink) -> Iterator[Pipeline]:
    pipeline = Pipeline((sink,), ProcessResource("orders", "0"), 2**26)
    # The export thread would take one delivery at a time: what meets in a batch is to be what the test says.
    pipeline.before_fork()
    gc.collect()
    gc.disable()
    yield pipeline
    gc.enable()
    pipeline.shutdown(SECOND)


@pytest.fixture
def site(pipeline: Pipeline) -> Site:
    return Site(Tracer(lambda root: True, lambda root: True, pipeline.deliver, limit=LIMIT), "work", "server")


def left(site: Site) -> list[Span]:
    """The spans that are still there."""
    return [found for found in gc.get_objects() if isinstance(found, Span) and found.site is site]


def span_here() -> Span:
    span = get_current()
    assert isinstance(span, Span)
    return span


def face() -> Facade:
    """What OpenTelemetry's API has as the current span."""
    facade = trace.get_current_span(context_of(span_here()))
    assert isinstance(facade, Facade)
    return facade


def test_an_exported_trace_is_freed_without_the_garbage_collector(pipeline: Pipeline, site: Site) -> None:
    for _ in range(100):
        with site.nullcontext(), site.nullcontext():
            pass
    assert pipeline.flush(SECOND)
    assert left(site) == []


def test_one_that_opentelemetry_was_asked_for_is_freed_too(pipeline: Pipeline, site: Site) -> None:
    for _ in range(100):
        with site.nullcontext():
            face().set_attribute("order.id", 7)
    assert pipeline.flush(SECOND)
    assert left(site) == []


def test_one_that_comes_in_chunks_of_one_batch_is_whole_and_freed(pipeline: Pipeline, site: Site, sink: Sink) -> None:
    with site.nullcontext():
        for _ in range(3 * LIMIT):
            with site.nullcontext():
                pass
    assert pipeline.flush(SECOND)
    root = next(span for span in sink.spans if span.local_root)
    assert [span.parent_id for span in sink.spans if span is not root] == [root.span_id] * 3 * LIMIT
    assert left(site) == []


@pytest.mark.parametrize("between", [False, True], ids=["in one batch with it", "after it was exported"])
def test_a_child_that_ends_after_its_root_finds_it(pipeline: Pipeline, site: Site, sink: Sink, between: bool) -> None:
    with site.nullcontext():
        late = site.tracer.start(site, Span, get_current())
    if between:
        assert pipeline.flush(SECOND)
    assert late.root.span.site is site
    late.close()
    del late
    assert pipeline.flush(SECOND)
    root, child = sink.spans
    assert (child.trace_id, child.parent_id) == (root.trace_id, root.span_id)
    assert left(site) == []


def test_one_that_lingered_is_delivered_with_its_late_child_and_freed(pipeline: Pipeline, sink: Sink) -> None:
    journal = Journal()
    linger = Linger(journal, pipeline.deliver, lambda: None)
    tracer = Tracer(lambda root: False, lambda root: False, pipeline.deliver, dropped=linger.take)
    site = Site(tracer, "work")
    with site.nullcontext():
        journal.keeps.append(span_here().root.trace_id)
        assert span_here().span_id  # so others may know of it
        assert span_here().span_id  # as one that is sent on
        first, second = (tracer.start(site, Span, get_current()) for _ in range(2))
    first.close()
    linger.listen()
    assert pipeline.flush(SECOND)
    second.close()
    del first, second
    assert pipeline.flush(SECOND)
    root = next(span for span in sink.spans if span.local_root)
    assert [span.parent_id for span in sink.spans if span is not root] == [root.span_id] * 2
    assert left(site) == []


def test_one_for_which_the_queue_had_no_room_is_freed(site: Site, sink: Sink) -> None:
    full = Pipeline([sink], ProcessResource("orders", "0"), 2**26, 10)
    site.tracer.deliver = full.deliver
    full.before_fork()  # nothing is exported meanwhile
    for _ in range(25):
        with site.nullcontext():
            pass
    assert len(left(site)) == 10
    full.after_fork_in_parent()
    assert full.shutdown(SECOND)


HOLDERS: dict[str, Callable[[Span], Any]] = {
    "a child": lambda span: span.root.tracer.start(span.site, Span, span),
    "its detail, which has a facade": lambda span: (context_of(span), span.details())[1],
    "its facade": lambda span: trace.get_current_span(context_of(span)),
    "its local root": lambda span: span.root,
    "its OpenTelemetry context": context_of,
    "itself": lambda span: span,
    "a context in which it is current": lambda span: contextvars.copy_context(),
    "a context derived from its own": lambda span: api.set_value("user", 1, context_of(span)),
    "a weak reference to its facade": lambda span: weakref.ref(trace.get_current_span(context_of(span))),
    "a weak reference to its context": lambda span: weakref.ref(context_of(span)),
}


@pytest.mark.parametrize("asked", [False, True], ids=["plain", "with a facade"])
@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_where_anything_of_it_is_held_all_of_it_stays(
    pipeline: Pipeline, site: Site, hold: Callable[[Span], Any], asked: bool
) -> None:
    with site.nullcontext():
        if asked:
            face()
        held = hold(span_here())
        with site.nullcontext():
            pass
    assert pipeline.flush(SECOND)
    (kept,) = [span for span in left(site) if span.end]
    assert kept.root.span is kept
    del held


def test_a_span_in_the_applications_hands_answers_as_before(pipeline: Pipeline, site: Site, sink: Sink) -> None:
    above = RemoteParent(7, 8, True)
    root = site.tracer.start_remote(site, Span, above)
    set_current(root)
    held = face()
    with site.nullcontext():
        inner = face()
        inner.set_attribute("order.id", 7)
    set_current(None)
    root.close()
    del root

    def answers(facade: Facade) -> list[object]:
        plain = ("context", "parent", "name", "kind", "start_time", "end_time", "attributes", "events", "links")
        return [facade.is_recording(), facade.status.status_code, *(getattr(facade, name) for name in plain)]

    before = answers(held), answers(inner)
    assert pipeline.flush(SECOND)
    assert (answers(held), answers(inner)) == before
    assert (held.get_span_context().trace_id, held.is_recording()) == (7, False)
    held.set_attribute("late", True)
    held.end()
    assert len(sink.spans) == 2


def test_what_starts_below_an_exported_span_is_linked_to_it(pipeline: Pipeline, site: Site, sink: Sink) -> None:
    with site.nullcontext():
        face()
        task = contextvars.copy_context()

    def later() -> None:
        with site.nullcontext():
            pass

    assert pipeline.flush(SECOND)
    task.run(later)
    assert pipeline.flush(SECOND)
    root, linked = sink.spans
    assert [(link.trace_id, link.span_id) for link in linked.links] == [(root.trace_id, root.span_id)]


@pytest.mark.usefixtures("open_telemetry")
def test_threads_that_go_on_below_exported_spans_always_find_them(pipeline: Pipeline, site: Site, sink: Sink) -> None:
    """Each round's thread asks OpenTelemetry for a span that is exported at the same time."""
    pipeline.after_fork_in_parent()
    failures: list[BaseException] = []
    rounds = 300

    def ask() -> None:
        try:
            for _ in range(20):
                span = trace.get_current_span()
                assert isinstance(span, Facade)
                assert span.get_span_context().trace_id
                span.parent  # noqa: B018 - it asks the local root for its span
        except BaseException as error:
            failures.append(error)

    for _ in range(rounds):
        with site.nullcontext():
            thread = threading.Thread(target=contextvars.copy_context().run, args=(ask,))
        thread.start()
        pipeline.flush(SECOND)
        thread.join()
        del thread
    assert failures == []
    assert len(sink.spans) == rounds
