"""Environment variables in strings."""

from __future__ import annotations

import pytest

from autotrace.config.interpolate import interpolate

ENVIRON = {"NAME": "shop", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${NAME}", "shop"),
        ("a-${NAME}-b", "a-shop-b"),
        ("${NONE:-x y}", "x y"),
        ("${NONE:-}", ""),
        ("${EMPTY}", ""),
        ("${EMPTY:-full}", "full"),
        ("$${NAME}", "${NAME}"),
        ("costs $5", "costs $5"),
        ("$NAME", "$NAME"),
    ],
)
def test_a_reference_is_replaced(text: str, expected: str) -> None:
    assert interpolate({"a": [text]}, ENVIRON, pytest.fail) == {"a": [expected]}


@pytest.mark.parametrize("text", ["${NONE}", "${}", "${1A}", "${NAME"])
def test_what_cannot_be_replaced_is_reported_with_its_key(text: str) -> None:
    reported: list[tuple[object, ...]] = []
    interpolate({"a": [text]}, ENVIRON, lambda *words: reported.append(words))
    assert [words[0] for words in reported] == [("a", 0)]


def test_other_values_are_left_alone() -> None:
    assert interpolate({"a": 1, "b": True, "c": None}, ENVIRON, pytest.fail) == {"a": 1, "b": True, "c": None}
