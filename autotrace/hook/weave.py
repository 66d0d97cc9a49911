"""Weaving: takes the tree of a module and a choice of its functions, puts the tracing inside their bodies.

A function keeps its frame, names, signature and line numbers. What is added are constants and a `with` around the body:

    def create(self, order):            def create(self, order):
        "doc"                               "doc"
        return save(order)                  with SITE.nullcontext():
                                                return save(order)

`SITE` is no name but a constant of the code object, so that neither `locals()` nor `dir(module)` shows it and a class
cannot mangle it. The compiler takes only plain constants: it gets a marker, a string, which `bind` replaces.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autotrace.hook import generators
from autotrace.hook.inject import NOWHERE, Function, call, inject, split_docstring
from autotrace.hook.woven import DEFINED, END, Choice, Choose, Woven

# They compile a function from its source or byte code, where a constant of ours is neither number nor string.
_COMPILERS = frozenset({"jit", "njit", "vectorize", "guvectorize", "cfunc", "stencil", "script", "kernel"})

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def weave(tree: ast.Module, choose: Choose) -> list[Woven]:
    """Weave into `tree`, in place, what `choose(qualname, parameters)` picks; give what was woven."""
    woven: list[Woven] = []
    for function, qualname in list(functions(tree)):
        choice = None if is_compiled(function) else choose(qualname, parameter_names(function))
        if choice is not None:
            record = Woven(len(woven), qualname, choice.target, choice.roots)
            _weave_function(function, record.mark, choice)
            woven.append(record)
    return woven


def report_end(tree: ast.Module, *, definitions: bool) -> None:
    """Make a module say that it has run; with `definitions` also after each function and class at its top."""
    if definitions:
        body: list[ast.stmt] = []
        for statement in tree.body:
            body.append(statement)
            if isinstance(statement, _SCOPES):
                body.append(_report(DEFINED))
        tree.body = body
    tree.body.append(_report(END))


def _report(mark: str) -> ast.stmt:
    return inject(ast.Expr(value=call(mark, "nullcontext", [])), NOWHERE)


def functions(tree: ast.Module) -> Iterator[tuple[Function, str]]:
    """Every function of a module, also nested ones, with its qualified name without `<locals>`.

    A stack of blocks, not a visitor: a chain of 900 `elif` or `+` overflows what recurses.
    """
    blocks: list[tuple[list[ast.stmt], str]] = [(tree.body, "")]
    while blocks:
        block, path = blocks.pop()
        for statement in block:
            if isinstance(statement, _SCOPES):
                name = path + statement.name
                if not isinstance(statement, ast.ClassDef):
                    yield statement, name
                blocks.append((statement.body, name + "."))
            else:
                blocks.extend((inner, path) for inner in inner_blocks(statement))


def parameter_names(function: Function) -> tuple[str, ...]:
    """The names of all parameters, in the order of the signature."""
    return tuple(argument.arg for argument in generators.parameters(function))


def inner_blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The blocks of statements directly inside one statement."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if block:
            yield block
    for case in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
        yield case.body


def _weave_function(function: Function, mark: str, choice: Choice) -> None:
    if generators.is_generator(function):
        generators.weave(function, mark)
        return
    documentation, body = split_docstring(function.body)
    if choice.result:
        _read_results(body, mark)
    arguments: list[ast.expr] = []
    if choice.roots:
        values: list[ast.expr] = [ast.Name(id=root, ctx=ast.Load()) for root in choice.roots]
        arguments.append(ast.Tuple(elts=values, ctx=ast.Load()))
    entered = ast.withitem(context_expr=call(mark + "site", "nullcontext", arguments))
    block = ast.With(items=[entered], body=[])
    inject(block, NOWHERE)
    # Only documentation: the function leaves from there, as it would untraced; a debugger compares that line.
    block.body = body or [ast.copy_location(ast.Pass(), documentation[0])]
    function.body = [*documentation, block]


def _read_results(body: list[ast.stmt], mark: str) -> None:
    blocks = [body]
    while blocks:
        for statement in blocks.pop():
            if isinstance(statement, ast.Return) and statement.value is not None:
                value = statement.value
                read = call(mark + "results", "cast", [ast.Constant(value=None)])
                inject(read, value.lineno)
                read.args.append(value)
                statement.value = ast.copy_location(read, value)
            elif not isinstance(statement, _SCOPES):
                blocks.extend(inner_blocks(statement))


def is_compiled(function: Function) -> bool:
    """Whether a decorator (`jit`, `script`) compiles the function from its source or byte code."""
    for decorator in function.decorator_list:
        node = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
        if name in _COMPILERS:
            return True
    return False
