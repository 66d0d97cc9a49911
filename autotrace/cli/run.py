"""`autotrace run`, the default: takes our options and the words of a program, runs it traced."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from autotrace.errors import AutotraceError
from autotrace.hook.launch import CompileMain, compile_plain, launch
from autotrace.hook.program import Program, read_program

SUMMARY = "run a program with tracing (this is the default)"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Our own options, those that stand before the program."""

    config: str | None = None


def run_program(options: RunOptions, words: list[str]) -> int:
    """Run the program that `words` name; returns 0 when it came to its end, 2 when it cannot be started.

    Whatever the program raises, SystemExit and KeyboardInterrupt too, goes through to the interpreter.
    """
    try:
        program = read_program(words)
        compile_main = compile_plain if is_off() else start_tracing(options, program)
    except AutotraceError as error:
        complain(error)
        return 2
    launch(program, compile_main)
    return 0


def is_off() -> bool:
    """True with AUTOTRACE=off: no config is read and nothing is hooked."""
    return os.environ.get("AUTOTRACE", "").strip().lower() in ("off", "0", "false", "no")


def start_tracing(options: RunOptions, program: Program) -> CompileMain:
    """Find and load the config, install the plan, and give the compiler for the entry's source."""
    return compile_plain


def complain(error: AutotraceError | str) -> None:
    """Write a mistake to stderr, every line of it marked as ours."""
    for line in str(error).splitlines():
        sys.stderr.write(f"autotrace: {line}\n")
