"""A short time in which every call of the tracer is timed: takes a stopwatch, replaces functions, and puts them back.

Outside of it nothing is replaced, and nothing is asked: what is not timed pays nothing for what is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import CellType, CodeType, FunctionType
from typing import Any, ClassVar, NamedTuple

from autotrace.overhead.places import Place, places
from autotrace.overhead.stopwatch import Stopwatch
from autotrace.store.overhead import PROPAGATION, RECORDING, TAGS

_AROUND = "autotrace.conventions.around"
_HANDOFF = "autotrace.conventions.handoff"

_MARK = "autotrace: what is called"


class _Cell(NamedTuple):
    """A variable of the text around a patched function, by its name there."""

    cell: CellType
    name: str


class Window:
    """Open or closed; whoever opens and closes it does so in one thread at a time. Of all in a process one is open."""

    _opened: ClassVar[Window | None] = None

    def __init__(self, stopwatch: Stopwatch) -> None:
        self._stopwatch = stopwatch
        self._undo: list[Callable[[], None]] = []
        self._replaced: set[int] = set()
        self._calls = 0

    @property
    def is_open(self) -> bool:
        """Whether anything is timed now."""
        return Window._opened is self

    @property
    def may_open(self) -> bool:
        """Whether no other window is open: another installation's would time this one's timing."""
        return Window._opened is None

    def open(self) -> None:
        """Time what there is; called again, also what has been loaded since."""
        Window._opened = self
        for place in places():
            if id(place.function) not in self._replaced:
                self._replaced.add(id(place.function))
                self._undo.append(self._replace(place))
        around: Any = sys.modules.get(_AROUND)
        if around is not None and len(around.surrounded) != self._calls:
            self._calls = len(around.surrounded)
            for function in list(around.surrounded):
                self._open_call(function)

    def close(self) -> None:
        """Put everything back."""
        undo, self._undo = self._undo, []
        self._replaced.clear()
        self._calls = 0
        for step in reversed(undo):
            step()
        if Window._opened is self:
            Window._opened = None

    def _replace(self, place: Place) -> Callable[[], None]:
        """Let a function run other code; the class or module that it stands in stays as it is.

        What CPython has learned of a class, and of the code that uses it, is lost when an attribute of the class is set.
        """
        function, code = place.function, place.function.__code__
        itself = FunctionType(code, function.__globals__, function.__name__, function.__defaults__)
        itself.__kwdefaults__ = function.__kwdefaults__
        timed = self._stopwatch.timed(itself, place.stage, place.kind, ends=place.ends, by_result=place.by_result)
        ours = calling(timed, code)
        function.__code__ = ours

        def put_back() -> None:
            if function.__code__ is ours:
                function.__code__ = code

        return put_back

    def _open_call(self, function: FunctionType) -> None:
        for cell, name in _cells(function):
            original = cell.cell_contents
            if id(cell) in self._replaced or not callable(original):
                continue
            self._replaced.add(id(cell))
            handoff = getattr(original, "__module__", "") == _HANDOFF
            stage = PROPAGATION if handoff else TAGS if name == "begin" else RECORDING
            cell.cell_contents = self._stopwatch.timed(original, stage, name, by_result=name == "begin")
            self._undo.append(_putting_back(cell, original))


def calling(function: Callable[..., Any], code: CodeType) -> CodeType:
    """Code that calls `function` with whatever it is called with; it has the name of `code`, and stands where that does."""
    return _FORWARD.replace(
        co_consts=tuple(function if constant == _MARK else constant for constant in _FORWARD.co_consts),
        co_name=code.co_name,
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
    )


def _forward(*args: Any, **kwargs: Any) -> Any:
    function: Any = "autotrace: what is called"  # a constant, in place of which `calling` puts another
    return function(*args, **kwargs)


def _cells(function: FunctionType) -> list[_Cell]:
    names = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return [_Cell(cell, name) for name, cell in names if name in ("begin", "returned", "raised")]


def _putting_back(cell: CellType, original: Any) -> Callable[[], None]:
    def put_back() -> None:
        cell.cell_contents = original

    return put_back


_FORWARD = _forward.__code__
