"""OpenTelemetry's API and our spans are one trace; each in an interpreter of its own, for the API's state is global."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRELUDE = """
import logging, pathlib, sys
logging.basicConfig(stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
{before}
from woven import Program, current, attributes, status, target
from autotrace.span import provider, runtime_context
RATE = 1
def install(program):
    runtime_context.take_slot()
    api = provider.Api(program.tracer)
    api.enter()
    return api
program = Program(pathlib.Path("."), ["ours", "inner", "rows", "aours"], rate={rate})
api = install(program)
program.__enter__()
shop = program.load('''
def ours(work=int, *more): return work(*more)
def inner(work=int, *more): return work(*more)
def rows(work): yield work(); yield work()
async def aours(work): return await work()
''')
ours, inner, rows = shop.ours, shop.inner, shop.rows
from opentelemetry import baggage, context, trace
"""


@pytest.fixture
def run(tmp_path):
    def run(source: str, before: str = "", rate: int = 1) -> None:
        script = tmp_path / "script.py"
        script.write_text(PRELUDE.format(before=textwrap.dedent(before), rate=rate) + textwrap.dedent(source))
        paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "hook")])
        done = subprocess.run(
            [sys.executable, "-W", "error", str(script)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths, "AUTOTRACE_FAILURES": "raise"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")

    return run


def test_the_current_span_is_an_api_span_with_the_right_ids(run):
    run("""
        seen = []
        def look():
            span = trace.get_current_span()
            assert isinstance(span, trace.Span) and span.is_recording()
            seen.append(span.get_span_context())
        ours(inner, look)
        span = program.span("inner")
        assert (seen[0].trace_id, seen[0].span_id) == (span.root.trace_id, span.span_id)
        assert seen[0].is_valid and not seen[0].is_remote and seen[0].trace_flags.sampled
        assert trace.get_current_span() is trace.INVALID_SPAN
        """)


def test_spans_of_the_api_join_the_tree_both_ways(run):
    run("""
        tracer = trace.get_tracer("x")
        def theirs():
            with tracer.start_as_current_span("theirs") as span:
                assert trace.get_current_span() is span
                inner()
        ours(theirs)
        assert program.tree() == "ours\\n  theirs\\n    inner", program.tree()
        assert program.span("theirs").detail.scope == "x"
        program.spans.clear()
        with tracer.start_as_current_span("outer"):
            ours()
        assert program.tree() == "outer\\n  ours", program.tree()
        """)


def test_a_tracer_taken_before_us_joins_too(run):
    run(
        """
        with early.start_as_current_span("early"):
            ours()
        assert program.tree() == "early\\n  ours", program.tree()
        """,
        before="from opentelemetry import trace; early = trace.get_tracer('early')",
    )


def test_a_span_used_as_a_decorator_or_by_hand_joins(run):
    run("""
        tracer = trace.get_tracer("x")
        @tracer.start_as_current_span("decorated")
        def decorated(): inner()
        decorated(); decorated()
        assert program.tree() == "decorated\\n  inner\\ndecorated\\n  inner", program.tree()
        program.spans.clear()
        def by_hand():
            span = tracer.start_span("hand")
            with trace.use_span(span, end_on_exit=True):
                inner()
            other = tracer.start_span("other", context=trace.set_span_in_context(span))
            other.end()
        ours(by_hand)
        assert program.tree() == "ours\\n  hand\\n    inner\\n    other", program.tree()
        """)


def test_baggage_attached_over_our_span_stays_and_our_children_keep_their_parent(run):
    run("""
        def work():
            token = context.attach(baggage.set_baggage("user", "7"))
            inner(lambda: seen.append((baggage.get_baggage("user"), current())))
            context.detach(token)
            seen.append((baggage.get_baggage("user"), current()))
        seen = []
        ours(work)
        assert seen == [("7", "inner"), (None, "ours")], seen
        assert program.tree() == "ours\\n  inner"
        """)


def test_a_context_attached_and_never_detached_does_not_outlive_the_call(run):
    run("""
        def leak(): context.attach(baggage.set_baggage("user", "7"))
        def work():
            inner(leak)
            assert baggage.get_baggage("user") is None
        ours(work)
        assert context.get_current() == {}
        """)


def test_an_app_with_its_own_provider_exports_what_it_did_under_us_at_rate_zero(run):
    run(
        """
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
        exporter = InMemorySpanExporter()
        theirs = TracerProvider(sampler=ParentBased(ALWAYS_ON))
        theirs.add_span_processor(SimpleSpanProcessor(exporter))
        early = trace.get_tracer("early")
        trace.set_tracer_provider(theirs)
        assert trace.get_tracer_provider() is theirs
        tracer = trace.get_tracer("x")
        def work():
            with tracer.start_as_current_span("a") as a:
                a.set_attribute("k", "v")
                with early.start_as_current_span("b"):
                    inner()
                    raise ValueError("x")
        try:
            ours(work)
        except ValueError: pass
        with tracer.start_as_current_span("root"):
            ours()
        assert [span.name for span in exporter.get_finished_spans()] == ["b", "a", "root"]
        assert program.tree() == "ours!\\n  a!\\n    b!\\n      inner\\nroot\\n  ours", program.tree()
        a = program.span("a")
        exported = {span.name: span.context for span in exporter.get_finished_spans()}
        assert (exported["a"].span_id, exported["a"].trace_id) == (a.span_id, a.root.trace_id)
        root = program.span("root")
        assert (exported["root"].span_id, exported["root"].trace_id) == (root.span_id, root.root.trace_id)
        assert attributes(a)["k"] == "v"
        assert a.detail.scope == "x"
        """,
        rate=0,
    )


def test_a_remote_parent_in_the_context_is_ours(run):
    run("""
        remote = trace.SpanContext(0xA1, 0xB2, True, trace.TraceFlags(1))
        token = context.attach(trace.set_span_in_context(trace.NonRecordingSpan(remote)))
        ours()
        context.detach(token)
        span = program.span("ours")
        assert (span.root.trace_id, span.root.remote.span_id, span.root.remote.sampled) == (0xA1, 0xB2, True)
        """)


def test_a_remote_parent_of_an_explicit_context_is_theirs(run):
    run("""
        remote = trace.SpanContext(0xA1, 0xB2, True, trace.TraceFlags(0))
        tracer = trace.get_tracer("x")
        with tracer.start_as_current_span("x", context=trace.set_span_in_context(trace.NonRecordingSpan(remote))) as x:
            assert x.get_span_context().trace_id == 0xA1
            assert x.parent.span_id == 0xB2
            ours()
        assert program.tree() == "x\\n  ours"
        assert program.span("ours").root.remote.sampled is False
        with tracer.start_as_current_span("new", context=context.Context()): pass
        assert program.span("new").root.remote is None
        """)


def test_what_is_said_of_a_span_is_recorded_as_the_specification_says(run):
    run("""
        from opentelemetry.trace import Link, SpanKind, Status, StatusCode
        tracer = trace.get_tracer("x")
        other = trace.SpanContext(0xC3, 0xD4, True)
        span = tracer.start_span(
            "first", kind=SpanKind.CLIENT, attributes={"a": 1}, links=[Link(other, {"l": True})], start_time=10**18
        )
        span.update_name("second")
        span.set_attributes({"b": [1, 2], "c": ("x",), "d": 1.5, "e": object(), "": 1, "f": None, "g": True})
        span.add_event("happened", {"n": 1}, timestamp=10**18 + 5)
        span.set_status(StatusCode.ERROR, "bad")
        span.set_status(Status(StatusCode.UNSET))
        assert span.status.status_code is StatusCode.ERROR and span.status.description == "bad"
        span.set_status(StatusCode.OK, "ignored")
        span.set_status(StatusCode.ERROR, "too late")
        assert span.status.status_code is StatusCode.OK
        span.end(end_time=10**18 + 7)
        span.end()
        span.set_attribute("late", 1); span.add_event("late"); span.update_name("late"); span.set_status(StatusCode.ERROR)
        assert not span.is_recording()
        record = program.span("second")
        assert len(program.spans) == 1
        assert attributes(record) == {"a": 1, "b": (1, 2), "c": ("x",), "d": 1.5, "g": True}, attributes(record)
        assert (span.start_time, span.end_time, span.kind) == (10**18, 10**18 + 7, SpanKind.CLIENT)
        assert [event.name for event in record.detail.events] == ["happened"]
        assert [(link.trace_id, link.attributes) for link in record.detail.links] == [(0xC3, {"l": True})]
        """)


def test_an_exception_through_a_span_is_recorded_once_and_raised_untouched(run):
    run("""
        tracer = trace.get_tracer("x")
        class Harsh(Exception):
            def __str__(self): raise RuntimeError
        error = Harsh()
        try:
            with tracer.start_as_current_span("x") as span:
                span.record_exception(ValueError("seen"), {"k": 1})
                raise error
        except Harsh as caught:
            assert caught is error and caught.__context__ is None
        record = program.span("x")
        assert [e.attributes["exception.type"] for e in record.detail.events] == ["ValueError", "__main__.Harsh"]
        assert status(record) == "error"
        program.spans.clear()
        try:
            with tracer.start_as_current_span("y", record_exception=False, set_status_on_exception=False):
                raise error
        except Harsh: pass
        assert status(program.span("y")) == "unset"
        """)


def test_opentelemetry_loaded_before_us_hands_over_its_context(run):
    run(
        """
        assert baggage.get_baggage("user") == "7"
        ours(lambda: seen.append(baggage.get_baggage("user")))
        with trace.get_tracer("x").start_as_current_span("x"):
            seen.append(baggage.get_baggage("user"))
        assert seen == ["7", "7"]
        context.detach(old)
        """,
        before="""
        from opentelemetry import baggage, context
        old = context.attach(baggage.set_baggage("user", "7"))
        seen = []
        """,
    )


def test_a_token_of_another_context_detaches_without_an_error_line(run):
    run("""
        import asyncio, contextvars
        token = contextvars.copy_context().run(context.attach, baggage.set_baggage("user", "7"))
        context.detach(token)
        async def agen():
            with trace.get_tracer("x").start_as_current_span("x"):
                yield 1
        async def main():
            generator = agen()
            await asyncio.create_task(generator.__anext__())
            await asyncio.create_task(generator.aclose())
        asyncio.run(main())
        assert trace.get_current_span() is trace.INVALID_SPAN
        """)


def test_generators_show_the_api_the_right_span(run):
    run("""
        def name():
            return getattr(trace.get_current_span(), "name", None)
        generator = rows(name)
        assert (next(generator), name(), next(generator), name()) == ("rows", None, "rows", None)
        generator.close()
        """)


def test_taking_tracing_out_puts_the_api_back(run):
    run("""
        api.leave()
        runtime_context.leave_slot()
        assert type(trace.get_current_span()) is trace.NonRecordingSpan
        with trace.get_tracer("x").start_as_current_span("x") as span:
            assert not span.is_recording()
        assert not program.spans
        api = install(program)
        with trace.get_tracer("x").start_as_current_span("x"):
            ours()
        assert program.tree() == "x\\n  ours"
        """)
