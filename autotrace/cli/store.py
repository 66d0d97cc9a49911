"""Finds and opens the store of a command: takes its options, gives a reader, or says in sentences why there is none."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotrace.config.search import find_config
from autotrace.errors import StoreError
from autotrace.store.location import FILE, locate
from autotrace.store.read import StoreReader

_ASCII = str.maketrans({"├": "|", "└": "`", "─": "-", "│": "|", "█": "#", "·": "-", "…": "~"})


def add_store_arguments(parser: argparse.ArgumentParser) -> None:
    """`--format`, `--store` and `--config`, which every command that reads the store has."""
    parser.add_argument("--format", choices=("text", "json"), default="text", help="for people, or for programs")
    parser.add_argument("--store", metavar="PATH", help="the store's file, instead of the one that the config names")
    # Left out of the result unless given: the command before us may have taken it already.
    parser.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="the config that names the store")


def read_store(options: argparse.Namespace, show: Callable[[StoreReader | None, Path], int]) -> int:
    """Call `show` with a reader (None when there is no store) and its path; gives the exit code.

    What cannot be read becomes a sentence on stderr and exit code 1; a reader of our output that went away is no error.
    """
    try:
        path = find_store(options)
        if not path.is_file():
            return show(None, path)
        with StoreReader(path) as reader:
            return show(reader, path)
    except StoreError as error:
        complain(str(error))
        return 1
    except BrokenPipeError:
        # What Python still holds would fail again, loudly, when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def find_store(options: argparse.Namespace) -> Path:
    """The store's file as the program would find it: `--store`, AUTOTRACE_STORE, the config, else the working folder."""
    if options.store:
        named = Path(options.store).expanduser().absolute()
        return named / FILE if named.is_dir() else named
    found = find_config(explicit=getattr(options, "config", None))
    if found is None:
        return Path(locate(None, ".", os.environ))
    config = Path(found)
    return Path(locate(_store_path(config), str(config.parent), os.environ))


def _store_path(config: Path) -> str | None:
    """`[store] path` alone: the whole model costs 165 ms, and traces stay readable while the config is being edited."""
    import tomli

    from autotrace.config.interpolate import interpolate

    try:
        data: Any = tomli.loads(config.read_bytes().decode())
        table = data.get("tool", {}).get("autotrace", {}) if config.name == "pyproject.toml" else data
        section = interpolate({"store": table.get("store", {})}, os.environ, lambda path, found, remedy: None)
        path = section["store"].get("path")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        complain(f"{config}: cannot be read ({error}); looking for the store beside it")
        return None
    return path if isinstance(path, str) else None


def write(text: str) -> None:
    """Text and a newline to stdout, whatever its encoding can hold."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """A sentence to stderr."""
    sys.stderr.write(f"autotrace: {text}\n")


def wants_colour() -> bool:
    """Only on a terminal, and not when NO_COLOR is set (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
