"""`autotrace traces`: takes filters, prints the stored traces, newest first."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from pathlib import Path

from autotrace.cli.store import add_store_arguments, complain, read_store, wants_colour, write
from autotrace.config.units import duration_ns
from autotrace.store.read import StoreReader
from autotrace.store.stored import TraceSummary
from autotrace.view.empty import explain_empty, explain_missing
from autotrace.view.terminal import draw_list

SUMMARY = "list the stored traces, newest first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its filters, and the options of every command that reads the store."""
    parser.add_argument("--service", help="only traces that this service took part in")
    parser.add_argument(
        "--endpoint", metavar="GLOB", help='only traces whose root is named so, such as "POST /orders*"'
    )
    parser.add_argument("--error", action="store_true", help="only traces with an error")
    parser.add_argument("--min-duration", metavar="DURATION", type=_duration, help="only slower ones, such as 500ms")
    parser.add_argument("--limit", metavar="N", type=_positive, default=20, help="at most so many (20)")
    add_store_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the list, or why it is empty; 0, or 1 when the store cannot be read."""
    return read_store(options, lambda reader, path: _list(options, reader, path))


def _list(options: argparse.Namespace, reader: StoreReader | None, path: Path) -> int:
    traces = _select(options, reader) if reader else []
    if options.format == "json":
        write(json.dumps([dataclasses.asdict(trace) for trace in traces], indent=2))
        if not traces:
            complain(_why_empty(reader, path))
    elif traces:
        write(draw_list(traces, shutil.get_terminal_size().columns, wants_colour()))
    else:
        write(_why_empty(reader, path))
    return 0


def _select(options: argparse.Namespace, reader: StoreReader) -> list[TraceSummary]:
    return reader.traces(options.service, options.endpoint, options.error, options.min_duration, options.limit)


def _why_empty(reader: StoreReader | None, path: Path) -> str:
    if reader is None:
        return explain_missing(path)
    stored = reader.trace_count()
    if stored:
        return f"No trace matches these filters; {path} holds {stored}."
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
