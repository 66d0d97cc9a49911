"""Around a call: takes what begins a call, gives wrapt's wrapper for a function of either kind, synchronous or not.

What a convention does before and after a call is written once; only this file knows that some calls are awaited.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from types import FunctionType, TracebackType
from typing import Any, TypeAlias

from autotrace import guard
from autotrace.span.span import Span

_FOLDER = __file__.removesuffix("around.py")

Wrapper: TypeAlias = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class Call:
    """One call that passes through as it is: what a convention has nothing to say about."""

    __slots__ = ("args", "kwargs")

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.args = args
        self.kwargs = kwargs

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def returned(self, result: Any) -> Any:
        """What the caller gets for `result`."""
        return result


class SpanCall(Call):
    """A call with a span, which is current until the call returns or raises."""

    __slots__ = ("span",)

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], span: Span) -> None:
        super().__init__(args, kwargs)
        self.span = span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.span.__exit__(kind, error, trace)


class Hidden:
    """Takes our frames, the outermost here, out of the traceback of what passes (from Python 3.11 on)."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_FOLDER):
                trace = trace.tb_next
            error.__traceback__ = trace


HIDDEN = Hidden()

Begin: TypeAlias = Callable[[Any, tuple[Any, ...], dict[str, Any]], Call | None]


def surround(original: Any, begin: Begin) -> Wrapper:
    """The wrapper for `original`; `begin(instance, args, kwargs)` gives the call, or None to let it pass."""

    def prepare(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        try:
            return begin(instance, args, kwargs) or Call(args, kwargs)
        except BaseException as failure:
            guard.swallow(failure)
            return Call(args, kwargs)

    async def awaited(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = prepare(instance, args, kwargs)
        with call, HIDDEN:
            return call.returned(await wrapped(*call.args, **call.kwargs))

    def around_awaited(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if is_plain:
            # Wrong arguments raise TypeError at the call, not when it is awaited: uvicorn calls `app()` and hopes for it.
            wrapped(*args, **kwargs).close()
        return awaited(wrapped, instance, args, kwargs)

    def around(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = prepare(instance, args, kwargs)
        with call, HIDDEN:
            return call.returned(wrapped(*call.args, **call.kwargs))

    # Not one that is only marked as a coroutine function: calling that runs its code.
    is_plain = isinstance(original, FunctionType) and bool(original.__code__.co_flags & inspect.CO_COROUTINE)
    return around_awaited if inspect.iscoroutinefunction(original) else around


def complete(original: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    """Let a plain function stand in the place of `original`, without wrapt, whose import every start would pay for.

    It is what it replaces to `inspect`, `help` and to pickle, which finds it by its module and name.
    """
    functools.update_wrapper(replacement, original)
    replacement.autotrace_wrapper = True  # type: ignore[attr-defined]  # the patcher asks for it
    return replacement


def abandon(span: object, failure: BaseException) -> None:
    """End what was started for a call that our own failure leaves untraced."""
    if isinstance(span, Span):
        span.__exit__(None, None, None)
    guard.swallow(failure)
