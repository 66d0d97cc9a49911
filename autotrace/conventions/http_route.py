"""`http.route`: takes a call in which a framework learns something of its request, gives that to the server span.

Fields: `route` (the template; read before the call, or after it where the call is what finds it), `mount` (`"yes"`: an inner
router will add the rest), `error` (an exception that the framework is about to turn into an answer). It starts no span.
"""

from __future__ import annotations

from typing import Any

from autotrace import guard
from autotrace.conventions.around import Call, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import field
from autotrace.conventions.serving import Serving, serving


def build(place: Place) -> Wrapper:
    """The wrapper of a function that routes a request, or that handles its error."""
    mount = place.word("mount") == "yes"
    route = field(place, "route")
    error = field(place, "error")

    def note(request: Serving, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        template = route(instance, args, kwargs) if route is not None else None
        if isinstance(template, str):
            request.route(template, mount=mount)
            return True
        return False

    class Routing(Call):
        """A call that may have found the route once it returns."""

        __slots__ = ("instance", "request")

        def __init__(self, request: Serving, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            super().__init__(args, kwargs)
            self.request = request
            self.instance = instance

        def returned(self, result: Any) -> Any:
            try:
                note(self.request, self.instance, self.args, self.kwargs)
            except BaseException as failure:
                guard.swallow(failure)
            return result

    def begin(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        request = serving()
        if request is None:
            return None
        failed = error(instance, args, kwargs) if error is not None else None
        if isinstance(failed, BaseException):
            request.fail(failed)
        if route is None or note(request, instance, args, kwargs):
            return None
        return Routing(request, instance, args, kwargs)

    return surround(place.original, begin)
