"""Draws for people at a terminal: takes spans or summaries, gives lines that fit the width.

Standard library only, no rich: this runs in the traced program's own environment, whose packages are not ours to choose.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from autotrace.store.stored import StoredSpan, TraceSummary
from autotrace.view.text import cut, fit, format_duration, printable, width
from autotrace.view.tree import ORPHAN, Branch, build_forest, walk

_BOLD, _DIM, _RED, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"
_NARROWEST = 60
_WIDEST_SERVICE = 20
_TIME_COLUMNS = 9
_DEEPEST = 12  # levels that are drawn with lines; deeper ones keep this indentation


@dataclass(frozen=True, slots=True)
class _Layout:
    """The columns of a waterfall, and the extent of the trace in nanoseconds."""

    columns: int
    service: int
    name: int
    bar: int
    start_ns: int
    extent_ns: int
    colour: bool


def draw_waterfall(spans: Sequence[StoredSpan], columns: int = 80, colour: bool = False, tags: bool = False) -> str:
    """One trace: a headline, then a line a span with service, name, start, duration, share, and its bar in time.

    A span in error has its message on the next line; with `tags` every attribute follows on a line of its own.
    """
    branches = list(walk(build_forest(spans)))
    layout = _lay_out(branches, max(columns, _NARROWEST), colour)
    lines = [_headline(spans, layout), ""]
    for branch in branches:
        lines.append(_span_line(branch, layout))
        lines.extend(_error_lines(branch, layout))
        if tags:
            lines.extend(_tag_lines(branch, layout))
    return "\n".join(line.rstrip() for line in lines)


def draw_list(traces: Sequence[TraceSummary], columns: int = 80, colour: bool = False) -> str:
    """A line a trace: start, id, duration, spans, errors, endpoint, services."""
    head = f"{'START':19}  {'TRACE':32}  {'DURATION':>{_TIME_COLUMNS}}  {'SPANS':>5}  {'ERRORS':>6}  "
    lines = [_paint(head + "ENDPOINT [SERVICES]", _DIM, colour)]
    for trace in traces:
        figures = (
            f"{_moment(trace.start_ns)[:19]}  {trace.trace_id}  {format_duration(trace.duration_ns):>{_TIME_COLUMNS}}"
        )
        figures += f"  {trace.spans:>5}  {trace.errors:>6}  "
        what = printable(f"{trace.endpoint} [{', '.join(trace.services)}]")
        line = figures + cut(what, max(columns - len(figures), 24))
        lines.append(_paint(line, _RED, colour and trace.errors > 0))
    return "\n".join(lines)


def _lay_out(branches: Sequence[Branch], columns: int, colour: bool) -> _Layout:
    start = min(branch.node.span.start_ns for branch in branches)
    extent = max(branch.node.span.end_ns for branch in branches) - start
    services = max(width(printable(branch.node.span.service)) for branch in branches)
    service = min(services, _WIDEST_SERVICE, columns // 6)
    figures = 2 * (_TIME_COLUMNS + 2) + 6  # start, duration, share, each with its gap
    room = columns - service - 2 - figures - 2
    name = min(max(width(_name(branch)) for branch in branches), room * 2 // 3)
    return _Layout(columns, service, name, room - name, start, extent, colour)


def _headline(spans: Sequence[StoredSpan], layout: _Layout) -> str:
    errors = sum(span.status == "error" for span in spans)
    parts = [
        f"trace {spans[0].trace_id}",
        format_duration(layout.extent_ns),
        _count(len(spans), "span"),
        _count(len({span.service for span in spans}), "service"),
        *([_count(errors, "error")] if errors else []),
    ]
    first = _paint(" · ".join(parts), _BOLD, layout.colour)
    return f"{first}\n{_paint(_moment(layout.start_ns), _DIM, layout.colour)}"


def _span_line(branch: Branch, layout: _Layout) -> str:
    span = branch.node.span
    offset = span.start_ns - layout.start_ns
    share = f"{round(100 * span.duration_ns / layout.extent_ns)} %" if layout.extent_ns else "100 %"
    figures = f"{'+' + format_duration(offset):>{_TIME_COLUMNS}}  {format_duration(span.duration_ns):>{_TIME_COLUMNS}}"
    text = f"{fit(printable(span.service), layout.service)}  {fit(_name(branch), layout.name)}  {figures} {share:>5}  "
    failed = layout.colour and span.status == "error"
    return _paint(text, _RED, failed) + _paint(_bar(offset, span.duration_ns, layout), _RED, failed)


def _name(branch: Branch) -> str:
    lines = branch.first[-3 * _DEEPEST :]
    return lines + printable(branch.node.span.name) + (f" {ORPHAN}" if branch.node.orphan else "")


def _bar(offset_ns: int, duration_ns: int, layout: _Layout) -> str:
    if layout.extent_ns <= 0:
        return "█" * layout.bar
    begin = min(offset_ns * layout.bar // layout.extent_ns, layout.bar - 1)
    length = max(1, round(duration_ns * layout.bar / layout.extent_ns))
    return " " * begin + "█" * min(length, layout.bar - begin)


def _error_lines(branch: Branch, layout: _Layout) -> list[str]:
    if branch.node.span.status != "error":
        return []
    message = _error_message(branch.node.span)
    return [_paint(_below(branch, layout, f"error: {message}" if message else "error"), _RED, layout.colour)]


def _error_message(span: StoredSpan) -> str:
    """What went wrong: the recorded exception with its type, else the status message, else the error's type."""
    for event in reversed(span.events):
        if event.name == "exception":
            kind, text = event.attributes.get("exception.type"), event.attributes.get("exception.message")
            return ": ".join(str(part) for part in (kind, text) if part)
    return span.status_message or str(span.attributes.get("error.type", ""))


def _tag_lines(branch: Branch, layout: _Layout) -> list[str]:
    attributes = branch.node.span.attributes
    return [
        _paint(
            _below(branch, layout, f"{key} = {json.dumps(attributes[key], ensure_ascii=False)}"), _DIM, layout.colour
        )
        for key in sorted(attributes)
    ]


def _below(branch: Branch, layout: _Layout, text: str) -> str:
    more = "│  " if branch.node.children else "   "
    lead = " " * (layout.service + 2) + branch.rest[-3 * _DEEPEST :] + more
    return cut(lead + printable(text), layout.columns)


def _moment(nanoseconds: int) -> str:
    """Local time to the millisecond; a time outside the calendar stays a number."""
    try:
        moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000)
    except (ValueError, OverflowError, OSError):
        return str(nanoseconds)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds // 1_000_000 % 1000:03d}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _paint(text: str, code: str, colour: bool) -> str:
    return f"{code}{text}{_RESET}" if colour else text
