"""`record = false` in a rule switches recording off for all that happens below an endpoint, and for nothing else."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import flask
import pytest
from recording import Recording

from autotrace.plan.target import Origin, Target
from autotrace.sample.endpoint import endpoint_of
from autotrace.span.context import get_current, set_current
from autotrace.span.drive import GeneratorSite
from autotrace.span.site import SILENCE, SendingSite, Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.unrecorded import Unrecorded

from .program import run, tree, write

SHOP = """
import sqlite3
import threading

def probe():
    check()
    sqlite3.connect(":memory:").execute("SELECT 1")
    return 1

def check():
    raise_nothing()

def raise_nothing():
    pass

def fail():
    raise KeyError("broken")

def order():
    check()
    thread = threading.Thread(target=check)
    thread.start()
    thread.join()
"""

TRACING = """
service_name = "shop"
how = "{how}"
[[services]]
name = "shop"
at = "shop"
methods = ["*"]
[[sampler.endpoints]]
endpoint = "probe"
record = false
[[sampler.endpoints]]
endpoint = "fail"
record = false
"""

APP = """
import shop
shop.order()
for _ in range(3):
    shop.probe()
    try:
        shop.fail()
    except KeyError:
        pass
print("done")
"""


@pytest.mark.parametrize("how", ["weave", "patch"])
def test_an_endpoint_with_record_false_leaves_nothing_not_even_its_errors(tmp_path: Any, how: str) -> None:
    write(tmp_path, app=APP, shop=SHOP, tracing=TRACING.replace("{how}", how))
    outcome = run(tmp_path, "app.py")
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "done\n", "")
    listed = run(tmp_path, "traces").stdout
    assert "order" in listed
    assert "probe" not in listed
    assert "fail" not in listed
    assert tree(tmp_path).count("check") == 2


@pytest.fixture
def recording() -> Iterator[Recording]:
    found = Recording("requests")
    found.tracer.admits = lambda root: root.span.name != "probe"
    yield found
    found.stop()
    assert get_current() is None


def test_what_is_called_below_is_silent(recording: Recording) -> None:
    outer, inner = Site(recording.tracer, "probe"), Site(recording.tracer, "check")
    with outer.nullcontext() as _:
        assert isinstance(get_current(), Unrecorded)
        assert inner.nullcontext() is SILENCE
    with inner.nullcontext():
        assert isinstance(get_current(), Span)
    assert recording.only().name == "check"


def test_a_request_whose_path_a_rule_names_is_silent_and_the_next_one_is_not() -> None:
    recording = Recording("flask")
    recording.tracer.admits = lambda root: endpoint_of(root.span) != "GET /health"
    app = flask.Flask("shop")
    seen: list[object] = []

    @app.get("/<path:name>")
    def answer(name: str) -> str:
        seen.append(type(get_current()))
        with Site(recording.tracer, "check").nullcontext():
            return name

    try:
        client = app.test_client()
        assert [client.get(path).text for path in ("/health", "/orders", "/health")] == ["health", "orders", "health"]
    finally:
        recording.stop()
    assert seen == [Unrecorded, Span, Unrecorded]
    assert sorted(span.name for span in recording.spans()) == ["GET /<path:name>", "check"]


def test_a_task_that_outlives_it_is_recorded_again(recording: Recording) -> None:
    async def later(over: asyncio.Event) -> None:
        with Site(recording.tracer, "early").nullcontext():
            pass
        await over.wait()
        with Site(recording.tracer, "late").nullcontext():
            pass

    async def main() -> None:
        over = asyncio.Event()
        with Site(recording.tracer, "probe").nullcontext():
            task = asyncio.create_task(later(over))
            await asyncio.sleep(0)
        over.set()
        await task

    asyncio.run(main())
    assert recording.only().name == "late"


def test_a_generator_is_silent_to_its_end(recording: Recording) -> None:
    def numbers() -> Iterator[int]:
        with Site(recording.tracer, "check").nullcontext():
            yield 1
        yield 2

    steps = GeneratorSite(Site(recording.tracer, "probe")).iter(numbers())  # type: ignore[arg-type]  # an Iterator
    assert list(steps) == [1, 2]
    with Site(recording.tracer, "after").nullcontext():
        pass
    assert recording.only().name == "after"


def test_what_goes_out_says_that_the_trace_is_not_sampled(recording: Recording) -> None:
    sent = SendingSite(recording.tracer, "send", "client")
    with Site(recording.tracer, "probe").nullcontext():
        above = get_current()
        with sent.nullcontext() as _:
            span = get_current()
            assert isinstance(span, Span)
            assert isinstance(above, Unrecorded)
            assert span.root.trace_id == above.root.trace_id
            assert not span.root.sampled
            with Site(recording.tracer, "inside").nullcontext():
                pass
    assert recording.spans(0) == []


def test_a_query_below_it_has_no_span() -> None:
    recording = Recording("sqlite3")
    recording.tracer.admits = lambda root: root.span.name != "probe"
    try:
        connection = sqlite3.connect(":memory:")
        with Site(recording.tracer, "probe").nullcontext():
            assert connection.execute("SELECT 1").fetchall() == [(1,)]
            assert isinstance(get_current(), Unrecorded)
        assert connection.execute("SELECT 2").fetchall() == [(2,)]
        connection.close()
    finally:
        recording.stop()
    assert [span.name for span in recording.spans()] == ["SELECT"]


def test_opentelemetry_sees_no_span_and_what_it_starts_is_not_recorded(recording: Recording) -> None:
    from opentelemetry import baggage, context, trace

    from autotrace.span import provider, runtime_context

    runtime_context.take_slot()
    api = provider.Api(recording.tracer)
    api.enter()
    try:
        with Site(recording.tracer, "probe").nullcontext():
            assert not trace.get_current_span().get_span_context().is_valid
            with trace.get_tracer("app").start_as_current_span("theirs") as span:
                assert span.is_recording()
                assert Site(recording.tracer, "inner").nullcontext() is not SILENCE
                set_current(get_current().parent)  # type: ignore[attr-defined]  # the span just made
            token = context.attach(baggage.set_baggage("tier", "gold"))
            with Site(recording.tracer, "below").nullcontext():
                pass
            context.detach(token)
    finally:
        api.leave()
        runtime_context.leave_slot()
    assert recording.spans(0) == []


def test_a_chunk_of_a_huge_unrecorded_root_is_not_delivered(recording: Recording) -> None:
    recording.tracer.limit = 10
    with (
        Site(recording.tracer, "probe").nullcontext(),
        SendingSite(recording.tracer, "send", "client").nullcontext() as _,
    ):
        for _ in range(50):
            with Site(recording.tracer, "inside").nullcontext():
                pass
    assert recording.spans(0) == []


def test_threads_that_end_it_together_end_it_once(recording: Recording) -> None:
    begun = Site(recording.tracer, "probe").nullcontext()
    assert isinstance(begun, Unrecorded)
    threads = [threading.Thread(target=begun.close) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begun.__exit__(None, None, None)
    root: LocalRoot = begun.root
    assert (root.open, begun.open, root.finished) == (False, False, [])


def test_a_target_of_the_users_own_that_is_patched_leaves_the_context_as_it_was(recording: Recording) -> None:
    target = Target("tests_probe", "probe", Origin("tracing.toml"), span="probe", how="patch")
    wrapper = recording.wrapping(target._replace(module=__name__))(probe)
    assert wrapper(probe, None, (4,), {}) == 4
    assert get_current() is None


def probe(n: int) -> int:
    """A function that is patched above."""
    assert isinstance(get_current(), Unrecorded)
    return n
