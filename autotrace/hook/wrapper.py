"""The wrapper of a patched function: takes a function and what to call around it, stays out of every other way.

wrapt's wrapper keeps signature, kind and `isinstance`; ours adds what it lacks: pickle, copy, deepcopy and repr.
"""

from __future__ import annotations

import sys
from typing import Any

import wrapt


class TracedMethod(wrapt.BoundFunctionWrapper[..., Any]):
    """A traced function taken from an instance or a class; pickled as Python pickles a bound method."""

    def __reduce_ex__(self, protocol: int) -> tuple[Any, ...] | str:  # type: ignore[override]  # SupportsIndex
        holder = getattr(self.__wrapped__, "__self__", None)
        if holder is None:
            # Each look-up gives another wrapper, so the name alone would not be found to be the same object.
            holder = _holder(self.__module__, self.__qualname__)
        return str(self.__qualname__) if holder is None else (getattr, (holder, self.__name__))

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __copy__(self) -> TracedMethod:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TracedMethod:
        return self


class TracedFunction(wrapt.FunctionWrapper[..., Any]):
    """A traced function in the place where it is defined; pickled by its name, as Python pickles a function."""

    __bound_function_wrapper__ = TracedMethod
    autotrace_wrapper = True

    def __reduce_ex__(self, protocol: int) -> str:  # type: ignore[override]  # SupportsIndex
        return str(self.__qualname__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)

    def __copy__(self) -> TracedFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TracedFunction:
        return self


def _holder(module: str, qualname: str) -> Any:
    """The class that holds what `qualname` names, or None."""
    holder: Any = sys.modules.get(module)
    for name in qualname.split(".")[:-1]:
        holder = getattr(holder, name, None)
    return holder if isinstance(holder, type) else None
