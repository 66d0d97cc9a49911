"""What a section is: takes a session, gives samples; and which ones there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from benchmarks import sections
from benchmarks.sample import Goal, Sample
from benchmarks.session import Session


class Section(Protocol):
    """A module of `benchmarks.sections`; it may have OF, cases whose ratio is to another case of the reference."""

    NAME: str
    TITLE: str
    NOTE: str
    """A paragraph below the title: what is measured, how."""
    REFERENCE: tuple[str, str]
    """Peer and mode whose value is 1.0."""
    CASES: Mapping[str, str]
    """The cases in the order of the table, with their headings."""
    GOALS: Sequence[Goal]

    def measure(self, session: Session) -> Iterator[Sample]:
        """Measure every peer in every round."""


def every_section() -> list[Section]:
    """All sections by name."""
    found = [import_module(f"{sections.__name__}.{module.name}") for module in iter_modules(sections.__path__)]
    return sorted((cast("Section", module) for module in found if hasattr(module, "NAME")), key=lambda one: one.NAME)
