"""The command line: takes the words after `autotrace`, gives them to one command, returns its exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from autotrace.cli.run import RunOptions, complain, run_program
from autotrace.hook.search_path import leave_path

COMMANDS = ("run", "check", "schema", "init", "traces", "show", "overhead", "version")
PLANNED = (
    *("explain", "suggest", "convert", "tail", "top", "diff", "ui", "export", "load", "dump"),
    *("doctor", "integrations", "collector-config"),
)
_PLANNED_OPTIONS = ("--html",)
_VALUES = {
    "--config": "a file: autotrace --config FILE",
    "--process": "a service_name or entry of [[processes]]: autotrace --process NAME",
}

_HELP = """\
usage: autotrace [--config FILE] [--process NAME] [run] PROGRAM [ARGS...]
       autotrace COMMAND [OPTIONS]

Runs PROGRAM as python would, and traces what its tracing.toml names. Not one line of the program changes.

  autotrace app.py --port 8000            a script, with its own arguments
  autotrace -m orders.worker              a module, as python -m
  autotrace -c 'import app; app.main()'   code
  autotrace run -- gunicorn app:app       an installed command
  autotrace show                          then: draw the latest trace

options, before PROGRAM:
  --config FILE   read FILE, not the tracing.toml found beside or above PROGRAM
  --process NAME  be the program of [[processes]] that has this service_name or entry
  --report        say at the end, on stderr, what became of the traces of each endpoint
  --version       print the version
  -h, --help      print this text; `autotrace COMMAND --help` for one command

commands:
"""

_HELP_END = """
A file named like a command: ./check or `autotrace run check`.
Options of python go before: python -O -m autotrace app.py. AUTOTRACE=off runs PROGRAM plainly.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` says (default: the process's own words); returns the exit code."""
    if argv is None:
        leave_path()
        argv = sys.argv[1:]
    words = list(argv)
    if not words and sys.stdin and sys.stdin.isatty():
        return _print_help()
    if words and (words[0] in PLANNED or (words[0] in COMMANDS and not _is_built(words[0]))):
        complain(f"the command {words[0]!r} is not built yet; to run a file of that name: autotrace ./{words[0]}")
        return 2
    if words and words[0] in COMMANDS and words[0] != "run":
        return _run_command(words[0], words[1:])
    return _run(words[1:] if words[:1] == ["run"] else words)


def _run(words: list[str]) -> int:
    given: dict[str, str] = {}
    report = False
    while (
        words and words[0].startswith("-") and words[0] != "-" and words[0] != "--" and words[0][:2] not in ("-m", "-c")
    ):
        option, equals, value = words.pop(0).partition("=")
        if option in ("-h", "--help"):
            return _print_help()
        if option == "--version":
            return _run_command("version", [])
        if option == "--report" and not equals:
            report = True
            continue
        if option not in _VALUES:
            complain(_refuse(option))
            return 2
        if not equals and not words:
            complain(f"{option} needs {_VALUES[option]} app.py")
            return 2
        given[option] = value if equals else words.pop(0)
    return run_program(RunOptions(given.get("--config"), given.get("--process"), report), words)


def _refuse(option: str) -> str:
    if option in _PLANNED_OPTIONS:
        return f"the option {option} is not built yet"
    if not option.startswith("--"):
        return f"unknown option {option}; options of python stand before: python {option} -m autotrace ..."
    if option == "--report":
        return "--report takes no value"
    known = "--config FILE, --process NAME, --report, --version, --help"
    return f"unknown option {option}; there are {known}; options of the program stand after it"


def _is_built(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(f"autotrace.cli.{name}") is not None


def _command(name: str) -> Any:
    from importlib import import_module

    return import_module(f"autotrace.cli.{name}")


def _run_command(name: str, words: list[str]) -> int:
    if name == "version" and not words:
        return int(_command(name).run())
    import argparse

    from autotrace.errors import AutotraceError

    command = _command(name)
    parser = argparse.ArgumentParser(prog=f"autotrace {name}", description=f"{command.SUMMARY}.")
    command.add_arguments(parser)
    try:
        return int(command.run(parser.parse_args(words)))
    except AutotraceError as error:
        complain(error)
        return 2


def _print_help() -> int:
    sys.stdout.write(_HELP)
    for name in filter(_is_built, COMMANDS):
        sys.stdout.write(f"  {name:<9} {_command(name).SUMMARY}\n")
    sys.stdout.write(_HELP_END)
    return 0
