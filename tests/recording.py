"""Tracing for tests: patches the places that integrations name, collects the spans of local roots that have ended."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autotrace import conventions
from autotrace.conventions.environment import Environment
from autotrace.hook.patch import Patcher, wrapped
from autotrace.plan.integration import load_integrations
from autotrace.plan.plan import PropagationSettings
from autotrace.plan.target import Target
from autotrace.span.construct import Construction
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer


class Recording:
    """Tracing that is on until `stop`, and what it has recorded."""

    def __init__(self, *libraries: str, sampled: bool = True, **propagation: Any) -> None:
        self.roots: list[LocalRoot] = []
        self._spans: list[Span] = []
        self._lock = threading.Lock()
        self.sampled = sampled
        self.tracer = Tracer(self._decide, lambda root: True, self._deliver)
        self.environment = Environment(Construction(self.tracer), PropagationSettings(**propagation))
        self._patcher = Patcher()
        for target in load_integrations(libraries):
            self.patch(target)

    def patch(self, target: Target) -> None:
        """Trace one target with a literal place."""
        module = importlib.import_module(target.module)
        problem = self._patcher.patch(module, target.qualname, self.wrapping(target))
        assert problem is None, problem

    def traced(self, function: Any, target: Target) -> Any:
        """What takes the place of a function that `target` names."""
        return wrapped(function, self.wrapping(target))

    def wrapping(self, target: Target) -> Callable[[Any], Any]:
        """What wraps a function that `target` names."""

        def wrap(original: Any) -> Any:
            return conventions.build(original, target, target.module, target.qualname, self.environment)

        return wrap

    def stop(self) -> None:
        """Put back what was patched."""
        self._patcher.undo()

    @contextmanager
    def span(self, name: str) -> Iterator[Span]:
        """A span of the application's own code."""
        span = Site(self.tracer, name).nullcontext()
        assert isinstance(span, Span)
        with span:
            yield span

    def spans(self, count: int | None = None, seconds: float = 5.0) -> list[Span]:
        """The finished spans by start; waits until there are `count`, as servers end theirs after the answer."""
        limit = time.monotonic() + seconds
        while count is not None and len(self._spans) < count and time.monotonic() < limit:
            time.sleep(0.005)
        with self._lock:
            found = sorted(self._spans, key=lambda span: span.start)
        assert count is None or len(found) == count, [span.name for span in found]
        return found

    def only(self) -> Span:
        """The one span that there is."""
        return self.spans(1)[0]

    def parent(self, span: Span) -> int:
        """The span id of the parent, local or remote; 0 for none."""
        root = span.root
        if root.span is span:
            return root.remote.span_id if root.remote is not None else 0
        parent = self.tracer.lineage(span.parent)
        assert isinstance(parent, Span)
        return parent.span_id

    def tree(self, count: int) -> list[str]:
        """The spans of one trace as indented lines of kind and name."""
        spans = self.spans(count)
        ids = {span.span_id for span in spans}
        lines: list[str] = []

        def add(parent: int, indent: str) -> None:
            for span in spans:
                above = self.parent(span)
                if (above if above in ids else 0) == parent:
                    lines.append(f"{indent}{span.kind} {span.name}")
                    add(span.span_id, indent + "  ")

        add(0, "")
        assert len({span.root.trace_id for span in spans}) == 1, lines
        return lines

    def _decide(self, root: LocalRoot) -> bool:
        return self.sampled if root.remote is None or root.remote.sampled is None else root.remote.sampled

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        with self._lock:
            self.roots.append(root)
            self._spans.extend(spans)


def attributes(span: Span) -> dict[str, Any]:
    """The attributes of a span: those of its place, and its own."""
    return {**span.site.attributes, **span.details().attributes}


def target(at: str, convention: str = "function", **settings: Any) -> Target:
    """A target as a file would name it; unknown settings are fields."""
    from autotrace.plan.target import Origin

    module, _, qualname = at.partition(":")
    known = {key: settings.pop(key) for key in ("span", "service", "evaluate", "min_duration_ns") if key in settings}
    tags = tuple(settings.pop("tags", {}).items())
    return Target(
        module, qualname, Origin("tests"), convention=convention, tags=tags, fields=tuple(settings.items()), **known
    )
