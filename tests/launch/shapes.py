"""The program shapes: each a command line that `python` and `python -m autotrace` must end in the same way."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = REPOSITORY / "tests" / "programs"

# The one place to add modes: "plain" is the launcher alone; any other word is the `how` of a config that traces
# every function of the program.
TRACINGS = ("plain", "weave", "patch")

_SERVICE = """
[[services]]
at      = "{module}"
methods = ["**"]
"""


def _config(how: str, shape: Shape) -> str:
    named = shape.words[1:2] if shape.words[:1] == ("-m",) else ()
    modules = ("__main__", "package_program.**", *(name for name in named if name.isidentifier()))
    return f'how = "{how}"\n' + "".join(_SERVICE.format(module=module) for module in modules)


@dataclass(frozen=True)
class Shape:
    """The words after `python`, split at the place where `-m autotrace` goes."""

    words: tuple[str, ...]
    flags: tuple[str, ...] = ()
    stdin: bytes | None = None
    environment: tuple[tuple[str, str], ...] = ()
    interrupt: signal.Signals | None = None


@dataclass(frozen=True)
class Ending:
    """What can be seen of a program from outside."""

    stdout: str
    stderr: str
    exit_code: int


_CODE = "import sys\n\ndef fail(n):\n    raise ValueError(n)\n\nprint(sys.argv, list(globals()))\nfail(len(sys.argv))\n"

SHAPES: dict[str, Shape] = {
    "script": Shape(("attributes.py", "-x", "--config", "a")),
    "script by relative path": Shape(("./package_program/../attributes.py",)),
    "script by absolute path": Shape(("{work}/attributes.py",)),
    "script by symbolic link": Shape(("links/app.py",)),
    "script in a folder": Shape(("package_program/module.py",)),
    "script as bytecode": Shape(("compiled.pyc",)),
    "directory": Shape(("folder_program", "x")),
    "directory by relative path": Shape(("./folder_program/",)),
    "directory without __main__": Shape(("site",)),
    "zip": Shape(("program.zip", "x")),
    "package": Shape(("-m", "package_program", "x")),
    "module in a package": Shape(("-m", "package_program.module", "-m", "x")),
    "module": Shape(("-m", "attributes")),
    "module, glued": Shape(("-mattributes", "x")),
    "module that is missing": Shape(("-m", "no_such_module")),
    "module of a missing package": Shape(("-m", "no_such_package.module")),
    "module of a package that fails": Shape(("-m", "package_program.failing")),
    "module that is a file": Shape(("-m", "attributes.py")),
    "module with a syntax error": Shape(("-m", "syntax_error")),
    "module that fails": Shape(("-m", "uncaught")),
    "module that is interrupted": Shape(("-m", "keyboard_interrupt")),
    "code": Shape(("-c", _CODE, "-c", "x")),
    "code, glued": Shape(("-cimport sys; print(sys.argv, sys.path, globals())", "x")),
    "code with a syntax error": Shape(("-c", "print(1\nx = ")),
    "stdin": Shape(("-", "x"), stdin=_CODE.encode()),
    "stdin without a word": Shape((), stdin=b"import sys\nprint(sys.argv, globals(), sys.stdin.read())\n"),
    "pickled class": Shape(("pickled_class.py",)),
    "spawned pool": Shape(("spawn_pool.py",)),
    "spawned pool of a module": Shape(("-m", "spawn_pool")),
    "forked pool": Shape(("fork_pool.py",)),
    "fork": Shape(("forks.py",)),
    "exit with a number": Shape(("exit_number.py",)),
    "exit with a text": Shape(("exit_text.py",)),
    "exit without clean-up": Shape(("exit_hard.py",)),
    "uncaught exception": Shape(("uncaught.py",)),
    "chained exceptions": Shape(("chained.py",)),
    "exception group": Shape(("exception_group.py",)),
    "syntax error": Shape(("syntax_error.py",)),
    "wrong indent": Shape(("wrong_indent.py",)),
    "source in latin-1": Shape(("latin_source.py",)),
    "exception in an imported module": Shape(("import_failure.py",)),
    "missing import": Shape(("import_missing.py",)),
    "KeyboardInterrupt raised": Shape(("keyboard_interrupt.py",)),
    "SIGINT": Shape(("sleeping.py",), interrupt=signal.SIGINT),
    "SIGTERM": Shape(("sleeping.py",), interrupt=signal.SIGTERM),
    "SIGTERM handled": Shape(("interrupt_handled.py",), interrupt=signal.SIGTERM),
    "warning": Shape(("warning.py",)),
    "warning as error": Shape(("warning.py",), flags=("-W", "error::DeprecationWarning")),
    "syntax warning as error": Shape(("warning.py",), flags=("-W", "error")),
    "asyncio": Shape(("asynchronous.py",)),
    "threads": Shape(("threads.py",)),
    "atexit": Shape(("at_exit.py",)),
    "atexit and an exit code": Shape(("at_exit.py", "8")),
    "excepthook": Shape(("excepthook.py",)),
    "excepthook that fails": Shape(("excepthook_failing.py",)),
    "excepthook that exits": Shape(("excepthook_exiting.py",)),
    "recursion": Shape(("recursion.py",)),
    "introspection": Shape(("introspection.py",)),
    "introspection of a module": Shape(("-m", "introspection")),
    "type hints": Shape(("typed.py",)),
    "doctest and help": Shape(("documented.py",)),
    "unittest": Shape(("unit_tests.py",)),
    "namespaces": Shape(("namespaces.py",)),
    "settrace": Shape(("traced_lines.py",)),
    "settrace of a generator": Shape(("traced_generator.py",)),
    "execv of itself": Shape(("executes_itself.py",)),
    "sitecustomize": Shape(("exit_number.py",), environment=(("PYTHONPATH", "{work}/site"),)),
    "unraisable": Shape(("unraisable.py",)),
    "prompt afterwards": Shape(("fails_then_asks.py",), flags=("-i",), stdin=b"print(value, __name__)\n"),
    "input": Shape(("reads_input.py",), stdin=b"a line\n"),
    "flag -O": Shape(("flags.py", "x"), flags=("-O",)),
    "flag -u": Shape(("flags.py",), flags=("-u",)),
    "flags -B -s -X": Shape(("flags.py",), flags=("-B", "-s", "-X", "utf8=0", "-X", "faulthandler")),
    "flag -X dev": Shape(("flags.py",), flags=("-X", "dev")),
    "safe path": Shape(("flags.py",), environment=(("PYTHONSAFEPATH", "1"),)),
    "safe path, directory": Shape(("folder_program",), environment=(("PYTHONSAFEPATH", "1"),)),
    "shadowed standard modules": Shape(("shadowed/app.py",)),
    "own modules by standard names": Shape(("shadowed/own_modules.py",)),
    "own modules by standard names, module": Shape(("-m", "shadowed.own_modules")),
    "own modules by standard names, code": Shape(
        ("-c", "import own_modules"), environment=(("PYTHONPATH", "{work}/shadowed"),)
    ),
    "shadowed standard modules, code": Shape(("-c", "import app"), environment=(("PYTHONPATH", "{work}/shadowed"),)),
}

_STACKLEVEL = "a wrapper is one frame more, and what counts frames counts it (R30): weave such functions"
_TRACEBACK = "before 3.11 a `raise` adds its own frame, so a wrapper cannot leave a traceback that somebody else prints"
_GENERATOR = "the body of a woven generator is an inner generator, whose steps are events too (docs/architecture.md)"

# What is known to end differently, by shape and tracing, each with its reason; the test fails when it no longer does.
DEVIATIONS: dict[tuple[str, str], str] = {
    ("warning", "patch"): _STACKLEVEL,
    ("settrace of a generator", "weave"): _GENERATOR,
}
if sys.version_info < (3, 11):
    DEVIATIONS |= {
        ("chained exceptions", "patch"): _TRACEBACK,
        ("threads", "patch"): _TRACEBACK,
        ("atexit", "patch"): _TRACEBACK,
        ("atexit and an exit code", "patch"): _TRACEBACK,
        ("unittest", "patch"): _TRACEBACK,
    }


def run_shape(
    shape: Shape, work: Path, launcher: Sequence[str] = (), tracing: str = "plain", python: str = sys.executable
) -> Ending:
    """Run `shape` in a fresh copy of the programs at `work`; `launcher` is empty for python itself."""
    _prepare(work, python, shape)
    environment = _environment(shape, work)
    if tracing == "plain":
        environment["AUTOTRACE"] = "off"
    else:
        (work / "tracing.toml").write_text(_config(tracing, shape))
    words = [word.replace("{work}", str(work)) for word in shape.words]
    command = [python, *shape.flags, *launcher, *words]
    with subprocess.Popen(
        command, cwd=work, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        start = b""
        if shape.interrupt:
            start = process.stdout.readline()
            time.sleep(0.2)  # from the print into the sleep, whose line the traceback shows
            process.send_signal(shape.interrupt)
        try:
            stdout, stderr = process.communicate(shape.stdin, timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Ending(_stable(start + stdout), _theirs(_stable(stderr)), process.returncode)


def _prepare(work: Path, python: str, shape: Shape) -> None:
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(PROGRAMS, work, ignore=shutil.ignore_patterns("__pycache__"))
    (work / "links").mkdir()
    (work / "links" / "app.py").symlink_to("../attributes.py")
    with zipfile.ZipFile(work / "program.zip", "w") as file:
        file.write(work / "attributes.py", "__main__.py")
    if "compiled.pyc" in shape.words:
        code = "import py_compile; py_compile.compile('attributes.py', cfile='compiled.pyc')"
        subprocess.run([python, "-c", code], cwd=work, check=True)


def _environment(shape: Shape, work: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AUTOTRACE", "OTEL_", "PYTHON", "COVERAGE")) and name != "PYTEST_CURRENT_TEST"
    }
    paths = [str(REPOSITORY)]
    for name, value in shape.environment:
        if name == "PYTHONPATH":
            paths.insert(0, value.replace("{work}", str(work)))
        else:
            kept[name] = value
    return {**kept, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0"}


def _stable(output: bytes) -> str:
    text = output.decode("utf-8", "backslashreplace")
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
    return re.sub(r"\b\d+\.\d{3}s\b", "0.000s", text)


def _theirs(stderr: str) -> str:
    return "".join(line for line in stderr.splitlines(keepends=True) if not line.startswith("autotrace: "))
