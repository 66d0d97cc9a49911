"""What is to be run: takes the words of a command line as `python` reads them, gives a Program."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from typing import Literal, NamedTuple

from autotrace.errors import LaunchError

Kind = Literal["script", "module", "code", "stdin", "directory", "zip"]


class Program(NamedTuple):
    """One program, as the interpreter would start it.

    `text` is the absolute path of a script, directory or zip, the name of a module, or the code; empty for stdin. `argv`
    is what `sys.argv` holds before the program runs. `names` are the module names under which targets may call the
    entry. `installed` says that the script was found on PATH, so its folder says nothing about the user's project.
    """

    kind: Kind
    text: str
    argv: tuple[str, ...]
    names: tuple[str, ...]
    installed: bool = False


def read_program(words: Sequence[str]) -> Program:
    """Read `[-m MODULE | -c CODE | - | FILE | -- COMMAND] ARGS...`; no word at all means stdin, as for `python`.

    Raises LaunchError when a word is missing or the file cannot be opened.
    """
    if not words:
        return Program("stdin", "", ("",), ("__main__",))
    first, *rest = words
    if first == "-":
        return Program("stdin", "", ("-", *rest), ("__main__",))
    if first == "--":
        return _command(rest)
    if first[:2] in ("-m", "-c"):
        return _option(first[:2], [first[2:], *rest] if len(first) > 2 else rest)
    return _file(first, tuple(words), installed=False)


def cannot_open(path: str, error: OSError) -> str:
    """The sentence with which `python` refuses a script that it cannot read."""
    return f"can't open file {path!r}: [Errno {error.errno}] {os.strerror(error.errno or 0)}"


def _option(option: str, words: Sequence[str]) -> Program:
    if not words:
        raise LaunchError(f"argument expected for the {option} option")
    text, *rest = words
    argv = (option, *rest)
    if option == "-c":
        return Program("code", text, argv, ("__main__",))
    # `-m package` runs package.__main__; whether it is one is known only after its parents were imported.
    return Program("module", text, argv, ("__main__", text, f"{text}.__main__"))


def _file(word: str, argv: tuple[str, ...], *, installed: bool) -> Program:
    # Joined, not normalised: `python ./app.py` has `/folder/./app.py` as its __file__.
    path = os.path.join(os.getcwd(), word) if word else os.getcwd()  # noqa: PTH109, PTH118
    container = _container(path)
    if container:
        return Program(container, path, argv, ("__main__",))
    try:
        if stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - a pipe must not be opened twice
            open(path, "rb").close()  # noqa: PTH123
    except OSError as error:
        raise LaunchError(cannot_open(path, error)) from None
    stem = os.path.splitext(os.path.basename(path))[0]  # noqa: PTH119, PTH122
    return Program("script", path, argv, ("__main__", stem), installed)


def _container(path: str) -> Literal["directory", "zip"] | None:
    """What `python` asks sys.path_hooks: can modules, so a __main__, be found in there?"""
    for hook in sys.path_hooks:
        try:
            importer = hook(path)
        except ImportError:
            continue
        sys.path_importer_cache[path] = importer
        return "directory" if os.path.isdir(path) else "zip"  # noqa: PTH112
    return None


def _command(words: Sequence[str]) -> Program:
    if not words:
        raise LaunchError("a command expected after --")
    name = words[0]
    path = _on_path(name)
    if path is None:
        raise LaunchError(f"command not found: {name}")
    if not _is_python(path):
        raise LaunchError(f"{path} is not a Python script; give -m with its module, or a script")
    return _file(path, (path, *words[1:]), installed=True)


def _on_path(name: str) -> str | None:
    if os.sep in name:
        return name if os.path.isfile(name) else None  # noqa: PTH113
    # First beside the interpreter: the commands of a virtual environment that nobody has activated.
    for folder in (os.path.dirname(sys.executable), *os.get_exec_path()):  # noqa: PTH120
        path = os.path.join(folder, name)  # noqa: PTH118
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
            return path
    return None


def _is_python(path: str) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        head = file.read(400)
    if path.endswith(".py"):
        return True
    # pip writes `#!/bin/sh` and `'''exec' /long/path/python` where the path is too long for a kernel.
    return head.startswith(b"#!") and b"python" in b"".join(head.split(b"\n", 2)[:2])
