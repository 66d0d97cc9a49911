"""Processes that this one starts: takes what they must know to be traced too, puts it where they find it.

The application does not see it. What a child inherits is the environment of C, which `os.putenv` changes behind
`os.environ`; where a call names an environment, a copy of this process's own gets the same, and any other is respected.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple

from autotrace import guard
from autotrace.hook.program import Kind

SEARCH_PATH = "PYTHONPATH"
CONFIG = "AUTOTRACE_CONFIG"
STORE = "AUTOTRACE_STORE"
_PYTHON = "AUTOTRACE_PYTHON"
_PARENT = "AUTOTRACE_PARENT"
_EXECUTED = "AUTOTRACE_EXECUTED"
_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")  # noqa: PTH100, PTH118, PTH120 - no pathlib


class Entry(NamedTuple):
    """The program that a process runs, for those of its children that run the same one (multiprocessing).

    `names` are the module names of the entry, `text` its file or module, `process` what `--process` said.
    """

    names: tuple[str, ...] = ("__main__",)
    text: str = ""
    kind: Kind = "stdin"
    installed: bool = False
    process: str | None = None


class Inheritance(NamedTuple):
    """What this process was told by a traced parent: absolute paths in `environment`, the parent's program in `entry`."""

    environment: Mapping[str, str]
    entry: Entry
    executed: bool


_inheritance: Inheritance | None = None


def inherit() -> Inheritance | None:
    """What a traced parent says, taken out of the application's `os.environ`; None where there is no such parent."""
    global _inheritance
    if _inheritance is None and _PARENT in os.environ and os.environ.get(_PYTHON) == _identity():
        _inheritance = _take()
    return _inheritance


def environment() -> Mapping[str, str]:
    """The variables that we look at: the application's, and those that a parent has passed."""
    return os.environ if _inheritance is None else {**os.environ, **_inheritance.environment}


def _identity() -> str:
    return f"{sys.implementation.cache_tag}:{sys.prefix}"


def _take() -> Inheritance:
    told = marshal.loads(bytes.fromhex(os.environ[_PARENT]))
    executed = os.environ.get(_EXECUTED) == str(os.getpid())
    passed: dict[str, str] = {}
    for name in (CONFIG, STORE):
        added, seen = told["added"].get(name), os.environ.get(name)
        if seen == (added or told["seen"].get(name)):  # else the application has set one for its children
            passed[name] = told["passed"][name]
        if added is not None and seen == added:
            _hide(name)
    for name in (_PYTHON, _PARENT):
        _hide(name)
    os.environ.pop(_EXECUTED, None)
    search_path = os.environ.get(SEARCH_PATH, "")
    if search_path == _FOLDER:
        _hide(SEARCH_PATH)
    elif search_path.startswith(_FOLDER + os.pathsep):
        _hide(SEARCH_PATH, search_path[len(_FOLDER) + 1 :])
    return Inheritance(passed, Entry(*told["entry"]), executed)


def _hide(name: str, value: str | None = None) -> None:
    """Change what `os.environ` shows, and not what children inherit."""
    key = os.environ.encodekey(name)
    if value is None:
        os.environ._data.pop(key, None)  # type: ignore[attr-defined]  # private: the public ways tell C
    else:
        os.environ._data[key] = os.environ.encodevalue(value)  # type: ignore[attr-defined]  # as above


class Children:
    """Passes tracing on to the children of this process, from `start` to `stop`."""

    def __init__(self, config_file: str | None, store: str, entry: Entry) -> None:
        passed = {CONFIG: config_file or os.devnull, STORE: store}
        self._added = {name: value for name, value in passed.items() if name not in os.environ}
        told = {
            "passed": passed,
            "added": self._added,
            "seen": {name: os.environ.get(name) for name in passed},
            "entry": tuple(entry),
        }
        self._told = {_PYTHON: _identity(), _PARENT: marshal.dumps(told).hex()}
        self._undo: list[Callable[[], None]] = []
        self.has_started = False
        """Whether a process was started, as far as it was seen."""

    def start(self) -> None:
        """Let every way to start a process pass it on; `subprocess` is looked after when it is there."""
        for name, value in {**self._added, **self._told}.items():
            os.putenv(name, value)
            self._undo.append(lambda name=name: os.unsetenv(name))  # type: ignore[misc]  # mypy infers no lambda default
        self._watch_search_path()
        for name, place in (("execve", 2), ("posix_spawn", 2), ("posix_spawnp", 2), ("system", 1)):
            if hasattr(os, name):
                self._replace(os, name, self._passing_on(getattr(os, name), place))

    def enter_subprocess(self) -> None:
        """The application has imported `subprocess`."""
        kind: Any = sys.modules["subprocess"].Popen
        self._replace(kind, "_execute_child", self._passing_on(kind._execute_child, 7))

    def stop(self) -> None:
        """Leave everything as it was."""
        while self._undo:
            self._undo.pop()()

    def added_to(self, given: Any) -> Any:
        """An environment as the child gets it: a copy of this process's own with what we pass on, any other as it is."""
        try:
            return self._added_to(given) if isinstance(given, Mapping) and _copies_own(given) else given
        except BaseException as failure:
            guard.swallow(failure)
            return given

    def _added_to(self, given: Mapping[Any, Any]) -> dict[Any, Any]:
        told: dict[Any, Any] = {os.fsdecode(name): value for name, value in given.items()}
        told = {**self._added, **told, **self._told}
        search_path = told.get(SEARCH_PATH)
        told[SEARCH_PATH] = _with_folder(None if search_path is None else os.fsdecode(search_path))
        return told

    def _watch_search_path(self) -> None:
        """Keep our folder first on PYTHONPATH in the environment of C, whatever the application sets or deletes."""
        put, unset = os.putenv, os.unsetenv

        @wraps(put)
        def putenv(name: Any, value: Any, /) -> None:
            put(name, _with_folder(os.fsdecode(value)) if name in (SEARCH_PATH, b"PYTHONPATH") else value)

        @wraps(unset)
        def unsetenv(name: Any, /) -> None:
            if name in (SEARCH_PATH, b"PYTHONPATH"):
                put(name, _FOLDER)
            else:
                unset(name)

        def restore() -> None:
            value = os.environ.get(SEARCH_PATH)
            unset(SEARCH_PATH) if value is None else put(SEARCH_PATH, value)

        put(SEARCH_PATH, _with_folder(os.environ.get(SEARCH_PATH)))
        self._undo.append(restore)
        self._replace(os, "putenv", putenv)
        self._replace(os, "unsetenv", unsetenv)

    def _passing_on(self, original: Callable[..., Any], place: int) -> Callable[..., Any]:
        """A function that starts a process, whose environment is the argument at `place` or the one named env."""

        @wraps(original)
        def start_process(*arguments: Any, **named: Any) -> Any:
            self.has_started = True
            if "env" in named:
                named["env"] = self.added_to(named["env"])
            elif len(arguments) > place:
                arguments = (*arguments[:place], self.added_to(arguments[place]), *arguments[place + 1 :])
            return original(*arguments, **named)

        if original in os.supports_fd:
            os.supports_fd.add(start_process)
        return start_process

    def _replace(self, holder: Any, name: str, replacement: Any) -> None:
        original = getattr(holder, name)
        setattr(holder, name, replacement)

        def restore() -> None:
            if getattr(holder, name) is replacement:
                setattr(holder, name, original)

        self._undo.append(restore)


def _with_folder(search_path: str | None) -> str:
    if search_path is None or search_path == _FOLDER or search_path.startswith(_FOLDER + os.pathsep):
        return search_path or _FOLDER
    return _FOLDER + os.pathsep + search_path


def _copies_own(given: Mapping[Any, Any]) -> bool:
    """Whether an environment is this process's own with changes, and not one that was made up for the child."""
    if given is os.environ:
        return True
    values = {os.fsdecode(name): os.fsdecode(value) for name, value in given.items()}
    same = sum(values.get(name) == value for name, value in os.environ.items())
    return same * 2 > len(os.environ)
