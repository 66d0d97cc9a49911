"""A local root whose endpoint is not to be recorded: takes the root, is what is current below it instead of a span."""

from __future__ import annotations

import gc
from types import TracebackType
from typing import TYPE_CHECKING

from autotrace import guard
from autotrace.span.context import get_current, set_current

if TYPE_CHECKING:
    from autotrace.span.span import LocalRoot


class Unrecorded:
    """Stands in the context below a local root with `record = false`; traced calls find it there and do nothing.

    Only calls that send something on start spans, which are never exported: what they send says that the trace is not
    sampled. `parent` is what was current before.
    """

    __slots__ = ("open", "parent", "root")

    def __init__(self, root: LocalRoot, parent: object) -> None:
        self.open = True
        self.root = root
        self.parent = parent

    if TYPE_CHECKING:

        def __enter__(self) -> object: ...
    else:
        __enter__ = gc.isenabled  # as in `Span`

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if get_current() is self:
                set_current(self.parent)
            else:
                self.root.tracer.leave(self)
            self.close()
        except BaseException as failure:
            if get_current() is self:
                set_current(self.parent)
            guard.swallow(failure)

    def close(self, error: BaseException | None = None) -> None:
        """End the local root; what is started below it later is a local root of its own."""
        self.root.span.close()
