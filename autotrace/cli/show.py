"""`autotrace show`: takes the id of a trace, prints its spans as a waterfall, a tree or JSON."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

from autotrace.cli.store import add_store_arguments, complain, read_store, wants_colour, write
from autotrace.store.read import StoreReader
from autotrace.store.stored import StoredSpan
from autotrace.view.empty import explain_empty, explain_missing
from autotrace.view.terminal import draw_list, draw_waterfall
from autotrace.view.tree import draw_tree

SUMMARY = "draw one stored trace: the newest, or the one that an id names"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The id and how to draw, and the options of every command that reads the store."""
    parser.add_argument("id", nargs="?", metavar="ID", help="the start of a trace id, or an external id")
    parser.add_argument("--last-error", action="store_true", help="the newest trace with an error")
    parser.add_argument("--tags", action="store_true", help="every span's attributes below it")
    parser.add_argument("--tree", action="store_true", help="the tree alone, without times")
    add_store_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print the trace; 0, or 1 when there is none or the id names several."""
    return read_store(options, lambda reader, path: _show(options, reader, path))


def _show(options: argparse.Namespace, reader: StoreReader | None, path: Path) -> int:
    if reader is None:
        complain(explain_missing(path))
        return 1
    if options.id and options.last_error:
        complain("an id and --last-error name two traces; give one of them")
        return 1
    found = _find(options, reader)
    if len(found) != 1:
        complain(_why_not_one(options, reader, path, found))
        return 1
    spans = reader.trace(found[0])
    if options.format == "json":
        write(json.dumps([_plain(span) for span in spans], indent=2))
    elif options.tree:
        write(draw_tree(spans))
    else:
        write(draw_waterfall(spans, shutil.get_terminal_size().columns, wants_colour(), options.tags))
    return 0


def _find(options: argparse.Namespace, reader: StoreReader) -> list[str]:
    if options.id:
        return reader.find(options.id)
    newest = reader.last_trace_id(error=options.last_error)
    return [newest] if newest else []


def _why_not_one(options: argparse.Namespace, reader: StoreReader, path: Path, found: list[str]) -> str:
    if found:
        candidates = draw_list(reader.summaries(found), shutil.get_terminal_size().columns)
        return f"{options.id!r} names {len(found)} traces; give more digits of one of them:\n{candidates}"
    stored = reader.trace_count()
    if not stored:
        return explain_empty(reader.runs(), path)
    if options.last_error:
        return f"No trace has an error; {path} holds {stored} without one."
    return f"No trace id starts with {options.id!r}, no external id equals it; `autotrace traces` lists all {stored}."


def _plain(span: StoredSpan) -> dict[str, Any]:
    """The span as JSON says it; whether it is a local root matters to the store alone."""
    values = dataclasses.asdict(span)
    del values["local_root"]
    return values
