"""`autotrace version`: takes nothing, prints our version and the interpreter's."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from autotrace import __version__

if TYPE_CHECKING:
    import argparse

SUMMARY = "print the versions of autotrace and of this Python"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace | None = None) -> int:
    """Print one line; always 0."""
    python = ".".join(map(str, sys.version_info[:3]))
    print(f"autotrace {__version__} (Python {python})")
    return 0
