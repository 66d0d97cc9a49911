"""A program that declares its tracing: real modules, real `install`, and what the store holds afterwards."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autotrace import Installation, install
from autotrace.store.read import StoreReader
from autotrace.store.stored import StoredSpan

HERE = Path(__file__).parent


class DeclaringProgram:
    """Modules in a folder, and the tracing of this process from `install` until the end of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "traces.db"
        self.installation: Installation | None = None
        self._names: list[str] = []

    def install(self, **config: Any) -> None:
        """Trace the process, which goes by "shop"."""
        self.installation = install({"service_name": "shop", "store": {"path": str(self.store)}, **config})

    def load(self, source: str, name: str = "declaring_shop") -> Any:
        """Write a module and import it."""
        (self.folder / f"{name}.py").write_text("from autotrace import *\n" + textwrap.dedent(source), encoding="utf-8")
        return self.load_file(name)

    def load_file(self, name: str) -> Any:
        """Import a module anew."""
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        self._names.append(name)
        return importlib.import_module(name)

    def spans(self) -> list[StoredSpan]:
        """Everything stored so far, by start."""
        assert self.installation is not None
        self.installation.flush()
        if not self.store.exists():
            return []
        with StoreReader(self.store) as reader:
            found = [span for trace in reader.traces(limit=1000) for span in reader.trace(trace.trace_id)]
        return sorted(found, key=lambda span: span.start_ns)

    def span(self, name: str) -> StoredSpan:
        """The one span of a name."""
        (found,) = [span for span in self.spans() if span.name == name]
        return found

    def tree(self) -> list[str]:
        """A line a span, indented below its parent: name, service, `!` after an error."""
        spans = self.spans()
        known = {span.span_id for span in spans}
        lines: list[str] = []

        def add(parent: str | None, indent: str) -> None:
            for span in spans:
                if (span.parent_id if span.parent_id in known else None) == parent:
                    lines.append(f"{indent}{span.name} [{span.service}]{'!' if span.status == 'error' else ''}")
                    add(span.span_id, indent + "  ")

        add(None, "")
        return lines

    def stop(self) -> None:
        """Take tracing out, and forget the modules."""
        if self.installation is not None:
            self.installation.uninstall()
        for name in self._names:
            sys.modules.pop(name, None)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeclaringProgram]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(HERE))
    found = DeclaringProgram(tmp_path)
    yield found
    found.stop()
