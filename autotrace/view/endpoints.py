"""The counters of endpoints as a table: takes what became of their local roots, gives lines that fit a width."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from autotrace.span.endpoint_counts import EndpointCounts, add_up
from autotrace.store.run import Run
from autotrace.view.report import met_no_endpoint
from autotrace.view.text import cut, printable

REASONS = ("seen", "sampled", "errors", "slow", "tagged", "requested", "background", "limited", "dropped")
"""What is counted, in the words of the file and of the attribute `autotrace.keep`."""

_ALWAYS = frozenset(("seen", "sampled", "dropped"))
_MOST_REPORTED = 20
_NARROWEST = 24


class ServiceEndpoint(NamedTuple):
    """What became of the local roots of one endpoint of one service by one rule, in however many processes."""

    service: str
    counts: EndpointCounts

    @property
    def label(self) -> str:
        """The endpoint, whose it is, and what decided on it."""
        by = f" by {self.counts.rule}" if self.counts.rule else ""
        return f"{self.counts.endpoint} [{self.service}]{by}"


def plain(one: ServiceEndpoint) -> dict[str, str | int]:
    """The counters as JSON says them; `kept` is the sum of those that were kept, for whatever reason."""
    counts = one.counts
    said = {"service": one.service, "endpoint": counts.endpoint, "rule": counts.rule}
    return {**said, **{name: getattr(counts, name) for name in REASONS}, "kept": counts.kept}


def draw_endpoints(rows: Sequence[tuple[str, EndpointCounts]], head: str, columns: int | None) -> list[str]:
    """A line an endpoint below a headline: a column for each reason that there was, then its label."""
    shown = [name for name in REASONS if name in _ALWAYS or any(getattr(counts, name) for _, counts in rows)]
    lines = [(head, shown), *((printable(label), [getattr(counts, name) for name in shown]) for label, counts in rows)]
    widths = [max(len(str(cells[place])) for _, cells in lines) for place in range(len(shown))]
    room = None if columns is None else max(columns - sum(widths) - 2 * len(widths), _NARROWEST)
    return [
        "".join(f"{str(cell).upper():>{width}}  " for cell, width in zip(cells, widths, strict=True))
        + (label if room is None else cut(label, room))
        for label, cells in lines
    ]


def report_endpoints(counts: Iterable[EndpointCounts]) -> list[str]:
    """The table with which a process ends: the endpoints that were seen most, by whatever rule."""
    named: dict[str, list[EndpointCounts]] = {}
    for one in counts:
        named.setdefault(one.endpoint, []).append(one)
    endpoints = sorted((add_up(name, "", every) for name, every in named.items()), key=lambda one: -one.seen)
    if not endpoints:
        return []
    lines = draw_endpoints([(one.endpoint, one) for one in endpoints[:_MOST_REPORTED]], "ENDPOINT", _columns())
    rest = endpoints[_MOST_REPORTED:]
    if rest:
        seen, kept = sum(one.seen for one in rest), sum(one.kept for one in rest)
        lines.append(f"and {len(rest)} more: {seen} seen, {kept} kept")
    return lines


def sum_runs(runs: Iterable[Run]) -> list[ServiceEndpoint]:
    """The counters of all runs by service, endpoint and rule, the most seen first."""
    found: dict[tuple[str, str, str], list[EndpointCounts]] = {}
    for run in runs:
        for one in run.endpoints:
            if one.seen:
                found.setdefault((run.service, one.endpoint, one.rule), []).append(one)
    summed = [ServiceEndpoint(service, add_up(name, rule, every)) for (service, name, rule), every in found.items()]
    return sorted(summed, key=lambda one: -one.counts.seen)


def unused_rules(runs: Sequence[Run]) -> list[ServiceEndpoint]:
    """The rules of each service's latest run that no endpoint met in any of its runs; the latest run comes first."""
    met = {(run.service, one.rule) for run in runs for one in run.endpoints if one.seen}
    latest: dict[str, Run] = {}
    for run in runs:
        latest.setdefault(run.service, run)
    return [
        ServiceEndpoint(run.service, one)
        for run in latest.values()
        for one in run.endpoints
        if not one.seen and (run.service, one.rule) not in met
    ]


def unused_lines(unused: Iterable[ServiceEndpoint], seen: Sequence[ServiceEndpoint]) -> list[str]:
    """A line for each rule without a hit, with what would be right."""
    return [
        printable(
            f"{one.counts.rule} "
            + met_no_endpoint(one.counts.endpoint, [other.counts for other in seen if other.service == one.service])
        )
        for one in unused
    ]


def _columns() -> int | None:
    """How wide the terminal is, less the mark of our lines; None where stderr is none."""
    try:
        return os.get_terminal_size(2).columns - len("autotrace: ")
    except OSError:
        return None
