"""Attributes of classes that were seen before are read quickly, and never otherwise than at first."""

from __future__ import annotations

import gc
import weakref
from collections import namedtuple
from typing import Any

import pytest

from autotrace.plan.known import attribute_reader
from autotrace.plan.plain import ABSENT, NOT_PLAIN, plain_attribute


class Order:
    def __init__(self, id: object = "abc") -> None:
        self.id = id


class Slotted:
    __slots__ = ("id",)


def test_the_second_read_gives_what_the_first_gave() -> None:
    read = attribute_reader("id")
    assert [read(Order(n)) for n in range(3)] == [0, 1, 2]


def test_a_slot_is_read_and_an_unset_one_is_absent() -> None:
    read = attribute_reader("id")
    full, empty = Slotted(), Slotted()
    full.id = 7
    assert [read(full), read(empty), read(full)] == [7, ABSENT, 7]


def test_a_default_of_the_class_gives_way_to_the_instance_and_to_a_new_default() -> None:
    class Rule:
        template: str | None = None

    read = attribute_reader("template")
    bare, full = Rule(), Rule()
    full.template = "/orders"
    assert [read(bare), read(full), read(bare), read(full)] == [None, "/orders", None, "/orders"]
    Rule.template = "/"
    assert [read(bare), read(full)] == ["/", "/orders"]


def test_a_property_put_on_a_known_class_later_is_not_run() -> None:
    class Late(Order):
        pass

    read = attribute_reader("id")
    assert [read(Late("a")), read(Late("b"))] == ["a", "b"]
    late = Late("c")
    Late.id = property(lambda self: pytest.fail("the property was run"))  # type: ignore[assignment]
    assert read(late) is NOT_PLAIN


def test_a_property_put_on_a_base_later_is_not_run() -> None:
    class Above:
        pass

    class Below(Above):
        pass

    read = attribute_reader("name")
    below = Below()
    below.name = "x"  # type: ignore[attr-defined]
    assert [read(below), read(below)] == ["x", "x"]
    Above.name = property(lambda self: pytest.fail("the property was run"))  # type: ignore[attr-defined]
    assert read(below) is NOT_PLAIN


def test_an_attribute_that_one_instance_lacks_is_absent_though_another_had_it() -> None:
    class Bare:
        pass

    class Guarded:
        def __getattr__(self, name: str) -> Any:
            pytest.fail("__getattr__ was run")

    read = attribute_reader("id")
    one = Bare()
    one.id = 1  # type: ignore[attr-defined]
    assert [read(one), read(one), read(Bare())] == [1, 1, ABSENT]
    two = Guarded()
    two.id = 2
    assert [read(two), read(two), read(Guarded())] == [2, 2, NOT_PLAIN]


def test_getattribute_of_a_class_is_never_run() -> None:
    class Spying(Order):
        def __getattribute__(self, name: str) -> Any:
            pytest.fail("__getattribute__ was run")

    read = attribute_reader("id")
    spy = Spying.__new__(Spying)
    object.__setattr__(spy, "id", 5)
    assert [read(spy), read(spy)] == [plain_attribute(spy, "id")] * 2


def test_a_hash_of_a_metaclass_is_never_run() -> None:
    class Meta(type):
        def __hash__(cls) -> int:
            pytest.fail("__hash__ was run")

        def __eq__(cls, other: object) -> bool:
            pytest.fail("__eq__ was run")

    class Strange(metaclass=Meta):
        id = 0

        def __init__(self) -> None:
            self.id = 3

    read = attribute_reader("id")
    assert [read(Strange()), read(Strange())] == [3, 3]


def test_named_tuples_modules_and_plain_values_read_as_at_first() -> None:
    pair = namedtuple("pair", "id other")(1, 2)
    for value in (pair, gc, 5, "text", None, Order, [], {}):
        for name in ("id", "other", "collect", "real", "append"):
            read = attribute_reader(name)
            assert [read(value), read(value)] == [plain_attribute(value, name)] * 2


def test_classes_that_a_program_makes_as_it_goes_are_not_kept() -> None:
    read = attribute_reader("id")
    kinds = []
    for _ in range(100):
        kind = type("Made", (Order,), {})
        read(kind())
        kinds.append(weakref.ref(kind))
    del kind
    gc.collect()
    assert sum(one() is not None for one in kinds) <= 16
