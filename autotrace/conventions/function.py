"""`function`: takes a function that could not be woven, gives the span of each of its calls, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from autotrace import guard
from autotrace.conventions.around import Around, Wrapper, end, wrapper
from autotrace.conventions.environment import Place
from autotrace.plan.path import ABSENT
from autotrace.span.delegate import delegate
from autotrace.span.drive import GeneratorSite
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tagged import TaggedSite


def build(place: Place) -> Wrapper:
    """The wrapper of a plain function."""
    site = place.environment.construction.site(place.target, place.module, place.qualname, place.parameters.names)
    return surround_function(place, site)


def surround_function(place: Place, site: Site) -> Wrapper:
    """The wrapper, as wrapt calls it, of a function whose spans are those of `site`."""
    import inspect

    original = place.original
    steps = GeneratorSite(site)
    if inspect.isgeneratorfunction(original):
        return _generator(lambda generator: _delegate(site, steps.iter(generator)))
    if inspect.isasyncgenfunction(original):
        return _generator(lambda generator: delegate(steps.aiter(generator)))
    return wrapper(place, _around(site))


def _around(site: Site) -> Around:
    if not isinstance(site, TaggedSite):
        # Asked at each call, for a site that is called too often is of another class for a while.
        return Around(lambda: site.nullcontext())

    def begin(*values: Any) -> Any:
        return site.nullcontext(tuple(None if value is ABSENT else value for value in values))

    return Around(begin, site.roots, tag_result)


def tag_result(span: Any, result: Any) -> Any:
    """End the span of a call that returned, with the tags that its result has."""
    try:
        if isinstance(span, Span):
            span.site.tag(span, "result", result)
    except BaseException as failure:
        guard.swallow(failure)
    return end(span, result)


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
