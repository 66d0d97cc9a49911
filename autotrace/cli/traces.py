"""`autotrace traces`: takes filters, prints the stored traces, newest first, or how many of each endpoint were kept."""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from autotrace.cli.store import add_store_arguments, complain, read_store, wants_colour, write
from autotrace.config.units import duration_ns
from autotrace.store.read import StoreReader
from autotrace.store.run import Run
from autotrace.store.stored import TraceSummary
from autotrace.view.empty import explain_empty, explain_losses, explain_missing
from autotrace.view.terminal import draw_list

SUMMARY = "list the stored traces, newest first; --endpoints: how many of each endpoint were kept"
_ALL_RUNS = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its filters, and the options of every command that reads the store."""
    parser.add_argument("--service", help="only traces that this service took part in")
    parser.add_argument(
        "--endpoint", metavar="GLOB", help='only traces whose root is named so, such as "POST /orders*"'
    )
    parser.add_argument("--error", action="store_true", help="only traces with an error")
    parser.add_argument("--min-duration", metavar="DURATION", type=_duration, help="only slower ones, such as 500ms")
    parser.add_argument(
        "--endpoints",
        action="store_true",
        help="instead of traces: how many each endpoint has seen, kept by which reason, and dropped, in all runs",
    )
    parser.add_argument("--limit", metavar="N", type=_positive, default=20, help="at most so many (20)")
    add_store_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the list, or why it is empty; 0, or 1 when the store cannot be read."""
    show = _count if options.endpoints else _list
    return read_store(options, lambda reader, path: show(options, reader, path))


def _list(options: argparse.Namespace, reader: StoreReader | None, path: Path) -> int:
    traces = _select(options, reader) if reader else []
    if options.format == "json":
        write(json.dumps([dataclasses.asdict(trace) for trace in traces], indent=2))
        if not traces:
            complain(_why_empty(reader, path))
    elif traces:
        write(draw_list(traces, shutil.get_terminal_size().columns, wants_colour()))
        for line in explain_losses(reader.runs()) if reader else ():
            write(line)
    else:
        write(_why_empty(reader, path))
    return 0


def _count(options: argparse.Namespace, reader: StoreReader | None, path: Path) -> int:
    from autotrace.view import endpoints  # with the sampler's words, which a list of traces does not need

    if options.error or options.min_duration is not None:
        complain(
            "--error and --min-duration choose traces; --endpoints counts those that were dropped too: leave it out"
        )
        return 1
    runs = _runs_of(options, reader)
    seen = endpoints.sum_runs(runs)
    chosen = [one for one in seen if fnmatch.fnmatchcase(one.counts.endpoint, options.endpoint or "*")]
    unused = endpoints.unused_rules(runs)
    if options.format == "json":
        write(json.dumps([endpoints.plain(one) for one in (*chosen[: options.limit], *unused)], indent=2))
    elif chosen:
        columns = shutil.get_terminal_size().columns
        rows = [(one.label, one.counts) for one in chosen[: options.limit]]
        write("\n".join(endpoints.draw_endpoints(rows, "ENDPOINT [SERVICE] by RULE", columns)))
        if len(chosen) > options.limit:
            write(f"and {len(chosen) - options.limit} more; --limit N shows N")
        for line in endpoints.unused_lines(unused, seen):
            write(line)
    if not chosen:
        (complain if options.format == "json" else write)(_why_uncounted(options, reader, path, runs, bool(seen)))
    return 0


def _runs_of(options: argparse.Namespace, reader: StoreReader | None) -> list[Run]:
    runs = reader.runs(limit=_ALL_RUNS) if reader else []
    return [run for run in runs if options.service in (None, run.service)]


def _why_uncounted(
    options: argparse.Namespace, reader: StoreReader | None, path: Path, runs: Sequence[Run], others: bool
) -> str:
    if reader is None:
        return explain_missing(path)
    if others or (options.service is not None and not runs):
        return f"No endpoint matches these filters; autotrace traces --endpoints lists all of {path}."
    if any(run.roots_seen for run in runs):
        return f"No endpoint is counted in {path}: it was written by an autotrace that did not count them."
    return explain_empty(runs, path)


def _select(options: argparse.Namespace, reader: StoreReader) -> list[TraceSummary]:
    return reader.traces(options.service, options.endpoint, options.error, options.min_duration, options.limit)


def _why_empty(reader: StoreReader | None, path: Path) -> str:
    if reader is None:
        return explain_missing(path)
    stored = reader.trace_count()
    if stored:
        return "\n".join((f"No trace matches these filters; {path} holds {stored}.", *explain_losses(reader.runs())))
    return explain_empty(reader.runs(), path)


def _duration(text: str) -> int:
    try:
        return duration_ns(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 500ms, 2s or 1.5m") from None


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:10]) < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; write 1 or more")
    return int(text[:10])
