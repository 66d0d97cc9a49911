"""Each function of ours that a traced call goes through fails in turn, and the application does not notice (R07)."""

from __future__ import annotations

import asyncio
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from woven import current, target

from autotrace import guard
from autotrace.span.context import set_current

PACKAGE = Path(guard.__file__).parent
MODULES = ("span", "tracer", "site", "tagged", "drive", "delegate", "capture", "construct", "identifiers", "context")
# What a traced function enters and leaves by: the guard is in these, not around them.
BOUNDARY = {
    *("nullcontext", "__enter__", "__exit__", "tag", "iter", "aiter", "cast", "ExitStack"),
    *("Driver", "AsyncDriver"),  # they step the application's own generators
    *("_Steps.__init__", "_Steps.enter", "_Steps.leave", "_Steps.finish"),
}

SHOP = """
import asyncio
from contextlib import contextmanager

def create(n):
    if n: raise KeyError(n)
    return inner(n) + 1

def inner(n): return n

def rows(n):
    got = yield n
    try:
        yield got
    finally:
        inner(n)

async def pay(n):
    await asyncio.sleep(0)
    if n: raise KeyError(n)
    return n

async def arows(n):
    yield n
    yield n + 1
"""


def functions() -> Iterator[tuple[str, Any, str]]:
    """Module or class, and the name of a function of it."""
    for name in MODULES:
        module = importlib.import_module(f"autotrace.span.{name}")
        for holder in (module, *(one for one in vars(module).values() if inspect.isclass(one))):
            if holder is not module and holder.__module__ != module.__name__:
                continue
            for key, value in vars(holder).items():
                defined = inspect.isfunction(value) and value.__module__ == module.__name__
                if defined and not BOUNDARY & {key, holder.__name__, value.__qualname__}:
                    yield f"{name}:{value.__qualname__}", holder, key


FUNCTIONS = {name: (holder, key) for name, holder, key in functions()}


def failing(error: type[Exception]) -> Callable[..., Any]:
    """A function whose frame lies in our package, as a failure of ours does."""
    names: dict[str, Any] = {"error": error}
    exec(compile("def fail(*a, **k): raise error('ours')", str(PACKAGE / "fault.py"), "exec"), names)
    found: Callable[..., Any] = names["fail"]
    return found


def use(shop: Any) -> list[object]:
    """What the application sees of its functions."""
    seen: list[object] = [shop.create(0)]
    for call in (lambda: shop.create(1), lambda: asyncio.run(shop.pay(1))):
        try:
            call()
        except BaseException as error:
            seen.append((type(error), error.args, error.__context__, error.__cause__))
    rows = shop.rows(3)
    seen += [next(rows), rows.send(4), rows.close()]
    seen += [list(shop.rows(1)), asyncio.run(shop.pay(0))]

    async def all_rows() -> list[int]:
        return [row async for row in shop.arows(1)]

    seen += [asyncio.run(all_rows()), current()]
    return seen


@pytest.mark.parametrize("error", [ValueError, RecursionError, MemoryError])
def test_each_function_of_ours_may_fail(error: type[Exception], traced: Any, how: str, monkeypatch: Any) -> None:
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    monkeypatch.setattr(guard, "failures", {})
    tags = (("n", "n"), ("out", "result"))
    program = traced(*(target(name, tags=tags) for name in ("create", "inner", "rows", "pay", "arows")), how=how)
    shop = program.load(SHOP)
    expected = use(shop)
    assert expected[0] == 1
    noticed = {}
    fail = failing(error)
    for name, (holder, key) in FUNCTIONS.items():
        set_current(None)
        with monkeypatch.context() as patched:
            patched.setattr(holder, key, fail)
            try:
                seen = use(shop)
            except BaseException as failure:
                noticed[name] = repr(failure)
                continue
        if seen != expected:
            noticed[name] = str(seen)
    assert not noticed, "\n".join(f"{name}: {seen}" for name, seen in noticed.items())
    assert guard.failures
