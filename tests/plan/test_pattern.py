"""Globs over dotted names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotrace.plan.pattern import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("orders.pricing", "orders.pricing"),
        ("*", "create_order"),
        ("OrderService.*", "OrderService.create_order"),
        ("OrderService.create_*", "OrderService.create_order"),
        ("*.create_order", "OrderService.create_order"),
        ("orders.**", "orders.pricing.tax"),
        ("**", "a.b.c"),
        ("**.save", "models.Order.save"),
        ("get_?", "get_x"),
        ("get_[ab]", "get_b"),
        ("get_[!ab]", "get_c"),
        ("get_[a-c]", "get_b"),
        ("A.__*", "A.__init__"),
        ("A.__init__", "A.__init__"),
        ("*.__init__", "A.__init__"),
        ("__**", "__getattr__"),
        ("__**", "__init__.inner"),
        ("**.__**", "A.B.__init__.inner"),
        ("_*", "_hidden"),
        ("a|b.*", "b.c"),
        ("get_[", "get_["),
    ],
)
def test_a_pattern_means_a_name(pattern: str, name: str) -> None:
    assert compile_pattern(pattern).matches(name)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("orders.pricing", "orders.pricing.tax"),
        ("orders.pricing", "orders_pricing"),
        ("*", "Order.save"),
        ("Order.*", "OrderLine.save"),
        ("get_?", "get_"),
        ("get_[!.]", "get_."),
        ("get_[^a]", "get_b"),
        ("Create*", "create_order"),
        ("*.save", "save"),
    ],
)
def test_a_pattern_does_not_mean_another_name(pattern: str, name: str) -> None:
    assert not compile_pattern(pattern).matches(name)


@pytest.mark.parametrize("pattern", ["*", "_*", "[_]*", "?*"])
def test_a_wildcard_never_means_a_dunder(pattern: str) -> None:
    assert not compile_pattern(pattern).matches("__init__")
    assert not compile_pattern(f"A.{pattern}").matches("A.__init__")


def test_stars_across_dots_never_mean_a_dunder() -> None:
    assert not compile_pattern("**").matches("A.__init__")
    assert not compile_pattern("A.**").matches("A.__init__")
    assert compile_pattern("**.__init__").matches("a.A.__init__")


def test_only_a_pattern_without_wildcards_is_literal() -> None:
    assert compile_pattern("a.b").literal == "a.b"
    assert compile_pattern("a.*").literal is None


@given(st.text(st.sampled_from("ab_.*?[]!-^\\|&~"), max_size=12), st.text(st.sampled_from("ab_."), max_size=12))
def test_any_text_is_a_pattern(pattern: str, name: str) -> None:
    compile_pattern(pattern).matches(name)
