"""What tracing holds on to (R21): nothing that nobody else holds, whether spans end or not."""

from __future__ import annotations

import contextvars
import gc
import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from autotrace.span.context import get_current, set_current
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer

MANY = 100_000
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def tracer() -> Iterator[Tracer]:
    """One that drops what it gets, so that nothing but tracing itself can hold a span."""

    def forget(root: LocalRoot, spans: Sequence[Span]) -> None:
        return None

    gc.collect()
    yield Tracer(lambda root: True, lambda root: True, forget)
    set_current(None)
    gc.collect()
    assert gc.garbage == []


def alive(*kinds: type) -> int:
    gc.collect()
    return sum(isinstance(one, kinds) for one in gc.get_objects())


def begin_and_leave(site: Site) -> None:
    """Start a call in a context of its own, with another below it, and forget both."""

    def begin() -> None:
        site.nullcontext()
        Site(site.tracer, "child").nullcontext()

    contextvars.Context().run(begin)


def test_local_roots_that_never_end_are_freed(tracer: Tracer) -> None:
    site = Site(tracer, "request", "server")
    before = alive(Span, LocalRoot)
    for _ in range(MANY):
        begin_and_leave(site)
    assert alive(Span, LocalRoot) == before


def test_so_are_those_of_opentelemetry(tracer: Tracer) -> None:
    from opentelemetry.context import Context

    from autotrace.span.facade import Facade
    from autotrace.span.provider import FacadeTracer

    theirs = FacadeTracer(tracer, "shop")
    before = alive(Span, LocalRoot, Facade)
    for _ in range(MANY // 5):
        theirs.start_span("request", context=Context(), attributes={"number": 1})
    assert alive(Span, LocalRoot, Facade) == before


def test_calls_that_never_end_are_freed_with_their_local_root(tracer: Tracer) -> None:
    before = alive(Span, LocalRoot)
    root = tracer.start(Site(tracer, "request", "server"), Span, None)
    child = Site(tracer, "child")
    for _ in range(MANY):
        tracer.start(child, Span, root)
    root.close()
    del root
    assert alive(Span, LocalRoot) == before


def test_an_open_local_root_does_not_hold_the_calls_that_nobody_else_holds(tracer: Tracer) -> None:
    root = tracer.start(Site(tracer, "request", "server"), Span, None)
    before = alive(Span)
    child = Site(tracer, "child")
    for _ in range(MANY):
        tracer.start(child, Span, root)
    assert alive(Span) == before
    root.close()


def test_a_chain_of_tasks_does_not_hold_the_local_roots_that_have_ended(tracer: Tracer) -> None:
    site = Site(tracer, "step", "consumer")
    before = alive(Span, LocalRoot)

    def step(number: int) -> contextvars.Context:
        with site.nullcontext():
            return contextvars.copy_context()

    context = contextvars.Context()
    for number in range(10_000):
        context = context.run(step, number)
    assert alive(Span, LocalRoot) <= before + 5
    del context


MAKING = """
import gc, weakref
import autotrace

def make(number):
    @autotrace.traced(name="made", tags={"number": "result"})
    def made():
        return number
    return made

held = []
for number in range(10_000):
    made = make(number)
    assert made() == number
    held.append(weakref.ref(made))
del made
gc.collect()
print(sum(one() is not None for one in held))
"""


def test_functions_that_are_made_and_traced_at_run_time_are_freed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(MAKING)
    command = [sys.executable, "-m", "autotrace", str(tmp_path / "app.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTOTRACE_STORE": str(tmp_path / "traces.db")}
    outcome = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert outcome.stdout == "0\n", outcome.stderr


def test_handlers_that_are_given_to_a_library_at_run_time_are_freed(tracer: Tracer) -> None:
    from recording import Recording, target

    def subscribe(handler: Callable[[Any], None]) -> Callable[[Any], None]:
        return handler

    subscribing = Recording().traced(
        subscribe,
        target("here:subscribe", "messaging.process", handler="handler", arguments="message", tags={"n": "message.n"}),
    )
    held, before = [], alive(Site)
    for _ in range(1_000):  # each costs two milliseconds: its wrapper is compiled

        def handler(message: Any) -> None:
            assert get_current() is not None

        held.append(weakref.ref(subscribing(handler)))
    del handler
    assert alive(Site) == before
    assert [one for one in held if one() is not None] == []


def test_a_finished_call_leaves_no_garbage_but_its_local_roots_ring(tracer: Tracer) -> None:
    site, child = Site(tracer, "request", "server"), Site(tracer, "child")

    def request() -> None:
        with site.nullcontext(), child.nullcontext(), child.nullcontext():
            pass

    request()
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            request()
        # The local root and its span hold each other, each of both has two slots' worth of objects, and no call adds any.
        found = gc.collect()
    finally:
        gc.enable()
    assert found <= 100 * 6
