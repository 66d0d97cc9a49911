"""Durations and sizes."""

from __future__ import annotations

import pytest

from autotrace.config.units import duration_ns, size_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 500_000_000), ("2s", 2_000_000_000), ("1.5 us", 1500), ("1min", 60_000_000_000), ("0ns", 0)],
)
def test_a_duration_is_nanoseconds(text: str, expected: int) -> None:
    assert duration_ns(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("64MB", 64 * 1024**2), ("1 KiB", 1024), ("10B", 10)])
def test_a_size_is_bytes(text: str, expected: int) -> None:
    assert size_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "5", "ms", "-1s", "1e9s", "5 parsecs", "٣s", "9" * 50 + "s", "5s\n"])
def test_what_has_no_known_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        duration_ns(text)
