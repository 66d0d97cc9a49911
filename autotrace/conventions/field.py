"""Fields of a call: takes paths such as `request.method`, gives what reads them from the arguments or the result.

A convention says which parameters it reads; a call begins with their values, in that order (`Around.roots`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

from autotrace.conventions.environment import Place
from autotrace.guard import is_from_signal
from autotrace.plan.path import ABSENT, NOT_PLAIN, Attribute, getter, parse
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tagged import TaggedSite

Values: TypeAlias = Sequence[Any]
"""What a call gives for the parameters that its convention reads."""
ReadField: TypeAlias = Callable[[Values], Any]


class Fields:
    """The fields of one target; `roots` are the parameters that reading them takes, in the order in which they came."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._roots: list[str] = []

    @property
    def roots(self) -> tuple[str, ...]:
        """The parameters whose values a call begins with."""
        return tuple(self._roots)

    def argument(self, parameter: str) -> ReadField:
        """Reads a parameter; `ABSENT` where the call does not give it."""
        position = self._position(parameter)
        return lambda values: values[position]

    def field(self, name: str) -> ReadField | None:
        """Reads the field `name` before the call; None if the target has no such field."""
        text = self._place.word(name)
        return self.path(text) if text else None

    def path(self, text: str) -> ReadField:
        """Reads a path that begins with a parameter; it gives None where there is nothing, or what may not be read."""
        path = parse(text)
        if path.constant is not None:
            return lambda values: path.constant
        read = reading(self._place, text)
        position = self._position(path.root)
        return lambda values: read(values[position])

    def tags(self, site: Site) -> Callable[[Span, Values], None] | None:
        """What sets the tags that come from arguments; None for a target without any."""
        if not isinstance(site, TaggedSite) or not site.roots:
            return None
        roots = [(root, self._position(root)) for root in site.roots]

        def tag(span: Span, values: Values) -> None:
            for root, position in roots:
                if values[position] is not ABSENT:
                    site.tag(span, root, values[position])

        return tag

    def _position(self, parameter: str) -> int:
        if parameter not in self._roots:
            self._roots.append(parameter)
        return self._roots.index(parameter)


def reading(place: Place, text: str) -> Callable[[Any], Any]:
    """Reads the steps of a path from the value of its root; None for nothing."""
    path = parse(text)
    read = getter(path, place.target.evaluate)
    names = [step.name for step in path.steps if isinstance(step, Attribute)]
    if not place.target.evaluate or not names or len(names) < len(path.steps):
        return lambda value: None if value is ABSENT else plain(read(value))
    evaluate = attrgetter(".".join(names))

    def evaluated(value: Any) -> Any:
        if value is ABSENT:
            return None
        try:
            return evaluate(value)
        except Exception as error:
            if _is_raised_below(error) and is_from_signal(error):
                raise
            return None

    return evaluated


def result_field(place: Place, name: str) -> Callable[[Any], Any] | None:
    """Reads the field `name`, which begins with `result`, after the call; None if the target has no such field."""
    text = place.word(name)
    return reading(place, text) if text else None


def plain(found: Any) -> Any:
    """What a path found; None for nothing."""
    return None if found is ABSENT or found is NOT_PLAIN else found


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call what belongs to a library or the application for a value of ours; None where it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        if _is_raised_below(error) and is_from_signal(error):
            raise
        return None


def _is_raised_below(error: BaseException) -> bool:
    """Whether a function that was called raised it: what a signal handler raises does, and looking for one takes 30 us."""
    # Not in the frame of `attempt`, which a local variable with its own traceback would keep alive.
    trace = error.__traceback__
    return trace is not None and trace.tb_next is not None


def text(value: Any) -> str:
    """The text of a URL or a method, whatever a library makes of it."""
    if type(value) is str:
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    converted = None if value is None else attempt(str, value)
    return converted if type(converted) is str else ""
