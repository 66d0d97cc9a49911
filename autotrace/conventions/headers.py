"""Headers on their way out: takes a call and where its headers are, sends a copy of them with the trace's ids in it.

Nobody's headers are changed: an argument is replaced by a copy, an attribute of an argument for the time of the call.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from autotrace import guard
from autotrace.conventions.around import SpanCall
from autotrace.conventions.environment import Place
from autotrace.conventions.field import argument, attempt, parameters, plain, read_path
from autotrace.plan.path import ABSENT
from autotrace.propagate.carrier import with_headers
from autotrace.span.span import Span


class SendingCall(SpanCall):
    """A call whose headers may have been replaced until it ends."""

    __slots__ = ("restore",)

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], span: Span) -> None:
        super().__init__(args, kwargs, span)
        self.restore: Callable[[], None] | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self.restore is not None:
                self.restore()
        except BaseException as failure:
            guard.swallow(failure)
        super().__exit__(kind, error, trace)


class Headers:
    """Where the headers of a call are: a parameter of its own, or an attribute of one."""

    def __init__(self, place: Place, path: str) -> None:
        holder, dot, self.attribute = path.rpartition(".")
        self.holder = read_path(place, holder) if dot else None
        self.parameter = path
        self.names = parameters(place)
        self.read_parameter = argument(place, path)

    @classmethod
    def of(cls, place: Place) -> Headers | None:
        """The headers of the target's field, if it has one."""
        path = place.word("headers")
        return cls(place, path) if path else None

    def read(self, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The headers of one call, None if it has none."""
        if self.holder is None:
            return plain(self.read_parameter(instance, args, kwargs))
        return attempt(getattr, self.holder(instance, args, kwargs), self.attribute)

    def add(self, call: SendingCall, instance: Any, carried: Any, added: dict[str, str]) -> bool:
        """Send a copy of the headers with `added` in it; false where they cannot be replaced."""
        headers = attempt(with_headers, carried, added)
        if headers is None:
            return False
        if self.holder is None:
            self._replace_argument(call, instance, headers)
            return True
        holder = self.holder(instance, call.args, call.kwargs)
        attempt(setattr, holder, self.attribute, headers)

        def restore() -> None:
            # Unless somebody has put other headers there meanwhile.
            if attempt(getattr, holder, self.attribute) is headers:
                attempt(setattr, holder, self.attribute, carried)

        call.restore = restore
        return attempt(getattr, holder, self.attribute) is headers

    def _replace_argument(self, call: SendingCall, instance: Any, headers: Any) -> None:
        if self.read_parameter(instance, call.args, call.kwargs) is ABSENT or self.parameter in call.kwargs:
            call.kwargs = {**call.kwargs, self.parameter: headers}
            return
        index = self.names.index(self.parameter) - (instance is not None)
        call.args = (*call.args[:index], headers, *call.args[index + 1 :])
