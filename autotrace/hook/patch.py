"""Patching: takes a module and the name of something callable in it, replaces that by a wrapper, and puts it back.

For what has no source, was loaded before us, or needs its arguments changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

_MISSING = object()

# Their functions take each other for more than something to call.
_COMPILERS = frozenset({"numba", "torch", "triton"})


class Patcher:
    """Remembers what it replaced, to put it back in reverse."""

    def __init__(self) -> None:
        self._undo: list[tuple[Any, str, Any, Any]] = []

    def patch(self, module: ModuleType, qualname: str, wrap: Callable[[Any], Callable[..., Any] | None]) -> str | None:
        """Wrap what `qualname` names in `module`; give None, or why it cannot be."""
        *path, name = qualname.split(".")
        holder: Any = module
        for part in path:
            found = _attribute(holder, part)
            if found is _MISSING:
                return _not_found(holder, part)
            holder = found
        original = _own_attribute(holder, name)
        if original is _MISSING:
            return _not_found(holder, name)
        if _is_ours(original):
            return None
        compiler = type(original).__module__.partition(".")[0]
        if compiler in _COMPILERS:
            return f"{qualname} is compiled by {compiler}; trace the function of yours that calls it"
        replacement = wrapped(original, wrap)
        if replacement is None:
            return f"{qualname} is no function"
        return self._replace(holder, name, original, replacement)

    def undo(self) -> None:
        """Put everything back; what somebody else has replaced meanwhile stays."""
        while self._undo:
            holder, name, previous, replacement = self._undo.pop()
            if vars(holder).get(name) is replacement:
                if previous is _MISSING:
                    delattr(holder, name)
                else:
                    setattr(holder, name, previous)

    def _replace(self, holder: Any, name: str, original: Any, replacement: Any) -> str | None:
        previous = vars(holder).get(name, _MISSING)
        try:
            setattr(holder, name, replacement)
        except (TypeError, AttributeError) as error:
            return f"cannot be replaced: {error}; trace the function of yours that calls it"
        self._undo.append((holder, name, previous, replacement))
        if isinstance(holder, ModuleType):
            self._rebind(original, replacement)
        return None

    def _rebind(self, original: Any, replacement: Any) -> None:
        """Give the wrapper to the modules that took the function by `from x import f` before it was wrapped."""
        for module in list(sys.modules.values()):
            names = vars(module) if isinstance(module, ModuleType) else {}
            for name, value in list(names.items()):
                if value is original:
                    self._undo.append((module, name, original, replacement))
                    names[name] = replacement


def functions_of(module: ModuleType) -> Iterator[str]:
    """The qualified names of the functions, and of the methods of the classes, that a module defines."""
    for name, value in list(vars(module).items()):
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, type):
            yield from _methods_of(value, name)
        elif _is_function(value):
            yield name


def _methods_of(kind: type, path: str) -> Iterator[str]:
    for name, value in list(vars(kind).items()):
        if isinstance(value, type) and value.__qualname__.startswith(kind.__qualname__ + "."):
            yield from _methods_of(value, f"{path}.{name}")
        elif _is_function(value) or isinstance(value, staticmethod | classmethod | property):
            yield f"{path}.{name}"


def _is_function(value: object) -> bool:
    return isinstance(value, FunctionType) or type(value).__name__ in (
        "builtin_function_or_method",
        "cython_function_or_method",
    )


def wrapped(original: Any, wrap: Callable[[Any], Callable[..., Any] | None]) -> Any | None:
    """What takes the place of something callable, of the same kind; None for what is no function."""
    if isinstance(original, property):
        get, change, delete = (part and wrapped(part, wrap) for part in (original.fget, original.fset, original.fdel))
        return property(get, change, delete, original.__doc__)
    if isinstance(original, type) or (not callable(original) and not isinstance(original, staticmethod | classmethod)):
        return None
    function = original.__func__ if isinstance(original, staticmethod | classmethod) else original
    wrapper = wrap(function)
    if wrapper is None:
        return None
    if _is_ours(wrapper):
        return wrapper if function is original else type(original)(wrapper)
    from autotrace.hook.wrapper import TracedFunction  # wrapt: 150 ms that only a program with something patched pays

    # Outside a classmethod, not inside it: 3.13 no longer binds a wrapper that a classmethod holds.
    return TracedFunction(original, wrapper)


def _is_ours(value: object) -> bool:
    if isinstance(value, property):
        value = value.fget
    # On the wrapper's type; on a plain function that takes the place of another, on itself.
    marked = value if isinstance(value, FunctionType) else type(value)
    return getattr(marked, "autotrace_wrapper", False) is True


def _attribute(holder: Any, name: str) -> Any:
    value = vars(holder).get(name, _MISSING) if hasattr(holder, "__dict__") else _MISSING
    return value if value is not _MISSING else getattr(holder, name, _MISSING)


def _own_attribute(holder: Any, name: str) -> Any:
    """The attribute as it stands in the class or module; for an inherited one, as it stands where it is inherited from."""
    if isinstance(holder, type):
        for kind in holder.__mro__:
            if name in vars(kind):
                return vars(kind)[name]
        return _MISSING
    return _attribute(holder, name)


def _not_found(holder: Any, name: str) -> str:
    import difflib  # only for somebody's mistake

    nearest = difflib.get_close_matches(name, [key for key in vars(holder) if isinstance(key, str)], n=1)
    where = getattr(holder, "__name__", str(holder))
    hint = f'; did you mean "{nearest[0]}"?' if nearest else ""
    return f'{where} has no "{name}"{hint}'
