"""Draws what tracing costs: takes an `Overhead`, gives a chart of its stages and tables by target and endpoint."""

from __future__ import annotations

from collections.abc import Sequence

from autotrace.store.overhead import STAGES, Cost, Nanoseconds, Overhead
from autotrace.store.run import Run
from autotrace.view.text import cut, fit, format_duration, printable, width

_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_NARROWEST = 60
_SHORT = ("CREATE", "PROPAGATE", "RECORD", "TAGS", "EXPORT")
_EIGHTHS = " ▏▎▍▌▋▊▉"
_SHARE = 7
_SPANS = 9


def draw_overhead(
    service: str, overhead: Overhead, processes: int = 1, lines: int = 10, columns: int = 80, colour: bool = False
) -> str:
    """A headline, a bar for each stage, and at most so many `lines` by target and by endpoint.

    Each figure is a share of the CPU that the processes have used; the longest bar is that of the largest stage.
    """
    columns = max(columns, _NARROWEST)
    many = "process" if processes == 1 else "processes"
    head = f"{printable(service)} · {processes} {many} · {format_duration(overhead.cpu_ns)} of CPU"
    parts = [_paint(f"{head} · tracing {_share(sum(overhead.stages), overhead.cpu_ns)}", _BOLD, colour)]
    parts += [*_chart(overhead, columns), ""]
    parts += _table("TARGET", overhead.targets, overhead.cpu_ns, lines, columns, colour)
    parts += ["", *_table("ENDPOINT", overhead.endpoints, overhead.cpu_ns, lines, columns, colour), ""]
    measuring = f"{_share(overhead.measuring_ns, overhead.cpu_ns)} more for measuring, {overhead.timed} calls timed"
    parts.append(_paint(measuring, _DIM, colour))
    return "\n".join(line.rstrip() for line in parts)


def explain_no_overhead(runs: Sequence[Run], service: str | None) -> str:
    """Why there is nothing to draw though the store has runs, or would have them."""
    if service is not None:
        known = ", ".join(sorted({run.service for run in runs})) or "none"
        return f"No process of {printable(service)} has measured itself; services in this store: {printable(known)}."
    latest = runs[0]
    return (
        f"Nothing was measured: `{printable(latest.command)}` (pid {latest.pid}) ran without a traced call, was traced by\n"
        "an older version, or still runs: a process writes its figures when it flushes and when it ends."
    )


def _chart(overhead: Overhead, columns: int) -> list[str]:
    title = max(map(len, STAGES))
    room = columns - 2 - title - 2 - _SHARE - 2
    most = max(overhead.stages) or 1
    return [
        f"  {stage:<{title}}  {_share(cost, overhead.cpu_ns):>{_SHARE}}  {_bar(cost / most * room)}"
        for stage, cost in zip(STAGES, overhead.stages, strict=True)
    ]


def _bar(length: float) -> str:
    eighths = round(length * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _table(title: str, costs: Sequence[Cost], cpu_ns: int, lines: int, columns: int, colour: bool) -> list[str]:
    widths = [max(_SHARE, len(word)) for word in _SHORT]
    figures = sum(widths) + 2 * len(widths) + 2 + _SHARE + 2 + _SPANS
    stages = columns - figures >= 24  # else only the sum has room
    room = columns - (figures if stages else _SHARE + 2 + _SPANS + 2)
    names = [printable(_name(cost, room)) for cost in costs[:lines]]
    room = min(room, max(map(width, (title, *names))))
    words = (f"{word:>{size}}" for word, size in zip(_SHORT, widths, strict=True)) if stages else ()
    head = "  ".join((fit(title, room), f"{'SPANS':>{_SPANS}}", f"{'TOTAL':>{_SHARE}}", *words))
    found = [_paint(head, _DIM, colour)]
    for name, cost in zip(names, costs, strict=False):
        shares = _stages(cost.stages, cpu_ns, widths) if stages else ()
        figures_of = (f"{cost.spans:>{_SPANS}}", f"{_share(sum(cost.stages), cpu_ns):>{_SHARE}}", *shares)
        found.append("  ".join((fit(cut(name, room), room), *figures_of)))
    if len(costs) > lines:
        found.append(_paint(f"and {len(costs) - lines} more", _DIM, colour))
    return found


def _name(cost: Cost, room: int) -> str:
    """The name of the spans, with the function where that says more and has room."""
    if not cost.function or (cost.function.endswith(f".{cost.name}") and width(cost.function) > room):
        return cost.name
    return cost.function if cost.function.endswith(f".{cost.name}") else f"{cost.name} ({cost.function})"


def _stages(stages: Nanoseconds, cpu_ns: int, widths: Sequence[int]) -> list[str]:
    return [f"{_share(cost, cpu_ns):>{size}}" for cost, size in zip(stages, widths, strict=True)]


def _share(cost: int, cpu_ns: int) -> str:
    if not cost or not cpu_ns:
        return "-"
    share = 100 * cost / cpu_ns
    return "<0.01 %" if share < 0.005 else f"{share:.2f} %" if share < 9.995 else f"{share:.1f} %"


def _paint(text: str, code: str, colour: bool) -> str:
    return f"{code}{text}{_RESET}" if colour else text
