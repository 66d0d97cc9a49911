"""What is known of a span beyond its place and its times: takes nothing when it is made, holds what is said of the span."""

from __future__ import annotations

import _thread
from types import MappingProxyType
from typing import TypeAlias

from autotrace.span.finished import AttributeValue, FinishedEvent, FinishedLink

# Only for making what nobody has asked for yet: two threads must not make two. Reentrant, as a signal handler may ask too.
making = _thread.RLock()


Values: TypeAlias = tuple[AttributeValue | None, ...]
"""What the tags of a call were at its beginning, in the order of its site's; None for none."""


class Detail:
    """What hangs on a span that has more than a name and two times.

    The defaults are the class's own, so that making one is making an empty object: a span with one tag has an attribute
    dict besides and nothing else. Whoever makes one gives it the dict; without, its attributes can only be read.
    """

    name: str | None = None
    kind: str | None = None
    attributes: dict[str, AttributeValue] = MappingProxyType({})  # type: ignore[assignment]  # a shared dict that refuses
    events: list[FinishedEvent] = ()  # type: ignore[assignment]  # the same of a list
    links: list[FinishedLink] = ()  # type: ignore[assignment]  # likewise
    status: str = "unset"
    status_message: str = ""
    scope: str = "autotrace"
    facade: object = None
    context: object = None

    def add_event(self, event: FinishedEvent) -> None:
        """Append what happened; any thread may."""
        with making:
            if self.events:
                self.events.append(event)
            else:
                self.events = [event]

    def add_link(self, link: FinishedLink) -> None:
        """Append another span; any thread may."""
        with making:
            if self.links:
                self.links.append(link)
            else:
                self.links = [link]
