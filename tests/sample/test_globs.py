"""Globs match what they always matched, and no text makes them slow."""

from __future__ import annotations

import re
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from autotrace.sample.endpoint import compile_endpoint
from autotrace.sample.globs import PIECE, STAR, expression, text_glob

PARTS = some.lists(some.sampled_from([STAR, PIECE, "[^/]", "a", "b", "/", "ab"]), max_size=8)


@settings(max_examples=500)
@given(PARTS, some.text("ab/", max_size=12))
def test_an_expression_matches_what_one_that_tries_everything_matches(parts: list[str], text: str) -> None:
    slow = "".join(".*" if part == STAR else part for part in parts)
    found = re.fullmatch(expression(parts), text, re.DOTALL) is not None
    assert found is (re.fullmatch(slow, text, re.DOTALL) is not None)


@pytest.mark.parametrize(
    ("rule", "endpoint"),
    [
        ("GET /*/*/*/*/edit", "GET " + "/b" * 512),
        ("GET /*/{id}/*/{id}/*/edit", "GET " + "/b" * 512),
        ("*a*a*a*a*a*b", "a" * 4000),
        ("GET /{a}{b}*x*y", "GET /" + "a" * 1000),
    ],
)
def test_no_text_holds_up_a_decision(rule: str, endpoint: str) -> None:
    matches = compile_endpoint(rule)
    began = perf_counter()
    assert not matches(endpoint)
    assert perf_counter() - began < 0.5


def test_a_tag_is_compared_as_quickly() -> None:
    began = perf_counter()
    assert not re.fullmatch(text_glob("*a" * 20 + "b"), "a" * 4000, re.DOTALL)
    assert perf_counter() - began < 0.5
