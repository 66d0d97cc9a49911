"""The wrapper of a patched function: takes a function and what to call around it, stays out of every other way.

wrapt's wrapper keeps signature, kind and `isinstance`; ours adds what it lacks: pickle, copy and deepcopy.
"""

from __future__ import annotations

from typing import Any

import wrapt


class TracedMethod(wrapt.BoundFunctionWrapper[..., Any]):
    """A traced function taken from an instance or a class; pickled as Python pickles a bound method."""

    def __reduce_ex__(self, protocol: int) -> tuple[Any, ...] | str:  # type: ignore[override]  # SupportsIndex
        instance = self._self_instance
        if instance is None:
            return str(self.__qualname__)
        return getattr, (instance, self.__name__)

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

    def __copy__(self) -> TracedFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TracedFunction:
        return self
