"""One function that is traced: takes a call, gives the span around it. Woven code and patches hold one for each function.

A woven function contains its site as a constant of its code and begins with `with SITE.nullcontext():`. The methods that
woven code calls have the names they have because a function may be pickled by value (cloudpickle) and loaded where
autotrace is not installed: the site then becomes the standard library's module that has a function of that name, with
which the code runs untraced.
"""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Mapping
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

from autotrace import guard
from autotrace.span.clock import Clock
from autotrace.span.context import get_current, set_current
from autotrace.span.detail import Values
from autotrace.span.finished import AttributeValue
from autotrace.span.service import Service
from autotrace.span.span import ShortSpan, Span
from autotrace.span.tracer import Tracer
from autotrace.span.unrecorded import Unrecorded

if TYPE_CHECKING:
    from autotrace.span.hushed import Hush

ROOTS_BETWEEN_LOOKS = 4096
"""Each time that a function has been so many local roots again, it is asked whether it is hot."""

_OWN_FILES = frozenset((__file__, __file__.replace("site.py", "drive.py")))


_released = memoryview(b"")
_released.release()


class Silence:
    """What a site gives instead of a span where nothing is recorded, or where it failed."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __enter__(self) -> object: ...

        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
        ) -> None: ...
    else:
        # C functions that do nothing with any arguments: two functions of Python would cost a silent call half as much
        # again. A memoryview may be released as often as one likes.
        __enter__ = gc.isenabled
        __exit__ = _released.__exit__

    def close(self, error: BaseException | None = None) -> None:
        """End a silent generator."""


SILENCE = Silence()


class Trim:
    """Around `yield from driver`: an exception that passes shows the frames it would show untraced."""

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        # From 3.11 on the exception is re-raised with the traceback that it carries now.
        if error is not None and trace is not None:
            inner = trace.tb_next
            while inner is not None and inner.tb_frame.f_code.co_filename in _OWN_FILES:
                inner = inner.tb_next
            if inner is not None:
                error.__traceback__ = inner


TRIM = Trim()


class Site:
    """What every call of one function shares: the name, kind and fixed attributes of its spans, and who records them.

    `service` is whose the spans are where that is not the process. After `left` more local roots it is asked whether
    there were too many; `hush` is there once there were (see `autotrace.span.hushed`).
    """

    __slots__ = ("attributes", "hush", "kind", "left", "min_duration", "name", "service", "tracer")

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        kind: str = "internal",
        min_duration: int = 0,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        self.tracer = tracer
        self.name = name
        self.kind = kind
        self.min_duration = min_duration
        self.attributes = attributes or {}
        self.service: Service | None = None
        self.left = ROOTS_BETWEEN_LOOKS
        self.hush: Hush = None  # type: ignore[assignment]  # until the function was called too often

    def nullcontext(self, clock: Callable[[], int] = Clock.now) -> Span | Unrecorded | Silence:
        """Start a span and make it current; named after `contextlib.nullcontext`, for the reason above."""
        parent = get_current()
        above = type(parent)
        try:
            if above is Span and (root := parent.root).open:  # type: ignore[attr-defined]  # a Span, as compared
                span = Span()
                span.site = self
                span.parent = parent
                span.root = root
                span.end = 0
                span.id = 0
                span.detail = None
                span.start = clock()
                set_current(span)
                return span
            if above is Unrecorded and parent.open:  # type: ignore[attr-defined]  # likewise
                return SILENCE
            return self.begin(Span, parent)
        except BaseException as failure:
            set_current(parent)
            guard.swallow(failure)
            return SILENCE

    def begin(self, kind: type[Span], parent: object) -> Span | Unrecorded | Silence:
        """Start a span of `kind` below what is current, `parent`, and make current what the call is traced by."""
        tracer = self.tracer
        if not tracer.active or (isinstance(parent, Unrecorded) and parent.open and self.kind == "internal"):
            return SILENCE
        if parent is None:
            self.left = left = self.left - 1
            if left < 1:
                self._look()
        span = tracer.start(self, kind, parent)
        unrecorded = tracer.unrecorded(span) if tracer.admits is not None and span.root.span is span else None
        # What a client or a consumer does needs its span in any case: for the ids that it sends on.
        if unrecorded is None or self.kind != "internal":
            set_current(span)
            return span
        set_current(unrecorded)
        return unrecorded

    def _look(self) -> None:
        from autotrace.span.hushed import look_at  # which imports this module; it is loaded long before

        self.left = ROOTS_BETWEEN_LOOKS
        look_at(self)

    def named(self, values: Values) -> dict[str, AttributeValue]:
        """The attributes that `values` stand for: this site reads none."""
        return {}

    def described(self, values: Values) -> Mapping[str, AttributeValue]:
        """The same, with those of every call."""
        return self.attributes

    def tag(self, span: Span, root: str, value: object) -> None:
        """Set the tags that start from `root`: this site has none."""

    def ExitStack(self) -> Trim:  # noqa: N802 - the name of contextlib's
        """Around the driver of a generator: takes our frames out of what is raised through it."""
        return TRIM

    def __reduce__(self) -> tuple[Callable[[str], ModuleType], tuple[str]]:
        return importlib.import_module, ("contextlib",)


class SendingSite(Site):
    """A site of calls that go out of the process: they need their span's ids also where nothing is recorded."""

    __slots__ = ()

    def nullcontext(self, clock: Callable[[], int] = Clock.now) -> Span | Unrecorded | Silence:
        parent = get_current()
        try:
            return super().nullcontext(clock) if type(parent) is Span else self.begin(Span, parent)
        except BaseException as failure:
            set_current(parent)
            guard.swallow(failure)
            return SILENCE


class ShortSite(Site):
    """A site whose spans vanish when they are short and unseen (`min_duration`)."""

    __slots__ = ()

    def nullcontext(self, clock: Callable[[], int] = Clock.now) -> Span | Unrecorded | Silence:
        parent = get_current()
        try:
            if type(parent) is not Span or not (root := parent.root).open:
                return self.begin(ShortSpan, parent)
            # As in `Site`: those who want only the slow calls of a function want it because there are many.
            span = ShortSpan()
            span.site = self
            span.parent = parent
            span.root = root
            span.end = 0
            span.id = 0
            span.detail = None
            span.seen = span.vanished = False
            span.start = clock()
            set_current(span)
            return span
        except BaseException as failure:
            set_current(parent)
            guard.swallow(failure)
            return SILENCE
