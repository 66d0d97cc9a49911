"""Headers on their way out: takes a call and where its headers are, sends a copy of them with the trace's ids in it.

Nobody's headers are changed: an argument is replaced by a copy, an attribute of an argument for the time of the call.
"""

from __future__ import annotations

from typing import Any

from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, Values, attempt, plain
from autotrace.conventions.known_headers import Known, known
from autotrace.plan.path import ABSENT
from autotrace.propagate.carrier import read_headers, with_headers
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

    `replaces` is the parameter, "" for an attribute. `names` (lower case) are those that are looked for in them.
    """

    def __init__(self, place: Place, fields: Fields, names: frozenset[str]) -> None:
        path = place.word("headers")
        self.known = bool(path)
        self.names = names
        holder, dot, self.attribute = path.rpartition(".")
        self.replaces = "" if dot else path
        read = fields.path(holder) if dot else fields.argument(path) if path else None
        self._holder = read if read is not None else lambda values: ABSENT
        # The class of the headers that came last, which is nearly always the same, and what is known of it.
        self._last: tuple[type, Known | None] = type(None), None

    def read(self, values: Values) -> Any:
        """The headers of one call, None if it has none."""
        found = self._holder(values)
        if self.attribute and found is not None and not self.replaces:
            return attempt(getattr, found, self.attribute)
        return plain(found)

    def find(self, carried: Any) -> dict[str, str]:
        """What stands under the names in headers that were read."""
        made = self._known(carried)
        if made is not None and attempt(made.has_any, carried) is False:
            return {}
        return read_headers(carried, self.names)

    def given(self, values: Values) -> Any:
        """What the call gives for the parameter, which it keeps where nothing is added; `ABSENT` for none."""
        return self._holder(values) if self.replaces else ABSENT

    def add(self, call: Sending, values: Values, carried: Any, added: dict[str, str], *, fresh: bool = False) -> bool:
        """Send a copy of the headers with `added` in it; false where they cannot be replaced.

        `fresh`: none of the names stands in the headers so far.
        """
        made = self._known(carried) if fresh else None
        headers = attempt(made.with_new, carried, added) if made is not None else None
        if headers is None:
            headers = attempt(with_headers, carried, added, fresh)
            if headers is None:
                return False
        if self.replaces:
            call.replaced = headers
            return True
        call.holder, call.headers, call.carried = self._holder(values), headers, carried
        return attempt(_put, call.holder, self.attribute, headers) is True

    def restore(self, call: Sending) -> None:
        """Put back what the call's headers were, unless somebody has put other headers there meanwhile."""
        holder, call.holder = call.holder, None
        if holder is not None:
            attempt(_put_back, holder, self.attribute, call.headers, call.carried)

    def _known(self, carried: Any) -> Known | None:
        kind, made = self._last
        if kind is not type(carried):
            made = known(type(carried), self.names)
            self._last = type(carried), made
        return made


def _put(holder: Any, name: str, headers: Any) -> bool:
    setattr(holder, name, headers)
    return getattr(holder, name) is headers


def _put_back(holder: Any, name: str, headers: Any, carried: Any) -> None:
    if getattr(holder, name) is headers:
        setattr(holder, name, carried)
