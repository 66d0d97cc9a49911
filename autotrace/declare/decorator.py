"""`@traced`: takes a function, gives the same function, traced as soon as the process is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload
from weakref import WeakKeyDictionary

from autotrace.declare.declaration import Declaration
from autotrace.hook.declared import meeting

if TYPE_CHECKING:
    from autotrace.runtime import Runtime

_Traced = TypeVar("_Traced", bound=Callable[..., Any])

# By function, which a declaration must not hold: functions are made and forgotten inside functions.
_DECLARED: WeakKeyDictionary[FunctionType, Declaration] = WeakKeyDictionary()


@overload
def traced(function: _Traced, /) -> _Traced: ...


@overload
def traced(
    *, name: str | None = None, tags: Mapping[str, str] | None = None, kind: str = "internal"
) -> Callable[[_Traced], _Traced]: ...


def traced(
    function: Any = None, /, *, name: str | None = None, tags: Mapping[str, str] | None = None, kind: str = "internal"
) -> Any:
    """Trace a function of your own; also `@traced(name=…, tags={…}, kind=…)`.

    Gives the function that it was given: same object, signature and kind. Where it must (no source, source that somebody
    has changed) it gives a wrapper that behaves like it. Under the launcher or after `install()` it is traced at once, else
    as soon as tracing is installed; what the config file names already is traced as the file says. A call that starts a
    trace first looks for a message among its arguments and continues that message's trace.

    `name` is the span's name (default: the qualified name of the function), `tags` are attributes as paths into the call
    (`{"order_id": "result.id"}`), `kind` is internal, server, client, producer or consumer. Raises AutotraceError for a tag
    or a kind that cannot be.
    """
    declaration = Declaration(name, tags or {}, kind)
    if function is None:
        return lambda decorated: _declare(decorated, declaration)
    return _declare(function, declaration)


def declaration_of(function: FunctionType) -> Declaration | None:
    """What was said of a function."""
    return _DECLARED.get(function)


def function_in(value: object) -> FunctionType | None:
    """The Python function that stands in a class or module as `value`: itself, or inside a descriptor or our wrapper."""
    if isinstance(value, property):
        value = value.fget
    if getattr(type(value), "autotrace_wrapper", False) is True:
        value = cast(Any, value).__wrapped__
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    return value if isinstance(value, FunctionType) else None


def _declare(decorated: Any, declaration: Declaration) -> Any:
    function = function_in(decorated)
    if function is None:
        return decorated
    declaration.check(function)
    _DECLARED[function] = declaration
    tracing = meeting.tracing
    if tracing is None:
        return decorated
    wrapper = declaration.put_into(function, tracing)
    if wrapper is None:
        return decorated
    from autotrace.declare.wrapper import wrapped  # wrapt, only for what cannot be given other code

    return wrapped(decorated, wrapper)


def _arrived(tracing: Runtime) -> None:
    for function, declaration in list(_DECLARED.items()):
        wrapper = declaration.put_into(function, tracing)
        if wrapper is not None and not tracing.patch(function, wrapper):
            # Its class is not there yet: it is `@service` of that class that has put tracing in.
            declaration.waiting = wrapper


meeting.tell(_arrived)
