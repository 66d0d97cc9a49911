"""`autotrace init`: takes the Python files of the working folder, writes a first tracing.toml that names them."""

from __future__ import annotations

import argparse
import ast
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

SUMMARY = "write a first tracing.toml here"
FILE = "tracing.toml"

_MOST_SERVICES = 5
_NO_PROGRAMS = frozenset({"setup", "conftest", "noxfile", "tasks"})
_HEAD = """\
# What autotrace traces in this project: `autotrace check` reads this file, `autotrace schema` knows every key.
# Libraries (HTTP servers and clients, databases) are traced without being named.
service_name = "{service_name}"
"""
_EXAMPLE = """
# [[services]]                             # functions of your own
# at      = "orders.service:OrderService"  # a class, or a module for its functions
# methods = ["create_order", "cancel_*"]
# tags    = { order_id = "result.id" }
"""
_TAIL = """
[sampler.keep]                             # kept whatever the sampler says
errors      = true
slower_than = "500ms"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def run(options: argparse.Namespace) -> int:
    """Write the file: 0, or 2 when there is one already or the folder cannot be written."""
    folder = Path.cwd()
    try:
        with (folder / FILE).open("x", encoding="utf-8") as file:
            file.write(compose(folder))
    except FileExistsError:
        sys.stderr.write(f"{FILE} exists already and was left as it is\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"{FILE} cannot be written here: {error.strerror}\n")
        return 2
    sys.stdout.write(f"{FILE} written; now: autotrace app.py, then: autotrace show\n")
    return 0


def compose(folder: Path) -> str:
    """The text of a tracing.toml for the Python files of a folder."""
    places = [place for path in sorted(folder.glob("*.py")) if _is_program(path) for place in _places(path)]
    name = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in folder.name).strip("-")
    services = "".join(f'\n[[services]]\nat = "{place}"\n' for place in places[:_MOST_SERVICES])
    return _HEAD.format(service_name=name.lower() or "app") + (services or _EXAMPLE) + _TAIL


def _is_program(path: Path) -> bool:
    return path.stem.isidentifier() and path.stem not in _NO_PROGRAMS and not path.stem.startswith(("test_", "_"))


def _places(path: Path) -> Iterator[str]:
    """The module, if it has public functions, and its classes that have public methods."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    if _has_public_function(body):
        yield path.stem
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name[0].isupper() and _has_public_function(node.body):
            yield f"{path.stem}:{node.name}"


def _has_public_function(body: list[ast.stmt]) -> bool:
    return any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_") for node in body
    )
