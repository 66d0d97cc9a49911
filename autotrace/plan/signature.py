"""Checks paths against the functions they read: takes a config, gives a mistake for each that names no parameter.

Nothing is imported or run: a module's source is found down its packages and parsed.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from autotrace.errors import Mistake, PathError
from autotrace.plan.build import user_targets
from autotrace.plan.path import parse
from autotrace.plan.pattern import compile_pattern
from autotrace.plan.source import Source, find_source, look_at
from autotrace.plan.target import Target

if TYPE_CHECKING:
    from autotrace.config.load import Loaded
    from autotrace.config.positions import KeyPath

Entry: TypeAlias = "tuple[Iterable[str], str]"
"""The names by which a file may call the entry script (`__main__`, `app`), and its file name."""

_ALWAYS_THERE = frozenset({"result", "error", ""})


class _Function(NamedTuple):
    qualname: str
    parameters: tuple[str, ...]
    signature: str


def load_checked(
    path: Path,
    entry: Entry | None = None,
    search_path: Sequence[str] | None = None,
    choose: Callable[[Loaded], Loaded] | None = None,
    note: Callable[[Source], object] = lambda source: None,
) -> Loaded:
    """A config file whose keys, values, paths and parameters are right; ConfigError holds every mistake of them all.

    `choose` gives what holds for one program of several (`autotrace.config.process`); without it the signatures of all
    of them are checked. `note` is told each source that was looked for.
    """
    from autotrace.config.load import load_file

    def check(loaded: Loaded) -> list[Mistake]:
        chosen = (choose(loaded),) if choose else _every_process(loaded)
        mistakes = [mistake for one in chosen for mistake in check_signatures(one, entry, search_path, note)]
        return list(dict.fromkeys(mistakes))

    loaded = load_file(path, check_path=parse, check=check)
    return choose(loaded) if choose else loaded


def _every_process(loaded: Loaded) -> list[Loaded]:
    from autotrace.config.process import of_process

    return [loaded, *(of_process(loaded, index) for index in range(len(loaded.model.processes)))]


def check_signatures(
    loaded: Loaded,
    entry: Entry | None = None,
    path: Sequence[str] | None = None,
    note: Callable[[Source], object] = lambda source: None,
) -> list[Mistake]:
    """The mistakes of a config whose functions can be found on `path` (default `sys.path`), in the order of the file.

    A module without a source, and a function that is not found, are no mistakes here: they are reported at exit.
    """
    sources = _Sources(entry, sys.path if path is None else path, note)
    groups: dict[tuple[str, int], list[Target]] = {}
    for key, target in user_targets(loaded):
        groups.setdefault(key, []).append(target)
    mistakes = [mistake for key, targets in groups.items() for mistake in _check_entry(loaded, key, targets, sources)]
    return sorted(mistakes)


def _check_entry(loaded: Loaded, key: tuple[str, int], targets: list[Target], sources: _Sources) -> Iterator[Mistake]:
    paths = list(_rooted_paths(key, targets[0]))
    if not paths:
        return
    found = [sources.functions(target) for target in targets]
    if not all(found):  # a function that is inherited or made elsewhere may have the parameter
        return
    functions = list(dict.fromkeys(function for group in found for function in group))
    known = {name for function in functions for name in function.parameters}
    for path, text, root in paths:
        if root not in known:
            yield loaded.mistake(path, *_words(text, root, known, functions))


def _rooted_paths(key: tuple[str, int], target: Target) -> Iterator[tuple[KeyPath, str, str]]:
    for name, text in target.tags:
        yield from _rooted_path((*key, "tags", name), text)
    for name, text in target.fields:
        if "." in text or "[" in text:  # else it may be a word of the convention
            yield from _rooted_path((*key, name), text)


def _rooted_path(path: KeyPath, text: str) -> Iterator[tuple[KeyPath, str, str]]:
    try:
        root = parse(text).root
    except PathError:
        return
    if root not in _ALWAYS_THERE:
        yield path, text, root


def _words(text: str, root: str, known: set[str], functions: list[_Function]) -> tuple[str, str]:
    if len(functions) == 1:
        where = f"names no parameter of {functions[0].signature}"
    else:
        where = f"names no parameter of any of the {len(functions)} functions, such as {functions[0].signature}"
    near = get_close_matches(root, sorted(known | {"self", "result", "error"}), 1)
    remedy = f'did you mean "{near[0]}"?' if near else "start with a parameter, self, result or error"
    return f'path "{text}" {where}', remedy


class _Sources:
    """The functions of modules by name, each source read once."""

    def __init__(self, entry: Entry | None, path: Sequence[str], note: Callable[[Source], object]) -> None:
        self._note = note
        self.entry_names = frozenset(entry[0]) if entry else frozenset()
        self.entry_file = entry[1] if entry else ""
        self.path = list(path)
        self._known: dict[str, list[_Function]] = {}

    def functions(self, target: Target) -> list[_Function]:
        """The functions that a target means, in the order of the source."""
        included = compile_pattern(target.qualname)
        excluded = [compile_pattern(one) for one in target.exclude]
        return [
            function
            for filename in self._filenames(target.module)
            for function in self._functions_of(filename)
            if included.matches(function.qualname) and not any(one.matches(function.qualname) for one in excluded)
        ]

    def _filenames(self, module: str) -> Iterator[str]:
        pattern = compile_pattern(module)
        if any(pattern.matches(name) for name in self.entry_names):
            self._note(look_at("", self.entry_file))
            yield self.entry_file
        if pattern.literal is not None:
            filename = find_source(module, self.path)
            self._note(look_at(module, filename))
            if filename:
                yield filename
        # The modules of a glob are known when they are imported; looking through every folder would cost the start.

    def _functions_of(self, filename: str) -> list[_Function]:
        if filename not in self._known:
            self._known[filename] = _read_functions(filename)
        return self._known[filename]


def _read_functions(filename: str) -> list[_Function]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the application's source: Python says them when it runs
            tree = compile(Path(filename).read_bytes(), filename, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return list(_functions_in(tree))


def _functions_in(tree: ast.AST) -> Iterator[_Function]:
    """All functions with their qualified names, without `<locals>`; a stack rather than recursion: sources can be deep."""
    pending: list[tuple[str, ast.AST]] = [("", tree)]
    while pending:
        prefix, node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield _Function(prefix + node.name, _parameters(node.args), f"{node.name}({_signature(node.args)})")
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            prefix = f"{prefix}{node.name}."
        pending.extend((prefix, child) for child in reversed(list(ast.iter_child_nodes(node))))


def _parameters(arguments: ast.arguments) -> tuple[str, ...]:
    rest = [one for one in (arguments.vararg, arguments.kwarg) if one]
    return tuple(one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *rest))


def _signature(arguments: ast.arguments) -> str:
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    if arguments.vararg or arguments.kwonlyargs:
        names.append(f"*{arguments.vararg.arg}" if arguments.vararg else "*")
    names += [one.arg for one in arguments.kwonlyargs]
    return ", ".join([*names, f"**{arguments.kwarg.arg}"] if arguments.kwarg else names)
