"""A pipeline that says what it costs: takes and gives what every pipeline does, counts the CPU of whoever exports."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from autotrace.export.pipeline import Pipeline, Route
from autotrace.export.queue import Delivery
from autotrace.export.turns import Turns
from autotrace.span.finished import FinishedSpan
from autotrace.span.span import LocalRoot, Span


class MeasuredPipeline(Pipeline):
    """`cpu_ns` is the CPU that exporting has taken in this process; `seen` is told of each local root that is exported."""

    cpu_ns = 0
    seen: Callable[[LocalRoot, Sequence[Span]], None] | None = None

    def _begin(self) -> None:
        super()._begin()
        self.cpu_ns = 0

    def _export_batch(self, turns: Turns | None = None, clock: Callable[[], int] = time.thread_time_ns) -> bool:
        began = clock()
        try:
            return super()._export_batch(turns)
        finally:
            self.cpu_ns += clock() - began

    def _convert(self, deliveries: Sequence[Delivery], turns: Turns | None) -> dict[Route, list[FinishedSpan]]:
        if self.seen is not None:
            for root, spans, _ in deliveries:
                self.seen(root, spans)
        return super()._convert(deliveries, turns)
