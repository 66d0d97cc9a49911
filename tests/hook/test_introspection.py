"""Frames, kinds, names and identity as libraries read them."""

from __future__ import annotations

import abc
import asyncio
import collections
import copy
import dataclasses
import enum
import functools
import inspect
import json
import types
import typing
import unittest.mock
import warnings

import pytest
from woven import target

KINDS = """
    import functools, abc, dataclasses

    def plain(a: int, b: str = "x", *, c=1) -> float:
        "Doc."
        return a

    async def waiting(a: int): return a
    def rows(a: int): yield a

    class Shop:
        def method(self, a: int): return a
        async def waits(self): return 1
        def each(self): yield 1
        @classmethod
        def build(cls): return cls
        @staticmethod
        def check(a): return a
        @property
        def size(self): "Size."; return 3
        def __call__(self, a): return a
    """
TARGETS = ("*", "Shop.*")


@pytest.fixture
def both(traced, how):
    program = traced(*TARGETS, how=how)
    return program.load(KINDS), program.load(KINDS, "plain")


@pytest.mark.parametrize(
    "path", ["plain", "waiting", "rows", "Shop.method", "Shop.waits", "Shop.each", "Shop.build", "Shop.check"]
)
@pytest.mark.parametrize(
    "ask",
    [
        inspect.signature,
        inspect.getfullargspec,
        inspect.isfunction,
        inspect.ismethod,
        inspect.isgeneratorfunction,
        inspect.iscoroutinefunction,
        inspect.isasyncgenfunction,
        inspect.isroutine,
        inspect.getdoc,
        inspect.getsource,
        typing.get_type_hints,
        callable,
        lambda f: (f.__name__, f.__qualname__, f.__module__.replace("shop", "plain"), f.__annotations__, f.__doc__),
        lambda f: (f.__defaults__, f.__kwdefaults__),
        lambda f: (f.__code__.co_name, f.__code__.co_firstlineno, f.__code__.co_argcount, f.__code__.co_varnames[:1]),
        lambda f: {f: 1}[f],
        lambda f: f == f and hash(f) == hash(f),
        lambda f: inspect.signature(unittest.mock.create_autospec(f)),
        lambda f: bool(getattr(f, "__isabstractmethod__", False)),
        lambda f: inspect.iscoroutinefunction(functools.partial(f)),
        lambda f: isinstance(f, types.FunctionType | types.MethodType),
    ],
)
def test_what_can_be_asked_of_a_function_is_as_untraced(both, path, ask):
    shop, plain = both
    ours, theirs = shop, plain
    for name in path.split("."):
        ours, theirs = getattr(ours, name), getattr(theirs, name)
    assert ask(ours) == ask(theirs)


def test_a_woven_function_is_a_function_and_no_wrapper(traced):
    shop = traced(*TARGETS).load(KINDS)
    assert type(shop.plain) is types.FunctionType
    assert type(vars(shop.Shop)["build"]) is classmethod
    assert type(vars(shop.Shop)["check"]) is staticmethod
    assert type(vars(shop.Shop)["size"]) is property
    assert not hasattr(shop.plain, "__wrapped__")


def test_properties_keep_their_documentation(both):
    shop, plain = both
    assert shop.Shop.size.__doc__ == plain.Shop.size.__doc__ == "Size."
    assert shop.Shop().size == 3


def test_functions_can_be_used_as_functions_are(traced, how):
    source = """
        import abc, dataclasses, enum, functools

        @functools.singledispatch
        def describe(a): return "object"

        @describe.register
        def describe_int(a: int): return "int"

        def default(): return [1]

        def with_defaults(a, b=1): return a, b

        def bound(self): return self.n

        @dataclasses.dataclass
        class Order:
            lines: list = dataclasses.field(default_factory=default)
            compute: object = default

        class Shape(abc.ABC):
            @abc.abstractmethod
            def area(self): ...

        class Square(Shape):
            def area(self): return 4
            half = functools.partialmethod(lambda self, n: n / 2, 3)

        class Color(enum.Enum):
            RED = 1
            def shade(self): return self.value

        class Slotted:
            __slots__ = ("n",)
            def __init__(self): self.n = 1
            def get(self): return self.n
        """
    program = traced("*", "*.*", how=how)
    shop = program.load(source)
    assert (shop.describe("x"), shop.describe(1)) == ("object", "int")
    assert (shop.Order().lines, shop.Order().compute()) == ([1], [1])
    shop.with_defaults.__defaults__ = (5,)
    assert shop.with_defaults(1) == (1, 5)
    shop.with_defaults.note = "x"
    assert shop.with_defaults.note == "x"
    with pytest.raises(TypeError, match="abstract"):
        shop.Shape()
    assert (shop.Square().area(), shop.Square().half()) == (4, 1.5)
    assert (list(shop.Color), shop.Color.RED.shade()) == ([shop.Color.RED], 1)
    assert shop.Slotted().get() == 1
    assert types.MethodType(shop.bound, types.SimpleNamespace(n=7))() == 7
    assert isinstance(shop.Square(), shop.Shape)
    assert issubclass(shop.Square, shop.Shape)
    assert type(shop.Shape) is abc.ABCMeta
    assert json.dumps({"a": shop.default()}) == '{"a": [1]}'
    assert copy.deepcopy(shop.Order()) == shop.Order()
    assert enum.Enum in shop.Color.__mro__
    assert dataclasses.is_dataclass(shop.Order)


def test_an_identity_that_a_library_compares_is_kept(traced):
    program = traced("frozen", "Shop.set")
    shop = program.load("""
        def frozen(self, name, value): raise AttributeError(name)
        table = {"frozen": frozen}
        class Shop:
            __setattr__ = frozen
            def set(self): pass
            alias = set
        """)
    assert shop.Shop.__setattr__ is shop.frozen is shop.table["frozen"]
    assert shop.Shop.set is shop.Shop.alias
    with pytest.raises(AttributeError):
        shop.Shop().x = 1
    assert program.tree() == "frozen!"


def test_code_that_looks_at_frames_sees_what_it_would_see_untraced(traced):
    source = """
        import collections, inspect, logging, sys, typing, warnings

        def warn(): warnings.warn("old", DeprecationWarning, stacklevel=2)
        def call_warn(): warn()
        def caller(): return [(f.function, f.lineno) for f in inspect.stack()[:2]]
        def call_caller(): return caller()
        def module_of_caller(): return sys._getframe(1).f_globals["__name__"]
        def make(): return collections.namedtuple("Point", "x y"), typing.TypeVar("T")
        def log(logger): logger.warning("x")
        """
    program = traced("*")
    shop, plain = program.load(source), program.load(source, "plain")
    lines = []
    for module in (shop, plain):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            module.call_warn()
        lines.append((caught[0].lineno, caught[0].filename == module.__file__))
        lines.append(module.call_caller())
        lines.append([one.__module__ == module.__name__ for one in module.make()])
        lines.append(module.module_of_caller())
    assert lines[:4] == lines[4:]
    assert program.spans


def test_a_log_record_names_its_function(traced, caplog):
    shop = traced("log").load("import logging\ndef log(): logging.getLogger('shop').warning('x')\n")
    shop.log()
    assert [(record.funcName, record.lineno) for record in caplog.records] == [("log", 2)]


def test_callables_without_a_name_are_traced_or_left_alone(traced, how):
    program = traced("short", "part", "thing", "Callable.__call__", "starred", how=how)
    shop = program.load("""
        import functools
        short = lambda a: a + 1
        def starred(*a): return a
        part = functools.partial(starred, 1)
        class Callable:
            def __call__(self, a): return a * 2
        thing = Callable()
        """)
    assert (shop.short(1), shop.part(2), shop.thing(3)) == (2, (1, 2), 6)
    assert "Callable.__call__" in program.tree()


def test_the_duration_of_a_coroutine_includes_its_waits(traced, how):
    program = traced("wait", how=how)
    shop = program.load("import asyncio\nasync def wait(): await asyncio.sleep(0.02)\n")
    asyncio.run(shop.wait())
    span = program.span("wait")
    assert span.end - span.start >= 19_000_000


def test_a_coroutine_keeps_its_name_and_is_awaited_as_ever(traced, how):
    program = traced("wait", how=how)
    shop = program.load("async def wait(): return 1\n")
    coroutine = shop.wait()
    assert inspect.iscoroutine(coroutine)
    assert collections.abc.Coroutine in type(coroutine).__mro__ or isinstance(coroutine, collections.abc.Coroutine)
    if how == "weave":
        assert (coroutine.__name__, coroutine.__qualname__) == ("wait", "wait")
    coroutine.close()
    assert program.tree() == ""


def test_a_coroutine_that_is_never_awaited_warns_as_untraced(traced):
    shop = traced("wait").load("async def wait(): return 1\n")
    with pytest.warns(RuntimeWarning, match="coroutine 'wait' was never awaited"):
        shop.wait()
        import gc

        gc.collect()


def test_a_cancelled_coroutine_restores_what_was_current(traced, how):
    program = traced("outer", "wait", how=how)
    shop = program.load("""
        import asyncio
        from woven import current
        async def wait(): await asyncio.sleep(60)
        async def outer():
            try:
                await asyncio.wait_for(wait(), 0.01)
            except (TimeoutError, asyncio.TimeoutError):
                return current()
        """)
    assert asyncio.run(shop.outer()) == "outer"
    assert program.tree() == "outer\n  wait"


def test_a_coroutine_closed_by_another_context_does_not_change_that_one(traced, how):
    program = traced("wait", "other", how=how)
    shop = program.load("""
        import asyncio
        from woven import current
        async def wait(): await asyncio.sleep(60)
        def other(coroutine):
            coroutine.close()
            return current()
        """)

    async def main():
        coroutine = shop.wait()

        async def start():
            coroutine.send(None)

        await asyncio.create_task(start())
        return shop.other(coroutine)

    assert asyncio.run(main()) == "other"
    assert "wait" in program.tree()
    assert "other" in program.tree()


def test_tags_and_names_are_those_of_the_target(traced, how):
    program = traced(target("create", span="create an order", service="Orders"), how=how)
    program.load("def create(): pass\n").create()
    span = program.span("create an order")
    assert span.site.attributes["autotrace.service"] == "Orders"
    assert span.site.attributes["code.function.name"] == "shop.create"
