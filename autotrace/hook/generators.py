"""Weaving generators: takes one, moves its body into an inner generator that a driver steps through.

Rewriting each `yield` cannot be right: after `throw()` the body's `except` would run in the caller's context. So the
body moves, with its parameters, into a function of the same name, and what is left hands every step through:

    def numbers(n):                     def numbers(n):
        yield n                             def numbers(n): yield n
                                            with SITE.ExitStack():
                                                return (yield from STEPS.iter(numbers(n)))
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from autotrace.hook.inject import Function, call, inject, split_docstring
from autotrace.hook.woven import INNER
from autotrace.span.delegate import DELEGATE

_VARIABLES = frozenset({"driver", "value", "closing", "thrown", "sent", "error"})


def weave(function: Function, mark: str) -> None:
    """Replace the body of a generator function, in place, by one that hands every step to a driver."""
    documentation, body = split_docstring(function.body)
    inner = _inner_function(function, body)
    names: list[ast.expr] = [ast.Name(id=argument.arg, ctx=ast.Load()) for argument in parameters(function)]
    started = ast.Call(func=ast.Name(id=INNER, ctx=ast.Load()), args=names, keywords=[])
    asynchronous = isinstance(function, ast.AsyncFunctionDef)
    driver = call(mark + "steps", "aiter" if asynchronous else "iter", [started])
    delegated: list[ast.stmt] = [ast.Return(value=ast.YieldFrom(value=driver))]
    delegation = _delegate(driver) if asynchronous else delegated
    trimmed = ast.withitem(context_expr=call(mark + "site", "ExitStack", []))
    function.body = [*documentation, inner, inject(ast.With(items=[trimmed], body=delegation), function.lineno)]


def _inner_function(function: Function, body: list[ast.stmt]) -> Function:
    # Every parameter by position: `*args` arrives as the tuple and `**kwargs` as the dict that they already are.
    arguments = [ast.arg(arg=argument.arg) for argument in parameters(function)]
    signature = ast.arguments(posonlyargs=[], args=arguments, kwonlyargs=[], kw_defaults=[], defaults=[])
    inner = type(function)(name=INNER, args=signature, body=[], decorator_list=[])
    if sys.version_info >= (3, 12):
        inner.type_params = []
    inject(inner, function.lineno)
    inner.body = body or [inject(ast.Pass(), function.lineno)]
    return inner


def _delegate(driver: ast.expr) -> list[ast.stmt]:
    (loop,) = ast.parse(DELEGATE).body
    assert isinstance(loop, ast.AsyncFunctionDef)
    for node in ast.walk(loop):
        if isinstance(node, ast.Name) and node.id in _VARIABLES:
            node.id = "." + node.id
        elif isinstance(node, ast.ExceptHandler) and node.name:
            node.name = "." + node.name
        if "lineno" in node._attributes:
            del node.lineno, node.end_lineno, node.col_offset, node.end_col_offset  # type: ignore[attr-defined]  # as checked
    target = ast.Name(id=".driver", ctx=ast.Store())
    return [ast.Assign(targets=[target], value=driver), *loop.body]


def is_generator(function: Function) -> bool:
    """Whether the function's own body contains `yield`."""
    nodes: list[ast.AST] = list(function.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            # What stands before the colon belongs to the outer function.
            nodes.extend(node.decorator_list)
        elif not isinstance(node, ast.Lambda):
            nodes.extend(ast.iter_child_nodes(node))
    return False


def parameters(function: Function) -> Iterator[ast.arg]:
    """All parameters, in the order of the signature."""
    arguments = function.args
    yield from (*arguments.posonlyargs, *arguments.args)
    if arguments.vararg:
        yield arguments.vararg
    yield from arguments.kwonlyargs
    if arguments.kwarg:
        yield arguments.kwarg
