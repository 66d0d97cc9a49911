"""`autotrace overhead`: takes a service, prints what tracing costs its processes, by stage, target and endpoint."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from autotrace.cli.store import add_store_arguments, complain, read_store, wants_colour, write
from autotrace.store.overhead import STAGES, Cost, Overhead, total
from autotrace.store.overhead_text import from_text
from autotrace.store.read import StoreReader
from autotrace.store.run import Run
from autotrace.view.empty import explain_missing
from autotrace.view.overhead import draw_overhead, explain_no_overhead

SUMMARY = "show what tracing costs, as shares of the program's CPU"

_RUNS = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which processes and how much of them, and the options of every command that reads the store."""
    parser.add_argument("--service", help="only the processes of this service")
    parser.add_argument("--lines", metavar="N", type=int, default=10, help="at most so many targets and endpoints (10)")
    add_store_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print it, or why there is nothing to print; 0, or 1 when the store cannot be read."""
    return read_store(options, lambda reader, path: _show(options, reader, path))


def _show(options: argparse.Namespace, reader: StoreReader | None, path: Path) -> int:
    runs = reader.runs(_RUNS) if reader is not None else []
    services = _measured([run for run in runs if options.service in (None, run.service)])
    if options.format == "json":
        write(json.dumps([_plain(name, parts) for name, parts in services.items()], indent=2))
    elif services:
        columns = shutil.get_terminal_size().columns
        drawn = [
            draw_overhead(name, total(parts), len(parts), max(options.lines, 0), columns, wants_colour())
            for name, parts in services.items()
        ]
        write("\n\n".join(drawn))
    if not services:
        reason = explain_no_overhead(runs, options.service) if runs else explain_missing(path)
        (complain if options.format == "json" else write)(reason)
    return 0


def _measured(runs: Sequence[Run]) -> dict[str, list[Overhead]]:
    """By service, its newest process and those that ran at the same time: the workers of one start."""
    found: dict[str, list[Overhead]] = {}
    newest: dict[str, Run] = {}
    for one in runs:
        overhead = from_text(one.overhead)
        if overhead is None or not sum(overhead.stages):
            continue
        latest = newest.setdefault(one.service, one)
        if one.updated_ns >= latest.started_ns:
            found.setdefault(one.service, []).append(overhead)
    return found


def _plain(service: str, parts: Sequence[Overhead]) -> dict[str, object]:
    whole = total(parts)
    return {
        "service": service,
        "processes": len(parts),
        "cpu_ns": whole.cpu_ns,
        "share": whole.share,
        "stages": _stages(whole.stages),
        "targets": [_line(cost) for cost in whole.targets],
        "endpoints": [_line(cost) for cost in whole.endpoints],
        "measuring_ns": whole.measuring_ns,
        "timed": whole.timed,
    }


def _line(cost: Cost) -> dict[str, object]:
    return {"name": cost.name, "function": cost.function, "spans": cost.spans, "stages": _stages(cost.stages)}


def _stages(stages: Sequence[int]) -> dict[str, int]:
    """Nanoseconds by the name of the stage."""
    return dict(zip(STAGES, stages, strict=True))
