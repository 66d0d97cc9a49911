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
from autotrace.span.site import Silence, Site
from autotrace.span.span import Span
from autotrace.span.tagged import TaggedSite
from autotrace.span.unrecorded import Unrecorded


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

    __slots__ = ("generator", "inside", "outside", "site", "span")

    def __init__(self, site: Site, generator: Any) -> None:
        self.site = site
        self.generator = generator
        self.span: Span | Unrecorded | Silence | None = None
        self.inside: object = None
        self.outside: object = None

    def __enter__(self) -> None:
        """Make the generator's context current; the first time, start its span."""
        self.outside = get_current()
        if self.span is None:
            try:
                self._start()
            except BaseException as failure:
                guard.swallow(failure)
        else:
            set_current(self.inside)

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        """Make the caller's context current again; whatever leaves the generator ends it."""
        if error is not None:
            self.finish(error)
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

    def _start(self) -> None:
        site = self.site
        if isinstance(site, TaggedSite):
            frame = getattr(self.generator, "gi_frame", None) or getattr(self.generator, "ag_frame", None)
            arguments = frame.f_locals if frame is not None else {}
            self.span = site.nullcontext(tuple(arguments.get(root) for root in site.roots))
        else:
            self.span = site.nullcontext()


class Driver(Generator[Any, Any, Any]):
    """A generator's stand-in."""

    __slots__ = ("_generator", "_steps")

    def __init__(self, site: Site, generator: Generator[Any, Any, Any]) -> None:
        self._generator = generator
        self._steps = _Steps(site, generator)

    def __next__(self) -> Any:
        return self._step(self._generator.__next__)

    def send(self, value: Any) -> Any:
        return self._step(self._generator.send, value)

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None) -> Any:
        # Python hands over an instance; three arguments are deprecated from 3.12 on.
        error = kind if value is None else value
        return self._step(self._generator.throw, error)

    def close(self) -> None:
        self._step(self._generator.close)
        self._steps.finish(None)

    def _step(self, resume: Callable[..., Any], *values: Any) -> Any:
        with self._steps:
            return resume(*values)


class AsyncDriver:
    """An asynchronous generator's stand-in: what the loop around `yield` in woven and patched code calls."""

    __slots__ = ("_generator", "_steps")

    def __init__(self, site: Site, generator: AsyncGenerator[Any, Any]) -> None:
        self._generator = generator
        self._steps = _Steps(site, generator)

    def __anext__(self) -> Awaitable[Any]:
        return self._step(self._generator.__anext__)

    def asend(self, value: Any) -> Awaitable[Any]:
        return self._step(self._generator.asend, value)

    def athrow(self, error: BaseException) -> Awaitable[Any]:
        return self._step(self._generator.athrow, error)

    async def aclose(self) -> None:
        await self._step(self._generator.aclose)
        self._steps.finish(None)

    async def _step(self, resume: Callable[..., Awaitable[Any]], *values: Any) -> Any:
        with self._steps:
            return await resume(*values)
