"""The field language, and how it reads a value without running code of the application."""

from __future__ import annotations

import signal
from collections import OrderedDict, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotrace.errors import PathError
from autotrace.plan.path import ABSENT, NOT_PLAIN, Attribute, Item, Path, getter, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("order", Path("order")),
        ("self.shop.id", Path("self", (Attribute("shop"), Attribute("id")))),
        ("order['type']", Path("order", (Item("type"),))),
        ('order["it\'s"]', Path("order", (Item("it's"),))),
        (r"order['it\'s']", Path("order", (Item("it's"),))),
        ("rows[0][-1].name", Path("rows", (Item(0), Item(-1), Attribute("name")))),
        ("'postgresql'", Path("", (), "postgresql")),
        ("größe.wert", Path("größe", (Attribute("wert"),))),
    ],
)
def test_a_path_is_names_attributes_keys_and_indexes(text: str, expected: Path) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("order.total()", "a call is not for paths", 12),
        ("order.__class__", "__class__ is not for paths", 7),
        ("__import__", "__import__ is not for paths", 1),
        ("a + b", "a space is not for paths", 2),
        ("a+b", "arithmetic (+) is not for paths", 2),
        ("[x for x in y]", "unexpected '['", 1),
        ("a[x]", "between [ and ] stands a 'key' in quotes or a whole number", 3),
        ("a[0:1]", "between [ and ] stands a 'key' in quotes or a whole number", 3),
        ("a['x'", "] is missing after the key", 6),
        ("a.", "a name is missing", 3),
        ("", "a name is missing", 1),
        ("a..b", "unexpected '.'", 3),
        ("1a", "unexpected '1'", 1),
        ("'x'.y", "nothing may follow a constant", 4),
    ],
)
def test_what_is_no_path_is_refused_with_its_column(text: str, message: str, column: int) -> None:
    with pytest.raises(PathError) as caught:
        parse(text)
    assert (str(caught.value), caught.value.column) == (message, column)


@given(st.one_of(st.text(max_size=60), st.text(st.sampled_from("ab.[]'\"\\0-_() "), max_size=60)))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    try:
        path = parse(text)
    except PathError as error:
        assert 1 <= error.column <= len(text) + 1
    else:
        assert getter(path)(None) in (None, ABSENT, NOT_PLAIN, path.constant)


class Trap:
    """Whatever is read of it through Python fails the test."""

    level = 3

    def __init__(self) -> None:
        self.plain = {"rows": [("a", "b")]}

    @property
    def computed(self) -> Any:
        pytest.fail("a property was run")

    @cached_property
    def cached(self) -> Any:
        pytest.fail("a cached property was run")

    def __getattr__(self, name: str) -> Any:
        pytest.fail("__getattr__ was run")

    def __getitem__(self, key: object) -> Any:
        pytest.fail("__getitem__ was run")


class Slotted:
    __slots__ = ("filled", "hollow")

    def __init__(self) -> None:
        self.filled = 1


@dataclass
class Order:
    id: int = 7


class TrappedDict(dict[str, int]):
    def __getitem__(self, key: str) -> int:
        pytest.fail("__getitem__ of a subclass was run")

    def get(self, key: str, default: object = None) -> Any:
        pytest.fail("get of a subclass was run")


class TrappedType(type):
    @property
    def __mro__(cls) -> Any:  # type: ignore[override]
        pytest.fail("the metaclass was asked")

    def __getattribute__(cls, name: str) -> Any:
        pytest.fail("the metaclass was asked")


def made() -> object:
    class Made(metaclass=TrappedType):  # not in the module, whose names pytest looks at
        pass

    return Made()


class Watched:
    def __init__(self) -> None:
        object.__setattr__(self, "id", 1)

    def __getattribute__(self, name: str) -> Any:
        pytest.fail("__getattribute__ was run")


class Colour(Enum):
    RED = 1


Pair = namedtuple("Pair", "first second")


@pytest.mark.parametrize(
    ("path", "make", "expected"),
    [
        ("x.plain['rows'][0][-1]", lambda: Trap(), "b"),
        ("x.level", lambda: Trap(), 3),
        ("x.computed", lambda: Trap(), NOT_PLAIN),
        ("x.cached", lambda: Trap(), NOT_PLAIN),
        ("x.missing", lambda: Trap(), NOT_PLAIN),
        ("x['key']", lambda: Trap(), NOT_PLAIN),
        ("x.filled", lambda: Slotted(), 1),
        ("x.hollow", lambda: Slotted(), ABSENT),
        ("x.other", lambda: Slotted(), ABSENT),
        ("x.id", lambda: Order(), 7),
        ("x.missing.id", lambda: Order(), ABSENT),
        ("x['a']", lambda: {"a": 1}, 1),
        ("x['b']", lambda: {"a": 1}, ABSENT),
        ("x[0]", lambda: {0: 1}, 1),
        ("x['a']", lambda: TrappedDict(a=1), NOT_PLAIN),
        ("x['a']", lambda: OrderedDict(a=1), NOT_PLAIN),
        ("x[2]", lambda: [0, 1], ABSENT),
        ("x[-3]", lambda: (0, 1), ABSENT),
        ("x['a']", lambda: [0], ABSENT),
        ("x['a']", lambda: None, ABSENT),
        ("x.args[0]", lambda: ValueError("no"), "no"),
        ("x.real", lambda: 5, 5),
        ("x.first", lambda: Pair(1, 2), 1),
        ("x.id", lambda: Watched(), 1),
        ("x.other", lambda: Watched(), NOT_PLAIN),
        ("x.other", made, ABSENT),
        ("x._value_", lambda: Colour.RED, 1),
        ("x.value", lambda: Colour.RED, NOT_PLAIN),
        ("x", lambda: None, None),
        ("'shop'", lambda: None, "shop"),
    ],
)
def test_a_step_reads_only_what_runs_no_code(path: str, make: Callable[[], object], expected: object) -> None:
    found = getter(parse(path))(make())
    assert found is expected or found == expected


class Live:
    @property
    def total(self) -> int:
        return 9

    @property
    def broken(self) -> int:
        raise RuntimeError

    def __getitem__(self, key: str) -> str:
        return key * 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [("x.total", 9), ("x['ab']", "abab"), ("x[1].real", 2), ("x.broken", ABSENT), ("x.none.other", ABSENT)],
)
def test_with_evaluate_a_step_reads_as_python_does(path: str, expected: object) -> None:
    assert getter(parse(path), evaluate=True)(Live()) == expected


def test_a_timeout_raised_by_a_signal_while_evaluating_reaches_the_application() -> None:
    class Timeout(Exception):
        pass

    def expire(*_: object) -> None:
        raise Timeout

    class Slow:
        @property
        def value(self) -> None:
            signal.raise_signal(signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, expire)
    try:
        with pytest.raises(Timeout):
            getter(parse("x.value"), evaluate=True)(Slow())
    finally:
        signal.signal(signal.SIGALRM, before)
