"""Times calls that contain one another: takes functions, gives them back timed; each call's own time goes to its stage."""

from __future__ import annotations

import _thread
import gc
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any, NamedTuple, TypeAlias

from autotrace import guard
from autotrace.span.clock import Clock
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer
from autotrace.store.overhead import EXPORT

Function: TypeAlias = Callable[..., Any]

_TRIALS = 15
_PAIRS = 8


class Event(NamedTuple):
    """One call of the tracer that was made by somebody else: the application, or code of ours that is not timed.

    `owner` is an argument or the result, from which the place of the call can be told. `stages` are nanoseconds, without
    the export; `ends` is how many spans ended in it, `objects` how many more objects the garbage collector has to watch.
    """

    kind: str
    owner: object
    stages: tuple[int, ...]
    ends: int
    objects: int


class Stopwatch:
    """Gives each outermost call to `take`; what timing costs is measured by `calibrate`, and taken off.

    `plain_ns` is how long a span without tags takes to begin.
    """

    def __init__(self, take: Callable[[Event], None]) -> None:
        self._take = take
        self._stacks: dict[int, list[list[int]]] = {}
        self._within = self._around = 0
        self.plain_ns = 0

    def calibrate(self) -> None:
        """Time spans that are nobody's, and the same without timing: the difference is what timing takes.

        Half of it falls within each of a span's two calls. What falls around a call that is part of another timed one,
        functions that do nothing tell.
        """
        events: list[Event] = []
        quiet = Stopwatch(events.append)
        begin, end = quiet.timed(Site.nullcontext, 0, ""), quiet.timed(Span.__exit__, 0, "")
        nothing = quiet.timed(_nothing, 0, "")
        pair = Context().run(_try, begin, end)
        spans = [sum(event.stages) for event in events]
        timed = median(map(sum, zip(spans[::2], spans[1::2], strict=True)))
        self._within = max(int(timed - pair) // 2, 0)
        self._around = max(quiet._try_within(nothing), 0)
        self.plain_ns = max(int(median(spans[::2])) - self._within, 0)

    def _try_within(self, nothing: Function) -> int:
        """Nanoseconds that fall around a timed call within another one."""
        clock = Clock.now
        outer = [0, 0, 0, 0, 0, 0]
        thread = _thread.get_ident()
        self._stacks[thread] = [outer]
        calls = []
        for _ in range(_TRIALS):
            inside = outer[5]
            before = clock()
            nothing(None)
            whole = clock() - before
            calls.append(whole - (outer[5] - inside))
        del self._stacks[thread]
        return int(median(calls)) - min(-(clock() - clock()) for _ in range(_TRIALS))

    def cost(self, calls: int) -> int:
        """Nanoseconds that the timing of so many calls takes."""
        return calls * (self._within + self._around)

    def leave_out(self, took: int) -> None:
        """Nanoseconds of the call that is being timed in this thread which are no part of it: they are ours."""
        stack = self._stacks.get(_thread.get_ident())
        if stack:
            stack[-1][5] += took

    def timed(
        self, function: Function, stage: int, kind: str, *, ends: bool = False, by_result: bool = False
    ) -> Function:
        """A function that does what `function` does, timed.

        `ends` says that a span ends in each call, `by_result` that the owner of a call is its result, not the first
        argument.
        """
        clock, cpu, ident, watched = Clock.now, time.thread_time_ns, _thread.get_ident, gc.get_count
        stacks = self._stacks

        def timed(*args: Any, **kwargs: Any) -> Any:
            thread = ident()
            stack = stacks.get(thread)
            if stack is None:
                stack = stacks[thread] = []
            # Nanoseconds by stage of the calls within, spans that ended there, and all that they took with their timing.
            frame = [0, 0, 0, 0, 0, 0]
            is_outermost = not stack
            stack.append(frame)
            result = None
            if is_outermost:
                objects, used = watched()[0], cpu()
            before = clock()
            try:
                result = function(*args, **kwargs)
                return result
            finally:
                took = clock() - before
                try:
                    self._end(stack, frame, took, stage, ends)
                    if is_outermost:
                        used = cpu() - used
                        objects = watched()[0] - objects
                        del stacks[thread]
                        owner = result if by_result else args[0] if args else None
                        # Less CPU than time: another thread ran meanwhile, or was waited for.
                        stages = frame[:EXPORT] if used >= took else [one * used // took for one in frame[:EXPORT]]
                        self._take(Event(kind, owner, tuple(stages), frame[4], objects))
                except BaseException as failure:
                    guard.swallow(failure)

        return timed

    def _end(self, stack: list[list[int]], frame: list[int], took: int, stage: int, ends: bool) -> None:
        while stack and stack.pop() is not frame:
            pass
        frame[stage] += max(took - frame[5] - self._within, 0)
        frame[4] += ends
        if stack:
            above = stack[-1]
            for place in range(5):
                above[place] += frame[place]
            above[5] += took + self._around


def _try(begin: Function, end: Function) -> float:
    """Nanoseconds of a span that is not timed; makes as many timed ones."""
    clock = Clock.now
    tracer = Tracer(lambda root: False, lambda root: False, lambda root, spans: None)
    site = Site(tracer, "calibration")
    with site.nullcontext():
        for _ in range(_TRIALS):
            end(begin(site), None, None, None)
        pairs = []
        for _ in range(_TRIALS):
            before = clock()
            for _ in range(_PAIRS):
                span = site.nullcontext()
                span.__exit__(None, None, None)
            pairs.append((clock() - before) / _PAIRS)
    return median(pairs)


def median(values: Iterable[float]) -> float:
    """The middle one, the lower of two; `statistics` costs a start 10 ms."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


def _nothing(value: object) -> object:
    return value
