"""What an exporter is to the pipeline: takes the finished spans of one process in batches, gives nothing back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from autotrace.span.finished import FinishedSpan, Resource


class Exporter(Protocol):
    """Called by one thread at a time; whatever it raises is counted, and the batch is lost to this exporter only."""

    def deliver(self, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
        """Send or store `spans`; it must end by itself, with a time limit of its own."""

    def close(self) -> None:
        """Give back what it holds; called once, at shutdown."""
