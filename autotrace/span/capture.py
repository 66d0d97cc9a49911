"""Values to attributes: takes any object of the application, gives a bounded plain value without running its code."""

from __future__ import annotations

from types import TracebackType
from typing import cast

from autotrace.guard import is_from_signal
from autotrace.span.finished import AttributeScalar, AttributeValue

TEXT_LIMIT = 4096
FRAME_LIMIT = 64

_CONTROL_FLOW = (StopIteration, StopAsyncIteration)


def attribute_of(value: object) -> AttributeScalar | None:
    """The attribute for `value`: itself for an exact str, int, float, bool; text for bytes; else the name of its type.

    Nothing of the value is called: a `repr` can run SQL, read a stream, or raise. None has no attribute.
    """
    kind = type(value)
    if kind is str:
        return cast(str, value)[:TEXT_LIMIT]
    if kind is int or kind is float or kind is bool:
        return cast(AttributeScalar, value)
    if value is None:
        return None
    if kind is bytes:
        return cast(bytes, value)[:TEXT_LIMIT].decode("utf-8", "replace")
    return type_name(kind)


def type_name(kind: type) -> str:
    """The name of a type as OpenTelemetry spells it: `module.QualifiedName`, without `builtins`."""
    module, name = kind.__module__, kind.__qualname__
    return name if module == "builtins" else f"{module}.{name}"


def is_error(error: BaseException) -> bool:
    """Whether an exception that left a call is an error: control flow, cancellation and a clean exit are none."""
    if isinstance(error, SystemExit):
        return error.code not in (None, 0)
    return isinstance(error, Exception) and not isinstance(error, _CONTROL_FLOW)


def exception_attributes(error: BaseException) -> dict[str, AttributeValue]:
    """The attributes of OpenTelemetry's `exception` event; the exception itself and its frames are not kept."""
    return {
        "exception.type": type_name(type(error)),
        "exception.message": exception_text(error),
        "exception.stacktrace": stack_text(error.__traceback__),
    }


def exception_text(error: BaseException) -> str:
    """`str(error)`, cut; what its `__str__` raises is replaced by a note and never seen by the application."""
    try:
        text = str(error)
    except Exception as failure:
        if is_from_signal(failure):
            raise
        return f"<{type(error).__name__} whose __str__ raises {type(failure).__name__}>"
    return text[:TEXT_LIMIT] if type(text) is str else type_name(type(text))


def stack_text(trace: TracebackType | None) -> str:
    """The frames of a traceback, one a line, outermost first; source lines are left out: they would be read from disk."""
    lines: list[str] = []
    while trace is not None and len(lines) < FRAME_LIMIT:
        code = trace.tb_frame.f_code
        lines.append(f'File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}')
        trace = trace.tb_next
    return "\n".join(lines)[: 4 * TEXT_LIMIT]
