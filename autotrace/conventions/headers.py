"""Headers on their way out: takes a call and where its headers are, sends a copy of them with the trace's ids in it.

Nobody's headers are changed: an argument is replaced by a copy, an attribute of an argument for the time of the call.
"""

from __future__ import annotations

from typing import Any

from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, Values, attempt, plain
from autotrace.plan.path import ABSENT
from autotrace.propagate.carrier import with_headers
from autotrace.span.span import Span


class Sending:
    """A call whose headers may be replaced until it ends; `replaced` is what the function gets for its parameter."""

    __slots__ = ("carried", "headers", "holder", "replaced", "span")

    def __init__(self, span: Span, replaced: Any) -> None:
        self.span = span
        self.replaced = replaced
        self.holder: Any = None
        self.headers: Any = None
        self.carried: Any = None


class Headers:
    """Where the headers of a call are, if that is `known`: a parameter, or an attribute of one.

    `replaces` is the parameter, "" for an attribute.
    """

    def __init__(self, place: Place, fields: Fields) -> None:
        path = place.word("headers")
        self.known = bool(path)
        holder, dot, self.attribute = path.rpartition(".")
        self.replaces = "" if dot else path
        read = fields.path(holder) if dot else fields.argument(path) if path else None
        self._holder = read if read is not None else lambda values: ABSENT

    def read(self, values: Values) -> Any:
        """The headers of one call, None if it has none."""
        found = self._holder(values)
        if self.attribute and found is not None and not self.replaces:
            return attempt(getattr, found, self.attribute)
        return plain(found)

    def given(self, values: Values) -> Any:
        """What the call gives for the parameter, which it keeps where nothing is added; `ABSENT` for none."""
        return self._holder(values) if self.replaces else ABSENT

    def add(self, call: Sending, values: Values, carried: Any, added: dict[str, str], *, fresh: bool = False) -> bool:
        """Send a copy of the headers with `added` in it; false where they cannot be replaced.

        `fresh`: none of the names stands in the headers so far.
        """
        headers = attempt(with_headers, carried, added, fresh)
        if headers is None:
            return False
        if self.replaces:
            call.replaced = headers
            return True
        holder = self._holder(values)
        call.holder, call.headers, call.carried = holder, headers, carried
        attempt(setattr, holder, self.attribute, headers)
        return attempt(getattr, holder, self.attribute) is headers

    def restore(self, call: Sending) -> None:
        """Put back what the call's headers were, unless somebody has put other headers there meanwhile."""
        holder, call.holder = call.holder, None
        if holder is not None and attempt(getattr, holder, self.attribute) is call.headers:
            attempt(setattr, holder, self.attribute, call.carried)
