"""Swapping: takes a function that exists already, gives the code that it would have if its module had been woven.

The function stays the object that it is: only its `__code__` is replaced, by code with the same free variables.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType, FunctionType
from typing import TypeAlias

from autotrace.hook.compile import compile_woven
from autotrace.hook.weave import functions, is_compiled
from autotrace.hook.woven import Choice, Compiled, Woven, bind

_KIND = CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR
_FILES = 32

_DECORATOR = "traced"
"""Functions below a decorator of this name are compiled together; any other is compiled when it is asked for."""

_Place: TypeAlias = "tuple[str, int]"
_Codes: TypeAlias = "dict[tuple[str, int], CodeType]"


class UntraceableError(Exception):
    """The function must stay as it is: something else compiles it from its source or byte code."""


class Swap:
    """The woven code of one function before its constants are put in.

    `mark` is what its markers begin with; `roots` are the parameters that each call hands over, in that order.
    """

    __slots__ = ("_code", "mark", "roots")

    def __init__(self, code: CodeType, woven: Woven) -> None:
        self._code = code
        self.mark = woven.mark
        self.roots = woven.roots

    def into(self, function: FunctionType, constants: Mapping[str, object]) -> None:
        """Make `function` the woven one."""
        function.__code__ = bind(self._code, constants)


def swap_of(function: FunctionType, *, result: bool) -> Swap | None:
    """What to put into `function`; None where there is no source, or the source is not what the function was made of.

    A call hands over all its parameters; with `result` it also reads what it returns. Raises UntraceableError.
    """
    source = _source_of(function)
    if source is None:
        return None
    try:
        return _file(source, function.__code__.co_filename).swap(function.__code__, result)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


class _File:
    """One source file, parsed and compiled once for all functions of it that are asked for."""

    def __init__(self, source: bytes | str, filename: str) -> None:
        self._source = source
        self._filename = filename
        self._plain: _Codes = dict(_codes(compile(source, filename, "exec", dont_inherit=True)))
        self._names: dict[_Place, str] = {}
        self._compiled_elsewhere: set[str] = set()
        decorated: set[str] = set()
        for node, qualname in functions(ast.parse(source, filename)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            self._names[node.name, first] = qualname
            if is_compiled(node):
                self._compiled_elsewhere.add(qualname)
            if any(_last_word(decorator) == _DECORATOR for decorator in node.decorator_list):
                decorated.add(qualname)
        # The markers of a function inside another would stand in the outer one's code, where nobody replaces them.
        self._together = frozenset(name for name in decorated if not _enclosing(name) & decorated)
        self._woven: dict[tuple[frozenset[str], bool], tuple[_Codes, Compiled]] = {}

    def swap(self, code: CodeType, result: bool) -> Swap | None:
        place = (code.co_name, code.co_firstlineno)
        qualname = self._names.get(place)
        # A file that has changed since, or a loader that changes what it loads (pytest, beartype).
        if qualname is None or self._plain.get(place) != code:
            return None
        if qualname in self._compiled_elsewhere:
            raise UntraceableError(qualname)
        codes, compiled = self._weave(self._together if qualname in self._together else frozenset((qualname,)), result)
        woven = codes.get(place)
        if woven is None or woven.co_freevars != code.co_freevars or (woven.co_flags ^ code.co_flags) & _KIND:
            return None
        record = next((one for one in compiled.woven if f"{one.mark}site" in woven.co_consts), None)
        return Swap(woven, record) if record is not None else None

    def _weave(self, names: frozenset[str], result: bool) -> tuple[_Codes, Compiled]:
        found = self._woven.get((names, result))
        if found is None:

            def choose(qualname: str, parameters: tuple[str, ...]) -> Choice | None:
                return Choice(0, parameters, result) if qualname in names else None

            compiled = compile_woven(self._source, self._filename, choose)
            found = self._woven[names, result] = dict(_codes(compiled.code)), compiled
        return found


_file = lru_cache(maxsize=_FILES)(_File)


def _source_of(function: FunctionType) -> bytes | str | None:
    code = function.__code__
    try:
        with open(code.co_filename, "rb") as file:  # noqa: PTH123 - pathlib costs 4 ms
            return file.read()
    except (OSError, ValueError):
        pass
    # A zip file, or whatever else has its own loader.
    get_source = getattr(function.__globals__.get("__loader__"), "get_source", None)
    try:
        source = get_source(function.__globals__["__name__"]) if get_source is not None else None
    except (ImportError, OSError, KeyError, SyntaxError):
        return None
    return source if isinstance(source, str) else None


def _codes(code: CodeType) -> Iterator[tuple[_Place, CodeType]]:
    """Every code object inside `code`, by name and first line."""
    waiting = [code]
    while waiting:
        for constant in waiting.pop().co_consts:
            if isinstance(constant, CodeType):
                yield (constant.co_name, constant.co_firstlineno), constant
                waiting.append(constant)


def _last_word(decorator: ast.expr) -> str:
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _enclosing(qualname: str) -> set[str]:
    parts = qualname.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}
