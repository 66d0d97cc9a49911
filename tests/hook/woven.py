"""A program under test: takes source text, gives real modules loaded by the real hook, and what was recorded of them."""

from __future__ import annotations

import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from autotrace.hook.code_cache import CodeCache
from autotrace.hook.finder import TracingFinder
from autotrace.hook.matching import Matching
from autotrace.hook.patch import Patcher
from autotrace.hook.trace import ModuleTracing
from autotrace.hook.woven import Woven
from autotrace.plan.plan import PropagationSettings
from autotrace.plan.target import Origin, Target
from autotrace.span.construct import Construction
from autotrace.span.context import get_current
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer


def target(at: str, **more: Any) -> Target:
    """A target as `module:qualname`; a bare name lies in the module `shop`."""
    module, _, qualname = at.rpartition(":")
    return Target(module or "shop", qualname, Origin("test"), **more)


def current() -> str | None:
    """The name of the current span."""
    value = get_current()
    return value.name if isinstance(value, Span) else None


class Program:
    """Modules in a folder, traced from `__enter__` to `__exit__`, and their finished spans."""

    def __init__(
        self,
        folder: Path,
        targets: Sequence[Target | str],
        how: str = "weave",
        cache: Path | None = None,
        rate: float = 1,
    ) -> None:
        self.folder = folder
        self.spans: list[Span] = []
        self.tracer = Tracer(decide=lambda root: rate > 0, ended=lambda root: True, deliver=self._deliver)
        self.construction = Construction(self.tracer)
        chosen = [one if isinstance(one, Target) else target(one) for one in targets]
        self.matching = Matching(chosen)
        self.patcher = Patcher()
        self.tracing = ModuleTracing(
            self.matching, self, self.patcher, CodeCache(str(cache) if cache else None, repr(chosen) + how), how
        )
        self.finder = TracingFinder(self.tracing)
        self._loaded_before: set[str] = set()

    def __enter__(self) -> Program:
        self._loaded_before = set(sys.modules)
        sys.path.insert(0, str(self.folder))
        sys.meta_path.insert(0, self.finder)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        sys.meta_path.remove(self.finder)
        sys.path.remove(str(self.folder))
        self.patcher.undo()
        # A module may have put something else in its place, so its name counts.
        for name in set(sys.modules) - self._loaded_before:
            top = self.folder / name.partition(".")[0]
            file = str(getattr(sys.modules[name], "__file__", ""))
            if top.is_dir() or top.with_suffix(".py").exists() or file.startswith(str(self.folder)):
                del sys.modules[name]
        sys.path_importer_cache.pop(str(self.folder), None)

    def write(self, name: str, source: str) -> Path:
        """Write a module; dots in its name are folders."""
        path = self.folder.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source), encoding="utf-8")
        importlib.invalidate_caches()
        return path

    def load(self, source: str, name: str = "shop") -> Any:
        """Write a module and import it."""
        self.write(name, source)
        return importlib.import_module(name)

    def constants(self, target: Target, module: str, woven: Woven) -> Mapping[str, object]:
        return self.construction.constants(target, module, woven.qualname, woven.roots, woven.mark)

    def wrapper(self, target: Target, module: str, qualname: str, original: Any) -> Callable[..., Any] | None:
        from autotrace.conventions import build
        from autotrace.conventions.environment import Environment

        return build(original, target, module, qualname, Environment(self.construction, PropagationSettings()))

    def problem(self) -> str:
        """What is known of the first target that matched nothing."""
        return self.matching.unmatched()[0][1]

    def tree(self) -> str:
        """What was recorded so far: a line a span, indented below its parent, `!` after an error."""
        known = {id(span) for span in self.spans}
        below: dict[int, list[Span]] = {}
        for span in sorted(self.spans, key=lambda span: span.start):
            parent = self.tracer.lineage(span.parent) if span.root.span is not span else None
            below.setdefault(id(parent) if id(parent) in known else 0, []).append(span)
        return "\n".join(_lines(below, 0, 0))

    def span(self, name: str) -> Span:
        """The one span of a name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        self.spans.extend(spans)


def attributes(span: Span) -> dict[str, object]:
    """What was said of one span, without what its place says of all."""
    return dict(span.details().attributes)


def status(span: Span) -> str:
    """unset, ok or error."""
    return span.details().status


def _lines(below: Mapping[int, list[Span]], parent: int, depth: int) -> list[str]:
    lines = []
    for span in below.get(parent, ()):
        lines.append("  " * depth + span.name + ("!" if status(span) == "error" else ""))
        lines.extend(_lines(below, id(span), depth + 1))
    return lines


def environment_of_child() -> dict[str, str]:
    """For a Python child that imports autotrace and this module."""
    here = Path(__file__).resolve()
    paths = [str(here.parents[2]), str(here.parent)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "AUTOTRACE_FAILURES": "raise"}
