"""Compiling woven code: takes source and a choice of its functions, gives code objects, or the plain code if it must.

Whatever fails falls back: one function, where the compiler names its line; else the whole module.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import CodeType

from autotrace.hook.inject import NOWHERE
from autotrace.hook.linetable import erase_nowhere
from autotrace.hook.weave import functions, report_end, weave
from autotrace.hook.woven import Choice, Choose, Compiled, Woven


def compile_woven(source: bytes | str, filename: str, choose: Choose, *, definitions: bool = False) -> Compiled:
    """Compile `source` with what `choose` picks; raise only what compiling the plain source raises."""
    failed: dict[str, str] = {}
    while True:
        tree = ast.parse(source, filename)
        lines = {name: (function.lineno, function.end_lineno or 0) for function, name in functions(tree)}
        woven: list[Woven] = []
        try:
            if max((end for _, end in lines.values()), default=0) >= NOWHERE:
                raise ValueError(f"more than {NOWHERE} lines")  # noqa: TRY301 - as what the compiler raises
            woven = weave(tree, _without(choose, failed))
            report_end(tree, definitions=definitions)
            code: CodeType = compile(tree, filename, "exec", dont_inherit=True)
            return Compiled(erase_nowhere(code), tuple(woven), tuple(failed.items()))
        except (SyntaxError, ValueError, RecursionError, MemoryError, TypeError, OverflowError) as error:
            culprit = _culprit(error, lines, [record.qualname for record in woven])
            if culprit is None or culprit in failed:
                return _plain(source, filename, error)
            failed[culprit] = str(error)


def _without(choose: Choose, failed: dict[str, str]) -> Choose:
    def choose_rest(qualname: str, parameters: tuple[str, ...]) -> Choice | None:
        return None if qualname in failed else choose(qualname, parameters)

    return choose_rest


def _culprit(error: Exception, lines: dict[str, tuple[int, int]], names: Sequence[str]) -> str | None:
    line = getattr(error, "lineno", None)
    if line is None:
        return None
    inside = [name for name in names if lines[name][0] <= line <= lines[name][1]]
    return max(inside, key=lambda name: lines[name][0], default=None)


def _plain(source: bytes | str, filename: str, error: Exception) -> Compiled:
    code: CodeType = compile(source, filename, "exec", dont_inherit=True)
    return Compiled(code, (), (("*", f"{type(error).__name__}: {error}"),))
