"""Woven code adds no name that a program can see."""

from __future__ import annotations

import asyncio
import inspect
import sys

import pytest
from woven import attributes, target


def test_locals_show_only_the_functions_own(traced):
    shop = traced("create", "numbers").load("""
        def create(order, *rest, key=1, **more):
            total = 2
            return sorted(locals())

        def numbers(n):
            m = n
            yield sorted(locals())
        """)
    assert shop.create(1) == ["key", "more", "order", "rest", "total"]
    assert next(shop.numbers(1)) == ["m", "n"]


def test_dir_and_star_import_of_a_module_are_as_untraced(traced):
    source = "import os\n\ndef create(): pass\n\nclass Shop:\n    def close(self): pass\n"
    program = traced("create", "Shop.close")
    shop = program.load(source)
    plain = program.load(source, "plain")
    assert dir(shop) == dir(plain)
    star: dict[str, object] = {}
    exec("from shop import *", star)
    star.pop("__builtins__")
    assert sorted(star) == ["Shop", "create", "os"]


def test_a_class_does_not_mangle_what_was_added(traced):
    program = traced("Shop.create")
    shop = program.load("""
        class Shop:
            def create(self):
                self.__hidden = 1
                return sorted(vars(self))
        """)
    assert shop.Shop().create() == ["_Shop__hidden"]
    assert program.tree() == "Shop.create"


def test_the_documentation_stays_first(traced):
    shop = traced("create", "numbers").load('''
        """Module."""
        from __future__ import annotations

        def create():
            """Creates."""

        def numbers():
            """Counts."""
            yield 1

        def typed(x: NoSuchName): ...
        ''')
    assert (shop.__doc__, shop.create.__doc__, shop.numbers.__doc__) == ("Module.", "Creates.", "Counts.")
    assert shop.typed.__annotations__ == {"x": "NoSuchName"}


def test_a_function_of_only_documentation_is_traced(traced):
    program = traced("create")
    assert program.load('def create():\n    "Creates."\n').create() is None
    assert program.tree() == "create"


def test_argument_tags_are_read_at_entry(traced, how):
    program = traced(target("create", tags=(("order", "order['id']"),)), how=how)
    shop = program.load("""
        def create(order):
            order["id"] = "changed"
            order = None
        """)
    shop.create({"id": "first"})
    assert attributes(program.span("create")) == {"order": "first"}


def test_result_tags_are_read_from_what_is_returned(traced, how):
    program = traced(target("create", tags=(("total", "result['total']"),)), how=how)
    shop = program.load("""
        def create(fine):
            try:
                if fine:
                    return {"total": 3}
            finally:
                fine = None
        """)
    assert shop.create(True) == {"total": 3}
    assert shop.create(False) is None
    assert [attributes(span) for span in program.spans] == [{"total": 3}, {}]


def test_error_tags_are_read_from_what_is_raised(traced, how):
    program = traced(target("create", tags=(("code", "error.code"),)), how=how)
    shop = program.load("""
        class Refused(Exception):
            def __init__(self, code):
                super().__init__("refused")
                self.code = code

        def create():
            raise Refused(7)
        """)
    with pytest.raises(shop.Refused):
        shop.create()
    assert attributes(program.span("create"))["code"] == 7


def test_constants_of_the_user_that_look_alike_stay(traced):
    shop = traced("create").load('def create():\n    return "\\0autotrace:", "autotrace:0:site"\n')
    assert shop.create() == ("\0autotrace:", "autotrace:0:site")


def test_every_kind_of_function_is_traced(traced, how):
    program = traced("*", "Shop.*", "Shop.Inner.*", how=how)
    shop = program.load("""
        def plain(): return 1
        async def waiting(): return 2
        def numbers(): yield 3

        class Shop:
            def method(self): return 5
            @classmethod
            def build(cls): return 6, cls
            @staticmethod
            def check(): return 7
            @property
            def size(self): return 8
            class Inner:
                def deep(self): return 9
        """)
    assert (shop.plain(), asyncio.run(shop.waiting()), list(shop.numbers())) == (1, 2, [3])
    one = shop.Shop()
    assert (one.method(), one.size, shop.Shop.Inner().deep()) == (5, 8, 9)
    assert one.build() == shop.Shop.build() == (6, shop.Shop)
    assert one.check() == shop.Shop.check() == 7
    names = "plain waiting numbers Shop.method Shop.size Shop.Inner.deep Shop.build Shop.build Shop.check Shop.check"
    assert program.tree() == names.replace(" ", "\n")


def test_nested_functions_are_traced(traced):
    program = traced("outer.inner", "outer")
    shop = program.load("""
        def outer(n):
            def inner():
                return n + 1
            return inner
        """)
    assert shop.outer(1)() == 2
    assert program.tree() == "outer\nouter.inner"


def test_signatures_and_kinds_are_kept(traced, how):
    source = """
        import typing

        def plain(a, /, b: int = 1, *c, d, e=2, **f) -> str: ...
        async def waiting(a=1): ...
        def numbers(a, *b, c=3, **d): yield a, b, c, d
        async def rows(a, *, b=1): yield a, b
        """
    program = traced("*", how=how)
    shop, plain = program.load(source), program.load(source, "plain")
    for name in ("plain", "waiting", "numbers", "rows"):
        ours, theirs = getattr(shop, name), getattr(plain, name)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert inspect.getfullargspec(ours) == inspect.getfullargspec(theirs)
        assert ours.__kwdefaults__ == theirs.__kwdefaults__
        assert ours.__code__.co_flags & inspect.CO_GENERATOR == theirs.__code__.co_flags & inspect.CO_GENERATOR
        for kind in (inspect.isgeneratorfunction, inspect.isasyncgenfunction, inspect.iscoroutinefunction):
            assert kind(ours) == kind(theirs)
    assert list(shop.numbers(1, 2, 3, c=4, d=5)) == [(1, (2, 3), 4, {"d": 5})]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with 3.12")
def test_type_parameters_are_kept(traced):
    shop = traced("first", "each", "Box.get").load("""
        def first[T](items: list[T]) -> T:
            return items[0]

        def each[T](items: list[T]):
            kind: T
            yield from items

        class Box[T]:
            def get[U: int](self, item: U) -> T:
                return (item, __class__)
        """)
    assert shop.first([1]) == 1
    assert list(shop.each([1])) == [1]
    assert shop.Box().get(2) == (2, shop.Box)
    assert [str(one) for one in shop.first.__type_params__] == ["T"]
