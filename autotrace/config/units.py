"""Durations, sizes and percentiles: takes text with a unit, gives nanoseconds, bytes or a share."""

from __future__ import annotations

import re

DURATION_PATTERN = r"^\d+(\.\d+)? ?(ns|us|µs|ms|s|min|m|h|d)$"
SIZE_PATTERN = r"^\d+(\.\d+)? ?(B|[KMG]i?B)$"
QUANTILE_PATTERN = r"^p\d{2}(\.\d+)?$"

_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}
_BYTES = {"B": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_DURATION = re.compile(DURATION_PATTERN.strip("^$"), re.ASCII)
_SIZE = re.compile(SIZE_PATTERN.strip("^$"), re.ASCII)
_QUANTILE = re.compile(QUANTILE_PATTERN.strip("^$"), re.ASCII)
_LONGEST = 40


def duration_ns(text: str) -> int:
    """Nanoseconds of a duration such as `500ms`, `2s`, `1.5 min`; ValueError when it is none."""
    match = _DURATION.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(text)
    unit = match.group(2)
    return round(float(text[: match.start(2)]) * _NANOSECONDS[unit])


def size_bytes(text: str) -> int:
    """Bytes of a size such as `64MB` (1 KB is 1024 bytes, as is 1 KiB); ValueError when it is none."""
    match = _SIZE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError(text)
    return round(float(text[: match.start(2)]) * _BYTES[match.group(2)[0]])


def quantile(text: str) -> float | None:
    """The share, from 0 to 1, of a percentile such as `p99` or `p99.9`; None when it is none."""
    match = _QUANTILE.fullmatch(text) if len(text) <= _LONGEST else None
    return None if match is None else float(text[1:]) / 100
