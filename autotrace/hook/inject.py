"""Nodes that we add to a tree: takes their parts, gives them with a position that says they have none."""

from __future__ import annotations

import ast
import sys
from typing import TypeAlias, TypeVar

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_Node = TypeVar("_Node", bound=ast.AST)

# No source that is woven has so many lines. `autotrace.hook.linetable` turns it into "no line", so that a debugger, a
# coverage tool or `sys.settrace` sees exactly the lines that it would see untraced. The tables of 3.10 have two bytes for
# each 127 lines of a jump, so it cannot be far away there.
NOWHERE = 0x3FFF0000 if sys.version_info >= (3, 11) else 0x20000


def call(constant: str, method: str, arguments: list[ast.expr]) -> ast.Call:
    """`CONSTANT.method(*arguments)`, without positions."""
    function = ast.Attribute(value=ast.Constant(value=constant), attr=method, ctx=ast.Load())
    return ast.Call(func=function, args=arguments, keywords=[])


def inject(node: _Node, line: int) -> _Node:
    """Give `node` and all nodes in it that have no position yet the given line."""
    for part in ast.walk(node):
        if "lineno" in part._attributes and not hasattr(part, "lineno"):
            part.lineno = part.end_lineno = line  # type: ignore[attr-defined]  # nodes with positions, by the line above
            part.col_offset = part.end_col_offset = 0  # type: ignore[attr-defined]  # as above
    return node


def split_docstring(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """The documentation, which must stay first, and the rest."""
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[:1], body[1:]
    return [], body
