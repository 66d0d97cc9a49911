"""What the measured functions are called with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Order:
    """An order; its kind is the tag of a span."""

    kind: str
