"""`autotrace check [FILE]`: takes a config, prints every mistake in it, returns 2 if there is one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from autotrace.errors import ConfigError

SUMMARY = "name every mistake in a tracing.toml, without running anything"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One file, which is searched for when it is not given."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="default: the one that a run in this folder would find")


def run(options: argparse.Namespace) -> int:
    """Check the file: 0 with one line on stdout, or 2 with a line for each mistake on stderr."""
    from autotrace.config.load import shown_name
    from autotrace.config.search import find_config

    found = find_config(options.file)
    if found is None:
        sys.stderr.write("no tracing.toml was found from this folder upward; `autotrace init` writes one\n")
        return 2
    path = Path(found)
    try:
        check(path)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{shown_name(path)}: no mistakes\n")
    return 0


def check(path: Path) -> None:
    """Read the file and the signatures that its paths name; ConfigError holds every mistake."""
    from autotrace.plan.signature import load_checked

    load_checked(path, search_path=[str(path.parent), str(Path.cwd()), *sys.path])
