"""`@traced` gives back the function that it was given, traced, and stays out of every other way."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import pickle
import weakref

import pytest
from child_program import run_child

from autotrace import traced
from autotrace.errors import AutotraceError

SOURCE = """
    import functools

    def plain(n): return n
    before = plain
    add = traced(plain)

    @traced(name="renamed", tags={"n": "n", "out": "result", "fixed": "'x'"}, kind="client")
    def tagged(n): return n + 1

    @traced
    def numbers(n):
        for i in range(n):
            yield add(i)

    @traced
    async def anumbers(n):
        for i in range(n):
            yield add(i)

    @traced
    async def atotal(n):
        return sum([i async for i in anumbers(n)])

    class Shop:
        "A shop."
        rate = 2
        @traced
        def price(self, n): return add(n) * self.rate
        @staticmethod
        @traced
        def below(n): return add(n)
        @traced
        @staticmethod
        def above(n): return add(n)
        @classmethod
        @traced
        def made(cls, n): return cls().price(n)
        @property
        @traced
        def size(self): return 3
        @traced
        def __private(self): return 4
        def private(self): return self.__private()

    class Child(Shop):
        @traced
        def price(self, n):
            "Doubled."
            return super().price(n) * 2

    def closure(k):
        @traced
        def inner(n): return n + k
        return inner

    def logged(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs): return function(*args, **kwargs)
        return wrapper

    @traced
    @logged
    def over(n): return n

    @logged
    @traced
    def under(n): return n

    @logged
    def untraced(n): return n
    """


def call_everything(shop):
    """What the module's functions give."""
    inner, other = shop.closure(1), shop.closure(5)
    return [
        shop.add(1),
        shop.tagged(1),
        list(shop.numbers(2)),
        asyncio.run(shop.atotal(3)),
        shop.Shop().price(2),
        shop.Shop.below(3),
        shop.Shop.above(3),
        shop.Shop.made(4),
        shop.Shop().size,
        shop.Shop().private(),
        shop.Child().price(2),
        (inner(1), other(1)),
        shop.over(1),
        shop.under(1),
        shop.untraced(1),
    ]


EXPECTED = [1, 2, [0, 1], 3, 4, 3, 3, 8, 3, 4, 8, (2, 6), 1, 1, 1]
TREE = [
    "plain",
    "renamed",
    "numbers",
    "  plain",
    "  plain",
    "atotal",
    "  anumbers",
    "    plain",
    "    plain",
    "    plain",
    "Shop.price",
    "  plain",
    "Shop.below",
    "  plain",
    "Shop.above",
    "  plain",
    "Shop.made",
    "  Shop.price",
    "    plain",
    "Shop.size",
    "Shop.__private",
    "Child.price",
    "  Shop.price",
    "    plain",
    "closure.inner",
    "closure.inner",
    "over",
    "under",
]


@pytest.mark.parametrize("order", ["installed first", "installed later"])
def test_every_kind_of_function_is_traced(program, order):
    if order == "installed first":
        program.install()
    shop = program.load(SOURCE)
    if order == "installed later":
        assert call_everything(shop) == EXPECTED
        program.install()
    assert call_everything(shop) == EXPECTED
    assert [line.replace(" [shop]", "") for line in program.tree()] == TREE


def test_the_function_is_the_object_that_was_given(program):
    program.install()
    shop = program.load(SOURCE)
    assert shop.add is shop.before
    assert pickle.loads(pickle.dumps(shop.tagged)) is shop.tagged is copy.deepcopy(shop.tagged)
    assert str(inspect.signature(shop.Child.price)) == "(self, n)"
    assert shop.Child.price.__doc__ == "Doubled."
    assert inspect.isgeneratorfunction(shop.numbers)
    assert inspect.isasyncgenfunction(shop.anumbers)
    assert inspect.getsource(shop.tagged).startswith("@traced(name=")


def test_tags_name_and_kind_are_those_of_the_decorator(program):
    program.install()
    program.load(SOURCE).tagged(4)
    span = program.span("renamed")
    assert span.kind == "client"
    assert (span.attributes["n"], span.attributes["out"], span.attributes["fixed"]) == (4, 5, "x")
    assert span.attributes["code.function.name"] == "declaring_shop.tagged"


def test_tracebacks_show_the_frames_and_lines_of_the_source(program):
    program.install()
    shop = program.load("""
        @traced
        def outer(n):
            return inner(
                n)
        @traced
        def inner(n):
            raise KeyError(n)
        """)
    with pytest.raises(KeyError) as caught:
        shop.outer(1)
    shown = [(entry.name, entry.lineno + 1) for entry in caught.traceback[1:]]
    assert shown == [("outer", 5), ("inner", 9)]


def test_what_the_file_names_is_traced_once_and_as_the_file_says(program):
    program.install(services=[{"at": "declaring_shop:Shop", "span": "by file"}])
    shop = program.load("""
        @service
        class Shop:
            @traced(name="by code")
            def work(self): pass
            @traced
            def _other(self): pass
        """)
    shop.Shop().work()
    shop.Shop()._other()
    assert program.tree() == ["by file [Shop]", "Shop._other [Shop]"]


def test_what_the_file_names_in_a_loaded_module_is_traced_once(program):
    shop = program.load("class Shop:\n    @traced\n    def work(self): pass\n")
    program.install(services=[{"at": "declaring_shop:Shop"}])
    shop.Shop().work()
    assert program.tree() == ["Shop.work [shop]"]


def test_a_function_without_source_is_wrapped(program):
    program.install()
    namespace = {"__name__": "nowhere"}
    exec("def made(n):\n    return n + 1\nasync def amade(n):\n    return n\n", namespace)
    found = traced(tags={"n": "n", "out": "result"})(namespace["made"])
    assert (found(3), found.__name__) == (4, "made")
    assert asyncio.run(traced(namespace["amade"])(5)) == 5
    assert program.span("made").attributes["out"] == 4
    assert program.span("amade")


def test_a_source_that_changed_since_is_not_what_runs(program):
    shop = program.load("def f(n):\n    return n + 1\n")
    (program.folder / "declaring_shop.py").write_text("from autotrace import *\ndef f(n):\n    return n + 2\n")
    program.install()
    assert traced(shop.f)(1) == 2
    assert program.tree() == ["f [shop]"]


def test_functions_that_are_compiled_elsewhere_stay_as_they_are(program):
    program.install()
    shop = program.load("""
        def njit(function):
            seen.append(function.__code__.co_consts)
            return function
        seen = []
        @njit
        @traced
        def f(n): return n
        """)
    assert shop.f(1) == 1
    assert all(constant is None or isinstance(constant, str) for constant in shop.seen[0])
    assert program.spans() == []


def test_a_function_that_no_longer_compiles_is_wrapped(program):
    program.install()
    nested = "".join(f"{'    ' * depth}for i{depth} in (1,):\n" for depth in range(1, 21))
    shop = program.load(f"@traced\ndef f():\n{nested}{'    ' * 21}return 7\n")
    assert shop.f() == 7
    assert program.tree() == ["f [shop]"]


@pytest.mark.parametrize("how", ["patch", "off"])
def test_the_file_s_how_holds_for_declared_functions_too(program, how):
    program.install(how=how)
    shop = program.load("@traced\ndef f(): return 1\n")
    assert shop.f() == 1
    assert program.tree() == {"patch": ["f [shop]"], "off": []}[how]


def test_what_is_no_function_is_given_back(program):
    program.install()
    for thing in (int, len, 3, None, property(), object()):
        assert traced()(thing) is thing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "clint"}, 'kind = "clint" is none; it is one of internal, server, client, producer, consumer'),
        ({"tags": {"a": "orders.id"}}, 'tags["a"]: there is no parameter "orders"; did you mean "order"?'),
        ({"tags": {"a": "order.id()"}}, 'tags["a"]: "order.id()" is no path: '),
    ],
)
def test_a_tag_that_cannot_be_is_said_at_once_with_or_without_tracing(options, message):
    def create(order):
        return order

    with pytest.raises(AutotraceError, match=r"@traced of .*:.*create: ") as caught:
        traced(**options)(create)
    assert message in str(caught.value)


def test_functions_made_in_functions_are_forgotten(program):
    def make():
        @traced
        def inner(value):
            return value

        return inner

    untraced = weakref.ref(make())
    program.install()
    shop = program.load("def make():\n    @traced\n    def inner(value): return value\n    return inner\n")
    function = shop.make()
    assert function(1) == 1
    reference = weakref.ref(function)
    del function
    gc.collect()
    assert (untraced(), reference()) == (None, None)


def test_tracing_taken_out_records_nothing_and_can_be_put_in_again(program):
    program.install()
    shop = program.load("@traced\ndef f(): return 1\n")
    shop.f()
    assert len(program.spans()) == 1
    program.installation.uninstall()
    assert shop.f() == 1
    program.install()
    assert shop.f() == 1
    assert len(program.spans()) == 2


def test_the_launcher_traces_what_the_entry_script_declares(program):
    (program.folder / "app.py").write_text(
        "from autotrace import TraceContext, traced\n"
        "@traced\ndef main():\n    with TraceContext() as trace:\n        trace.add_tag('n', 1)\n"
        "def decide(f): return f\n"
        "@traced\n@decide\ndef second(n): return n\n"
        "main(); second(2)\n"
    )
    done = run_child(program.folder, "-m", "autotrace", "app.py")
    assert (done.returncode, done.stdout) == (0, "")
    shown = run_child(program.folder, "-m", "autotrace", "traces", "--format", "json")
    assert '"main"' in shown.stdout
    assert '"second"' in shown.stdout
