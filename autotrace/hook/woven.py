"""Woven code: what was chosen for its functions, the markers that stand in it, and how constants take their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType
from typing import NamedTuple, TypeAlias

MARK = "\0autotrace:"
END = MARK + "end"
DEFINED = MARK + "defined"
INNER = ".generator"
"""What the inner function of a generator is compiled as, until it gets the name of the outer one."""


class Choice(NamedTuple):
    """What to weave into a function: the number of its target, the parameters to hand over, whether `return` is read."""

    target: int
    roots: tuple[str, ...] = ()
    result: bool = False


class Woven(NamedTuple):
    """One woven function: the number in its markers, its name without `<locals>`, and what was chosen for it."""

    number: int
    qualname: str
    target: int
    roots: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """What the markers of this function begin with."""
        return f"{MARK}{self.number}:"


class Compiled(NamedTuple):
    """Code with markers still in it, what was woven into it, and what could not be, with the compiler's reason."""

    code: CodeType
    woven: tuple[Woven, ...]
    failed: tuple[tuple[str, str], ...] = ()


Choose: TypeAlias = Callable[[str, tuple[str, ...]], "Choice | None"]


def bind(code: CodeType, constants: Mapping[str, object]) -> CodeType:
    """The same code with every marker replaced by its constant, and generators' inner functions named as before."""
    return _bind(code, constants, code)


def _bind(code: CodeType, constants: Mapping[str, object], outer: CodeType) -> CodeType:
    replaced = tuple(_constant(constant, constants, code) for constant in code.co_consts)
    if code.co_name == INNER:
        names = {"co_name": outer.co_name}
        if hasattr(outer, "co_qualname"):
            names["co_qualname"] = outer.co_qualname
        return code.replace(co_consts=replaced, **names)  # type: ignore[arg-type]  # text by name, as declared
    if all(new is old for new, old in zip(replaced, code.co_consts, strict=True)):
        return code
    return code.replace(co_consts=replaced)


def _constant(constant: object, constants: Mapping[str, object], outer: CodeType) -> object:
    if isinstance(constant, CodeType):
        return _bind(constant, constants, outer)
    if isinstance(constant, str) and constant.startswith(MARK):
        # A program may have a string that begins like a marker.
        return constants.get(constant, constant)
    return constant
