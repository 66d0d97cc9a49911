"""`TraceContext`: a handle on the current span, or a span of its own; a message's trace goes on."""

from __future__ import annotations

import asyncio
import threading
from collections import UserDict
from types import SimpleNamespace

import pytest
from child_program import run_child

from autotrace import TraceContext, guard

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
IDS = {"trace_id": TRACE, "span_id": SPAN, "parent_id": None}

MESSAGES = {
    "traceparent": {"traceparent": PARENT},
    "ids": IDS,
    "bytes": {"trace_id": TRACE.encode(), "span_id": SPAN.encode(), "traceparent": None},
    "byte names": {b"traceparent": PARENT.encode()},
    "pairs of bytes": SimpleNamespace(headers=[("other", b"\xff"), ("traceparent", PARENT.encode())]),
    "headers": SimpleNamespace(headers=IDS),
    "http headers": SimpleNamespace(headers={"X-Trace-ID": TRACE, "X-Span-ID": SPAN}),
    "properties": SimpleNamespace(properties={"traceparent": PARENT}),
    "properties with headers": SimpleNamespace(properties=SimpleNamespace(headers=IDS)),
    "trace_context": SimpleNamespace(trace_context=IDS),
    "trace_context as text": SimpleNamespace(trace_context=PARENT, headers=None),
    "nested mapping": {"body": 1, "headers": {"traceparent": PARENT}},
}
"""Message of every make; each names the same parent."""


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_message_of_any_make_names_the_parent(program, message):
    program.install()
    with TraceContext.from_message(message) as trace:
        context = trace.context
    (span,) = program.spans()
    assert (span.trace_id, span.parent_id) == (TRACE, SPAN)
    assert (context["trace_id"], context["parent_id"]) == (TRACE, SPAN)


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_a_traced_function_finds_the_message_among_its_arguments(program, message):
    program.install()
    shop = program.load("""
        @traced
        def handle(channel, message): pass
        @traced
        def handle_any(*arguments, **options): pass
        """)
    shop.handle(object(), message)
    shop.handle_any(1, message)
    assert {(span.trace_id, span.parent_id) for span in program.spans()} == {(TRACE, SPAN)}


@pytest.mark.parametrize(
    "message",
    [None, 7, "text", b"", {}, {"trace_id": None}, {"trace_id": "xyz", "span_id": 1}, [("a",)], object(), [1] * 9],
    ids=repr,
)
def test_what_names_no_trace_changes_nothing(program, message):
    program.install()
    shop = program.load("@traced\ndef handle(message):\n    with TraceContext.from_message(message): pass\n")
    shop.handle(message)
    (span,) = program.spans()
    assert (span.parent_id, span.links) == (None, ())


def test_an_id_of_another_make_is_kept_as_a_tag(program):
    program.install()
    with TraceContext.from_message({"trace_id": "xyz-123"}):
        pass
    (span,) = program.spans()
    assert span.attributes["autotrace.external_id"] == "xyz-123"


def test_a_message_whose_properties_raise_is_read_as_far_as_it_can_be(program):
    program.install()

    class Message(UserDict):
        @property
        def trace_context(self):
            raise RuntimeError("closed")

        def headers(self):
            return [("traceparent", PARENT.encode())]

    with TraceContext.from_message(Message()) as trace:
        assert trace.context["trace_id"] != TRACE  # a mapping's places are its keys

    class Broken:
        headers = property(lambda self: 1 / 0)

        def __getattr__(self, name):
            raise RuntimeError(name)

    class Confluent:
        def headers(self):
            return [("traceparent", PARENT.encode())]

    with TraceContext.from_message(Broken()):
        pass
    with TraceContext.from_message(Confluent()) as trace:
        assert trace.context["trace_id"] == TRACE


def test_finding_a_message_runs_no_code_of_the_application(program):
    program.install()

    class Argument(UserDict):
        @property
        def headers(self):
            raise AssertionError("run")

        def __getattr__(self, name):
            raise AssertionError("run")

        keys = items = __iter__ = __getitem__ = headers

    shop = program.load("@traced\ndef handle(message): pass\n")
    shop.handle(Argument.__new__(Argument))
    assert len(program.spans()) == 1


def test_a_root_moves_below_its_message_while_nobody_has_seen_an_id(program):
    program.install()
    shop = program.load(f"""
        MESSAGE = {{"traceparent": "{PARENT}"}}
        @traced
        def poll():
            message = MESSAGE
            with TraceContext.from_message(message) as trace:
                inner()
                return trace.context
        @traced
        def inner(): pass
        @traced
        def late():
            with TraceContext() as trace: trace.context
            with TraceContext.from_message(MESSAGE): inner()
        """)
    assert shop.poll()["trace_id"] == TRACE
    assert {span.trace_id for span in program.spans()} == {TRACE}
    shop.late()
    late = program.span("late")
    assert (late.parent_id, late.trace_id != TRACE) == (None, True)
    assert [(link.trace_id, link.span_id) for link in late.links] == [(TRACE, SPAN)]


def test_a_call_inside_another_trace_is_linked_to_its_message(program):
    program.install()
    shop = program.load("""
        @traced
        def poll(messages): handle(messages)
        @traced
        def handle(messages):
            with TraceContext.from_message(messages[0]): pass
        """)
    shop.poll([{"traceparent": PARENT}])
    handled = program.span("handle")
    assert (handled.parent_id, handled.trace_id != TRACE) == (program.span("poll").span_id, True)
    assert [(link.trace_id, link.span_id) for link in handled.links] == [(TRACE, SPAN)]


def test_a_message_of_the_caller_itself_is_no_link(program):
    program.install()
    shop = program.load("""
        @traced
        def publish():
            with TraceContext() as trace:
                handle({"trace_context": trace.context})
        @traced
        def handle(message):
            with TraceContext.from_message(message): pass
        """)
    shop.publish()
    assert program.tree() == ["publish [shop]", "  handle [shop]"]
    assert program.span("handle").links == ()


def test_a_consumer_that_outlives_the_request_continues_its_trace(program):
    program.install()
    shop = program.load("""
        import asyncio
        @traced
        async def publish(done):
            with TraceContext() as trace:
                return asyncio.create_task(consume(done, {"trace_context": trace.context}))
        async def consume(done, message):
            await done.wait()
            await handle(message)
        @traced
        async def handle(message): pass
        """)

    async def main():
        done = asyncio.Event()
        task = await shop.publish(done)
        done.set()
        await task

    asyncio.run(main())
    assert program.tree() == ["publish [shop]", "  handle [shop]"]
    assert program.span("handle").links == ()


def test_without_a_span_the_block_is_one_named_after_its_function(program):
    program.install()
    shop = program.load("""
        def work():
            with TraceContext() as trace:
                trace.add_tag("n", 1)
                inner()
        async def awork():
            async with TraceContext() as trace:
                trace.add_tag("n", 2)
                inner()
        @traced
        def inner(): pass
        with TraceContext():
            pass
        """)
    shop.work()
    asyncio.run(shop.awork())
    assert program.tree() == ["trace [shop]", "work [shop]", "  inner [shop]", "awork [shop]", "  inner [shop]"]
    assert [program.span(name).attributes["n"] for name in ("work", "awork")] == [1, 2]


def test_a_block_of_its_own_records_what_is_raised_through_it(program):
    program.install()
    with pytest.raises(KeyError), TraceContext():
        raise KeyError("x")
    (span,) = program.spans()
    assert (span.status, span.attributes["error.type"]) == ("error", "KeyError")


def test_tags_are_plain_bounded_values(program):
    program.install()
    with TraceContext() as trace:
        for key, value in [("s", "x" * 9000), ("i", 1), ("f", 1.5), ("b", True), ("y", b"\xff"), ("l", ["a", "b"])]:
            trace.add_tag(key, value)
        trace.add_tag("o", object())
        trace.add_tag("n", None)
        trace.add_tag("mixed", ["a", 1])
        trace.add_tag("", 1)
        trace.add_tag(3, 1)
        for number in range(500):
            trace.add_tag(f"k{number}", number)
    trace.add_tag("late", 1)
    (span,) = program.spans()
    tags = span.attributes
    assert (len(tags["s"]), tags["i"], tags["f"], tags["b"], tags["l"]) == (4096, 1, 1.5, True, ["a", "b"])
    assert (tags["y"], tags["o"]) == ("\ufffd", "object")
    assert not {"n", "mixed", "", "late"} & set(tags)
    assert len(tags) == 128


def test_marked_and_kept_traces_are_exported_whatever_the_rate(program):
    program.install(sampler={"rate": 0.0})
    with TraceContext() as trace:
        trace.mark_as_error("no stock")
    with TraceContext() as trace:
        trace.keep()
    with TraceContext():
        pass
    first, second = program.spans()
    assert (first.status, first.status_message, second.status) == ("error", "no stock", "unset")


def test_threads_and_tasks_have_contexts_of_their_own(program):
    program.install()
    shop = program.load("""
        import asyncio
        @traced
        def in_thread(found):
            with TraceContext() as trace:
                found.append(trace.context["trace_id"])
        @traced
        async def in_task():
            with TraceContext() as trace:
                await asyncio.sleep(0)
                return trace.context["trace_id"]
        async def main():
            return await asyncio.gather(*(in_task() for _ in range(20)))
        """)
    found: list[str] = []
    threads = [threading.Thread(target=shop.in_thread, args=(found,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found += asyncio.run(shop.main())
    assert len(set(found)) == 30 == len(program.spans())


def test_the_application_s_own_opentelemetry_span_is_taken_as_current(program):
    from opentelemetry import trace as api

    program.install()
    with api.get_tracer("app").start_as_current_span("checkout"), TraceContext() as trace:
        trace.add_tag("n", 1)
    assert program.tree() == ["checkout [shop]"]
    assert program.span("checkout").attributes["n"] == 1


def test_failures_of_ours_do_not_reach_the_application(program, monkeypatch):
    program.install()
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    monkeypatch.setattr(guard, "failures", {})
    monkeypatch.setattr(guard, "is_ours", lambda error: isinstance(error, Exception))
    shop = program.load("@traced\ndef handle(message): return 1\n")
    monkeypatch.setattr("autotrace.declare.site.find_parent", None)
    monkeypatch.setattr("autotrace.declare.trace_context._context_of", None)
    monkeypatch.setattr("autotrace.declare.trace_context._tag_of", None)
    monkeypatch.setattr("autotrace.declare.lineage.current_span", None)
    assert shop.handle({}) == 1
    with TraceContext.from_message({}) as trace:
        trace.add_tag("a", 1)
        trace.keep()
        assert trace.context == {}
    assert len(guard.failures) >= 3


def test_without_tracing_nothing_happens_and_nothing_is_loaded(tmp_path):
    source = """
import sys
from autotrace import TraceContext, service, traced
@service
class Shop:
    @traced(tags={"n": "n"})
    def work(self, n):
        with TraceContext.from_message(n) as trace:
            trace.add_tag("a", object()); trace.mark_as_error(); trace.keep()
            return trace.context
assert Shop().work(object()) == {}
async def main():
    async with TraceContext() as trace:
        return trace.context
try: main().send(None)
except StopIteration as end: assert end.value == {}
heavy = {"pydantic", "opentelemetry", "wrapt", "asyncio", "sqlite3", "logging"}
print(sorted(heavy & set(sys.modules)))
"""
    done = run_child(tmp_path, "-c", source)
    assert (done.stdout, done.stderr) == ("[]\n", "")
