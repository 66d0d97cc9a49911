"""`autotrace schema`: takes nothing, prints the JSON Schema of tracing.toml."""

from __future__ import annotations

import argparse
import sys

SUMMARY = "print the JSON Schema of tracing.toml, for editors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace) -> int:
    """Print the schema; always 0."""
    from autotrace.config.schema import schema_text

    sys.stdout.write(schema_text())
    return 0
