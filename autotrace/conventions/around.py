"""Around a call: takes what a convention does before and after one, gives the function that stands in another's place.

What a convention does is written once; the text below is compiled for each function with the function's own parameters,
awaited or not. So a call makes no tuple and no dict of its arguments, an argument is read as a local variable is, and wrong
arguments raise where and what they raise untraced.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakSet

from autotrace import guard
from autotrace.conventions.environment import Place
from autotrace.conventions.parameters import Parameters, is_awaited, is_plain, own_parameters, reader, replacer
from autotrace.plan.path import ABSENT
from autotrace.span.span import Span

surrounded: WeakSet[FunctionType] = WeakSet()
"""What was made here and is still there, for those who time it: `begin`, `returned` and `raised` are its variables."""

_FOLDER = __file__.removesuffix("around.py")
_FILE = _FOLDER + "<call>"

Wrapper: TypeAlias = Callable[..., Any]
"""A function marked by `complete`, or wrapt's wrapper of `(wrapped, instance, args, kwargs)`."""


def end(span: Any, result: Any) -> Any:
    """End the span of a call that returned; its caller gets the result."""
    span.__exit__(None, None, None)
    return result


def fail(span: Any, error: BaseException) -> None:
    """End the span of a call that raised."""
    span.__exit__(type(error), error, error.__traceback__)


class Around(NamedTuple):
    """What a convention does around a call.

    `begin` takes the values of the parameters `roots` (`ABSENT` where a call gives none; `"-1"` is the last by position) and
    gives the call, or None to let it pass. `returned(call, result)` gives what the caller gets, `raised(call, error)` ends
    the call. With `replaces`, one of the roots, the function gets `call.replaced` in its place.
    """

    begin: Callable[..., Any]
    roots: tuple[str, ...] = ()
    returned: Callable[[Any, Any], Any] = end
    raised: Callable[[Any, BaseException], None] = fail
    replaces: str = ""


_TEMPLATE = """
def make(original, begin, returned, raised, hide, swallow, read, replace, absent, anything):
    {kind}def traced({head}):
        {bind}
        try:
            autotrace_call = begin({roots})
        except anything as autotrace_error:
            autotrace_call = None
            swallow(autotrace_error)
        if autotrace_call is None:
            return {wait}{original}({forward})
        {replace}
        try:
            autotrace_result = {wait}{original}({forward})
        except anything as autotrace_error:
            hide(autotrace_error)
            raised(autotrace_call, autotrace_error)
            raise
        return returned(autotrace_call, autotrace_result)
    return traced
"""
_COLLECTED = {"bind": "", "replace": "", "forward": "*autotrace_args, **autotrace_kwargs"}


def surround(place: Place, around: Around) -> Wrapper:
    """What stands in the place of a function: for a plain one of a library's a plain one, else what wrapt calls.

    Of the user's own functions more may be asked: their code's file and line, a pickled class method.
    """
    original = place.original
    if place.target.integration is None or not is_plain(original):
        return wrapper(place, around)
    own = own_parameters(original)
    if any(name.startswith("autotrace_") for name in own.names):
        return wrapper(place, around)
    text = {"head": _head(own), "original": "original", **(_direct(place, around, own) or _gathered(around, own))}
    made = _make(place, around, text)
    code = made.__code__.replace(co_name=original.__name__)
    replacement = FunctionType(code, original.__globals__, original.__name__, original.__defaults__, made.__closure__)
    replacement.__kwdefaults__ = original.__kwdefaults__ and dict(original.__kwdefaults__)
    surrounded.add(replacement)
    return complete(original, replacement)


def wrapper(place: Place, around: Around) -> Wrapper:
    """Wrapt's wrapper for a function of any kind."""
    text = {"head": "wrapped, instance, autotrace_args, autotrace_kwargs", "original": "wrapped"}
    made = _make(place, around, {**text, **_COLLECTED, **_reading(around, "instance")})
    surrounded.add(made)
    if not (is_plain(place.original) and is_awaited(place.original)):
        return made

    def checked(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # Wrong arguments raise TypeError at the call, not when it is awaited: uvicorn calls `app()` and hopes for it.
        wrapped(*args, **kwargs).close()
        return made(wrapped, instance, args, kwargs)

    return checked


def _make(place: Place, around: Around, text: dict[str, str]) -> FunctionType:
    called = place.parameters
    awaited = is_awaited(place.original)
    source = _TEMPLATE.format(kind="async " if awaited else "", wait="await " if awaited else "", **text)
    namespace: dict[str, Any] = {}
    exec(compile(source, _FILE, "exec", dont_inherit=True), namespace)
    read = tuple(reader(called, name) for name in around.roots)
    made: FunctionType = namespace["make"](
        *(place.original, around.begin, around.returned, around.raised, hide, guard.swallow),
        *(read, replacer(called, around.replaces), ABSENT, BaseException),
    )
    return made


def _direct(place: Place, around: Around, own: Parameters) -> dict[str, str] | None:
    """The text of a call whose parameters are local variables; None where the function is called by others than its own."""
    if place.parameters != own:
        return None
    roots = [_local(name, own) for name in around.roots]
    if "" in roots:
        return None
    replace = f"{_local(around.replaces, own)} = autotrace_call.replaced" if around.replaces else ""
    return {"bind": "", "roots": ", ".join(roots), "replace": replace, "forward": _forward(own)}


def _gathered(around: Around, own: Parameters) -> dict[str, str]:
    """The text of a call whose arguments are gathered first."""
    positional = "".join(f"{part}, " for part in (*own.positional, *_starred("*", own.rest)))
    keyword = ", ".join((*(f'"{name}": {name}' for name in own.keyword), *_starred("**", own.keywords)))
    bind = f"autotrace_args, autotrace_kwargs = ({positional}), {{{keyword}}}"
    return {**_COLLECTED, **_reading(around, "None"), "bind": bind}


def _reading(around: Around, instance: str) -> dict[str, str]:
    arguments = "autotrace_args, autotrace_kwargs"
    roots = ", ".join(f"read[{index}]({instance}, {arguments})" for index in range(len(around.roots)))
    replace = f"{arguments} = replace({instance}, {arguments}, autotrace_call.replaced)" if around.replaces else ""
    return {"roots": roots, "replace": replace}


def _head(own: Parameters) -> str:
    unnamed, named = own.positional[: own.unnamed], own.positional[own.unnamed :]
    rest = _starred("*", own.rest) or (("*",) if own.keyword else ())
    keywords = _starred("**", own.keywords)
    return ", ".join((*unnamed, *(("/",) if unnamed else ()), *named, *rest, *own.keyword, *keywords))


def _forward(own: Parameters) -> str:
    named = (f"{name}={name}" for name in own.keyword)
    return ", ".join((*own.positional, *_starred("*", own.rest), *named, *_starred("**", own.keywords)))


def _starred(stars: str, name: str) -> tuple[str, ...]:
    return (stars + name,) if name else ()


def _local(name: str, own: Parameters) -> str:
    """The local variable that holds a parameter; "" where none does, `absent` for what is no parameter."""
    if name.startswith("-"):
        return "" if own.rest or len(own.positional) < -int(name) else own.positional[int(name)]
    return name if name in own.names else "absent"


def hide(error: BaseException) -> None:
    """Take our frames, the outermost here, out of the traceback of what passes (from Python 3.11 on)."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_FOLDER):
        trace = trace.tb_next
    error.__traceback__ = trace


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
