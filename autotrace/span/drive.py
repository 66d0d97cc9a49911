"""Generators: takes one that has not started, gives a stand-in whose span is current only while the generator runs.

Between two steps the caller's own context is current, and what the generator had made current waits for the next step.
The span starts with the first step and ends once, whichever way the generator stops.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from types import ModuleType, TracebackType
from typing import Any

from autotrace import guard
from autotrace.span.context import get_current, set_current
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tagged import TaggedSite


class GeneratorSite:
    """Drives the generators of one function; stands for the module `builtins` where autotrace is not installed."""

    __slots__ = ("site",)

    def __init__(self, site: Site) -> None:
        self.site = site

    def iter(self, generator: Generator[Any, Any, Any]) -> Driver:
        """A stand-in for `generator`, for `yield from`."""
        return Driver(self.site, generator)

    def aiter(self, generator: AsyncGenerator[Any, Any]) -> AsyncDriver:
        """A stand-in for an asynchronous `generator`."""
        return AsyncDriver(self.site, generator)

    def __reduce__(self) -> tuple[Callable[[str], ModuleType], tuple[str]]:
        return importlib.import_module, ("builtins",)


class _Steps:
    """The span of one generator, and the two contexts that take turns: the caller's and the generator's."""

    __slots__ = ("inside", "outside", "site", "span")

    def __init__(self, site: Site) -> None:
        self.site = site
        self.span: Span | None = None
        self.inside: object = None
        self.outside: object = None

    def enter(self, frame: Any) -> None:
        """Make the generator's context current; the first time, start its span."""
        self.outside = get_current()
        if self.span is None:
            try:
                self._start(frame)
            except BaseException as failure:
                guard.swallow(failure)
        else:
            set_current(self.inside)

    def leave(self) -> None:
        """Make the caller's context current again."""
        self.inside = get_current()
        set_current(self.outside)
        self.outside = None

    def finish(self, error: BaseException | None) -> None:
        """End the span; `StopIteration` and its like are the end, not an error."""
        if self.span is not None:
            try:
                self.span.close(error)
            except BaseException as failure:
                guard.swallow(failure)

    def _start(self, frame: Any) -> None:
        site = self.site
        if isinstance(site, TaggedSite):
            arguments = frame.f_locals if frame is not None else {}
            span = site.nullcontext(tuple(arguments.get(root) for root in site.roots))
        else:
            span = site.nullcontext()
        self.span = span if isinstance(span, Span) else None


class Driver(Generator[Any, Any, Any]):
    """A generator's stand-in."""

    __slots__ = ("_generator", "_steps")

    def __init__(self, site: Site, generator: Generator[Any, Any, Any]) -> None:
        self._generator = generator
        self._steps = _Steps(site)

    def __next__(self) -> Any:
        return self._step(self._generator.__next__)

    def send(self, value: Any) -> Any:
        return self._step(self._generator.send, value)

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        # Python hands over an instance; three arguments are deprecated from 3.12 on.
        error = kind if value is None else value
        return self._step(self._generator.throw, error)

    def close(self) -> None:
        return self._step(self._generator.close, closing=True)  # type: ignore[no-any-return]  # close gives None

    def _step(self, resume: Callable[..., Any], *values: Any, closing: bool = False) -> Any:
        steps = self._steps
        steps.enter(self._generator.gi_frame)  # type: ignore[attr-defined]  # a real generator, not the ABC
        try:
            value = resume(*values)
        except BaseException as error:
            steps.finish(error)
            raise
        else:
            if closing:
                steps.finish(None)
            return value
        finally:
            steps.leave()


class AsyncDriver:
    """An asynchronous generator's stand-in: what the loop around `yield` in woven and patched code calls."""

    __slots__ = ("_generator", "_steps")

    def __init__(self, site: Site, generator: AsyncGenerator[Any, Any]) -> None:
        self._generator = generator
        self._steps = _Steps(site)

    def __anext__(self) -> Awaitable[Any]:
        return self._step(self._generator.__anext__)

    def asend(self, value: Any) -> Awaitable[Any]:
        return self._step(self._generator.asend, value)

    def athrow(self, error: BaseException) -> Awaitable[Any]:
        return self._step(self._generator.athrow, error)

    def aclose(self) -> Awaitable[None]:
        return self._step(self._generator.aclose, closing=True)

    async def _step(self, resume: Callable[..., Awaitable[Any]], *values: Any, closing: bool = False) -> Any:
        steps = self._steps
        steps.enter(self._generator.ag_frame)  # type: ignore[attr-defined]  # a real one, not the ABC
        try:
            value = await resume(*values)
        except BaseException as error:
            steps.finish(error)
            raise
        else:
            if closing:
                steps.finish(None)
            return value
        finally:
            steps.leave()
