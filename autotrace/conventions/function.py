"""`function`: takes a function that could not be woven, gives the span of each of its calls, whatever its kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import Any

from autotrace.conventions.around import Begin, SpanCall, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import argument, parameters, plain
from autotrace.span.delegate import delegate
from autotrace.span.drive import GeneratorSite
from autotrace.span.site import Silence, Site
from autotrace.span.span import Span
from autotrace.span.tagged import TaggedSite
from autotrace.span.unrecorded import Unrecorded


def build(place: Place) -> Wrapper:
    """The wrapper of a plain function."""
    site = place.environment.construction.site(place.target, place.module, place.qualname, parameters(place))
    return surround_function(place, site)


def surround_function(place: Place, site: Site) -> Wrapper:
    """The wrapper of a function whose spans are those of `site`."""
    original = place.original
    steps = GeneratorSite(site)
    if inspect.isgeneratorfunction(original):
        return _generator(lambda generator: _delegate(site, steps.iter(generator)))
    if inspect.isasyncgenfunction(original):
        return _generator(lambda generator: delegate(steps.aiter(generator)))
    if isinstance(site, TaggedSite):
        return surround(original, _begin_tagged(place, site))
    return surround(original, lambda instance, args, kwargs: _call(args, kwargs, site.nullcontext()))


class TaggedCall(SpanCall):
    """A call whose result has tags."""

    __slots__ = ()

    def returned(self, result: Any) -> Any:
        self.span.site.tag(self.span, "result", result)
        return result


def _call(args: tuple[Any, ...], kwargs: dict[str, Any], span: Span | Unrecorded | Silence) -> SpanCall | None:
    return None if isinstance(span, Silence) else SpanCall(args, kwargs, span)  # type: ignore[arg-type]  # left like one


def _begin_tagged(place: Place, site: TaggedSite) -> Begin:
    readers = tuple(argument(place, root) for root in site.roots)

    def begin(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> SpanCall | None:
        span = site.nullcontext(tuple(plain(read(instance, args, kwargs)) for read in readers))
        return TaggedCall(args, kwargs, span) if isinstance(span, Span) else _call(args, kwargs, span)

    return begin


def _generator(drive: Callable[[Any], Any]) -> Wrapper:
    def around(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        original = wrapped(*args, **kwargs)
        generator = drive(original)
        generator.__name__, generator.__qualname__ = original.__name__, original.__qualname__
        return generator

    return around


def _delegate(site: Site, driver: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    with site.ExitStack():
        return (yield from driver)
