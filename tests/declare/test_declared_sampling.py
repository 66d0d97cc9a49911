"""Rules for endpoints, where what is traced was declared: callers that are ignored, and handlers that leave nothing."""

from __future__ import annotations

import pytest
from child_program import run_child

from autotrace import TraceContext

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
MESSAGE = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "dd=1"}

HANDLERS = """
    @traced
    def handle(message): return TraceContext().context
    @traced(kind="consumer")
    def consume(message): return TraceContext().context
    @traced
    def read(box):
        with TraceContext.from_message(box[0]) as trace: return trace.context
    @traced
    def twice(message):
        with TraceContext.from_message(message) as trace: return trace.context
    def block(message):
        with TraceContext.from_message(message) as trace: return trace.context
    def late(message):
        with TraceContext() as trace:
            trace.context
            return TraceContext.from_message(message).context
    """


def _rule(endpoint, **settings):
    return {"endpoints": [{"endpoint": endpoint, **settings}]}


def _call(shop, name, message=MESSAGE):
    return getattr(shop, name)([message] if name == "read" else message)


@pytest.mark.parametrize("name", ["handle", "consume", "read", "twice", "block", "late"])
def test_a_consumer_that_ignores_callers_starts_a_trace_of_its_own_linked_to_the_sender(program, name):
    program.install(sampler=_rule("*", inbound="ignore"))
    context = _call(program.load(HANDLERS), name)
    assert context["trace_id"] != TRACE
    assert (context["parent_id"], context["tracestate"]) == ("", "")
    span = program.span(name)
    assert (span.trace_id, span.parent_id) == (context["trace_id"], None)
    assert [(link.trace_id, link.span_id) for link in span.links] == [(TRACE, SPAN)]


@pytest.mark.parametrize("name", ["handle", "consume", "read", "twice", "block"])
def test_below_a_silent_consumer_what_is_sent_goes_on_below_the_sender(program, name):
    program.install(sampler=_rule("*", record=False))
    context = _call(program.load(HANDLERS), name)
    assert (context["trace_id"], context["span_id"], context["tracestate"]) == (TRACE, SPAN, "dd=1")
    assert context["traceparent"] == MESSAGE["traceparent"]
    assert program.spans() == []


@pytest.mark.parametrize("name", ["handle", "consume", "read", "twice", "block"])
def test_a_silent_consumer_without_a_sender_sends_that_its_trace_is_not_sampled(program, name):
    program.install(sampler=_rule("*", record=False))
    context = _call(program.load(HANDLERS), name, {})
    assert context["traceparent"] == f"00-{context['trace_id']}-{context['span_id']}-00"
    assert context["parent_id"] == ""
    assert program.spans() == []


@pytest.mark.parametrize("name", ["handle", "consume", "read", "twice", "block"])
def test_a_silent_consumer_that_ignores_callers_sends_ids_of_its_own(program, name):
    program.install(sampler={"inbound": "ignore", **_rule("*", record=False)})
    context = _call(program.load(HANDLERS), name)
    assert context["trace_id"] != TRACE
    assert context["traceparent"].endswith("-00")


@pytest.mark.parametrize("name", ["handle", "consume", "read", "twice", "block"])
def test_a_silent_consumer_is_counted_once(program, name):
    program.install(sampler={"inbound": "ignore", **_rule("*", record=False)})
    _call(program.load(HANDLERS), name)
    (counts,) = program.installation._runtime._sampler.counts().endpoints
    assert (counts.endpoint, counts.seen, counts.kept) == (name, 1, 0)


def test_the_ids_below_a_silent_function_are_the_same_wherever_they_are_asked_for(program):
    program.install(sampler=_rule("handle", record=False))
    shop = program.load("""
        @traced
        def handle(): return inner(), TraceContext().context, block()
        @traced
        def inner(): return TraceContext().context
        def block():
            with TraceContext() as trace:
                trace.add_tag("n", 1)
                trace.mark_as_error()
                trace.keep()
                inner()
                return trace.context
        @traced
        def after(): pass
        """)
    first, second, third = shop.handle()
    assert first == second == third
    assert first["traceparent"].endswith("-00")
    shop.after()
    assert program.tree() == ["after [shop]"]


def test_a_silent_block_leaves_the_context_as_it_was(program):
    program.install(sampler=_rule("block", record=False))
    shop = program.load("""
        def block(fail=False):
            with TraceContext() as trace:
                inner()
                if fail: raise KeyError(1)
        @traced
        def inner(): pass
        """)
    shop.block()
    with pytest.raises(KeyError):
        shop.block(fail=True)
    assert TraceContext().context == {}
    shop.inner()
    assert program.tree() == ["inner [shop]"]


LIMITED = {"type": "rate_limiting", "per_second": 5, **_rule("nobody", rate=1.0)}
"""Five traces a second, for whoever has it; and a rule that nobody meets."""

SERVICES = f"""
from autotrace import service, traced
CONFIG = {{"service_name": "pay", "sampler": {LIMITED!r}}}
@service(tracing=CONFIG)
class Cards:
    @traced
    def pay(self): pass
@service(tracing=CONFIG)
class Invoices:
    @traced
    def pay(self): pass
@service(tracing={{**CONFIG, "service_name": "ship"}})
class Parcels:
    @traced
    def send(self): pass
@traced
def work(): pass
"""


def test_one_config_of_one_service_is_one_sampler(program):
    program.install()
    shop = program.load(SERVICES)
    for _ in range(100):
        for call in (shop.Cards().pay, shop.Invoices().pay, shop.work, shop.Parcels().send):
            call()
    counts = program.installation._runtime._sampler.counts()
    # What comes first of a second is let through at once; a second may end meanwhile.
    assert (counts.seen, counts.sampled) in {(400, 110), (400, 111), (400, 112)}
    assert [one.endpoint for one in counts.unused] == ["nobody", "nobody"]


def test_a_service_that_installs_tracing_limits_the_process_and_itself_together(tmp_path):
    source = f"{SERVICES}for _ in range(100): Cards().pay(), Invoices().pay(), work()\n"
    done = run_child(tmp_path, "-c", source)
    assert (done.returncode, done.stderr) == (0, "")
    listed = run_child(tmp_path, "-m", "autotrace", "traces")
    assert len([line for line in listed.stdout.splitlines() if line.endswith("[pay]")]) in {5, 6}


def test_a_service_ignores_the_errors_that_its_own_config_names(program):
    program.install(sampler={"rate": 0, "keep": {"ignore": ["OSError"]}})
    shop = program.load("""
        @service(tracing={"service_name": "pay", "sampler": {"rate": 0, "keep": {"ignore": ["LookupError"]}}})
        class Pay:
            @traced
            def fail(self, kind): fail_inside(kind)
        @traced
        def fail_inside(kind): raise kind(1)
        """)
    for fail in (shop.Pay().fail, shop.fail_inside):
        for kind in (KeyError, OSError):
            with pytest.raises(kind):
                fail(kind)
    assert [(span.name, span.attributes["error.type"]) for span in program.spans()] == [
        ("Pay.fail", "OSError"),
        ("fail_inside", "OSError"),
        ("fail_inside", "KeyError"),
    ]
