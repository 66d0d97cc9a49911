"""`autotrace run`, the default: takes our options and the words of a program, runs it traced."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from autotrace.errors import AutotraceError, ConfigError, LaunchError
from autotrace.hook.children import Entry, environment, inherit
from autotrace.hook.launch import launch
from autotrace.hook.program import Program, read_program
from autotrace.hook.search_path import hides

if TYPE_CHECKING:
    from autotrace.runtime import Runtime

SUMMARY = "run a program with tracing (this is the default)"


class RunOptions(NamedTuple):
    """Our own options, those that stand before the program."""

    config: str | None = None
    process: str | None = None
    report: bool = False


def run_program(options: RunOptions, words: list[str]) -> int:
    """Run the program that `words` name; returns 0 when it came to its end, 2 when it cannot be started.

    Whatever the program raises, SystemExit and KeyboardInterrupt too, goes through to the interpreter.
    """
    inheritance = inherit()
    is_child = inheritance is not None and inheritance.executed
    if is_child:
        _forget_the_launch()
    runtime = None
    try:
        program = read_program(words)
        if not is_off():
            runtime = start_tracing(options, program)
    except AutotraceError as error:
        complain(error)
        if not is_child or isinstance(error, LaunchError):
            return 2
    if runtime is None:
        launch(program)
    else:
        _launch_traced(program, runtime)
    return 0


def _launch_traced(program: Program, runtime: Runtime) -> None:
    if hides(program, runtime.late_imports):
        runtime.load_rest()
    try:
        launch(program, runtime.compile_main)
    except KeyboardInterrupt:
        # The interpreter forgets to end itself by SIGINT where a module that is imported at exit makes a namedtuple.
        runtime.load_rest()
        raise


def start_in_place() -> None:
    """Trace this process, whose __main__ the interpreter runs itself: a child of a traced one."""
    inheritance = inherit()
    if inheritance is None or is_off():
        return
    entry = inheritance.entry
    program = Program(entry.kind, entry.text, (), entry.names, entry.installed)
    runtime = start_tracing(RunOptions(process=entry.process), program, entry)
    if runtime is not None:
        runtime.load_rest()


def _forget_the_launch() -> None:
    """Let sys.orig_argv be what the parent process has started."""
    words = sys.orig_argv
    place = next((n for n in range(1, len(words)) if words[n : n + 3] == ["-m", "autotrace", "run"]), None)
    if place is not None:
        del words[place : place + 3]


def is_off() -> bool:
    """True with AUTOTRACE=off: no config is read and nothing is hooked."""
    return os.environ.get("AUTOTRACE", "").strip().lower() in ("off", "0", "false", "no")


def start_tracing(options: RunOptions, program: Program, entry: Entry | None = None) -> Runtime | None:
    """Find and load the config, install the plan, and give the tracing; None where the program is to run plain.

    Raises ConfigError, unless the file says `on_config_error = "run_untraced"`: then the program runs plain, and loudly.
    """
    # The tracer costs a start 30 ms, which AUTOTRACE=off must not pay.
    from autotrace import installation
    from autotrace.config.search import find_config
    from autotrace.runtime import Runtime

    script = program.text if program.kind in ("script", "directory", "zip") and not program.installed else None
    file = find_config(options.config, script, environ=environment())
    if file is None and inherit() is None:
        complain(
            "no tracing.toml found, so known libraries are traced and no function of yours; autotrace init writes one"
        )
    try:
        process = options.process or environment().get("AUTOTRACE_PROCESS") or None
        plan = installation.plan_in(
            file,
            _service_name(program),
            (program.names, program.text if program.kind == "script" else ""),
            _folder(script),
            _words(program),
            process,
        )
    except ConfigError as error:
        from autotrace.config.load import runs_untraced  # tomli, which has read the file with the mistake

        if file is None or not runs_untraced(file):
            raise
        complain(error)
        complain('the program runs UNTRACED, as on_config_error = "run_untraced" asks')
        return None
    in_place = entry is not None
    entry = entry or Entry(program.names, program.text, program.kind, program.installed, options.process)
    runtime = Runtime(plan, program.names, entry)
    runtime.account.reports_endpoints = options.report
    runtime.account.reports = not in_place and inherit() is None  # what a child writes to stderr may be read
    runtime.start()
    return runtime


def _service_name(program: Program) -> str:
    return program.names[1] if len(program.names) > 1 else "python"


def _words(program: Program) -> tuple[str, ...]:
    """What `entry` of `[[processes]]` may name."""
    return (program.text,) if program.kind in ("script", "module", "directory", "zip") else ()


def _folder(script: str | None) -> tuple[str, ...]:
    return (os.path.dirname(os.path.realpath(script)),) if script is not None else ()  # noqa: PTH120 - as in the launch


def complain(error: AutotraceError | str) -> None:
    """Write a mistake to stderr, every line of it marked as ours."""
    for line in str(error).splitlines():
        sys.stderr.write(f"autotrace: {line}\n")
