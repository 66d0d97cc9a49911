"""What is known of the headers of requests and httpx, beside what their own methods make."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from requests.structures import CaseInsensitiveDict

from autotrace.conventions.known_headers import known

_NAMES = frozenset(("traceparent", "x-span-id"))
_ADDED = {"traceparent": "00-1", "X-Span-ID": "2"}
_CLASSES = pytest.mark.parametrize("kind", [CaseInsensitiveDict, httpx.Headers])


@_CLASSES
def test_a_copy_is_what_the_class_makes_of_it_and_the_headers_stay(kind: Any) -> None:
    made, headers = known(kind, _NAMES), kind({"Accept": "*/*", "Authorization": "Bearer t"})
    assert made is not None
    expected = headers.copy()
    expected.update(_ADDED)
    copied = made.with_new(headers, _ADDED)
    assert type(copied) is kind
    assert vars(copied) == vars(expected)
    assert headers == {"Accept": "*/*", "Authorization": "Bearer t"}


@_CLASSES
def test_a_name_is_found_however_it_is_written(kind: Any) -> None:
    made = known(kind, _NAMES)
    assert made is not None
    assert made.has_any(kind({"X-SPAN-Id": "2"}))
    assert not made.has_any(kind({"Accept": "X-Span-ID"}))
    assert not made.has_any(kind())


def test_headers_that_are_not_text_of_ascii_keep_their_encoding() -> None:
    headers = httpx.Headers({"Name": "Ä"}, encoding="latin-1")
    made = known(httpx.Headers, _NAMES)
    assert made is not None
    assert made.with_new(headers, _ADDED).raw[0] == (b"Name", b"\xc4")
    assert made.with_new(headers, _ADDED)["name"] == "Ä"


def test_of_other_classes_nothing_is_known() -> None:
    assert known(dict, _NAMES) is None
    assert known(type(None), _NAMES) is None


def test_a_class_that_keeps_its_headers_otherwise_is_left_to_its_own_methods() -> None:
    class Otherwise(dict[str, str]):
        """A later version."""

    Otherwise.__module__, Otherwise.__qualname__ = "requests.structures", "CaseInsensitiveDict"
    assert known(Otherwise, _NAMES) is None
