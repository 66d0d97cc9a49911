"""`http.route`: takes a call in which a framework learns something of its request, gives that to the server span.

Fields: `route` (the template; read before the call, and after it where there was none), `after` (`"yes"`: the call is what
finds it, so it is read after it alone), `mount` (`"yes"`: an inner router will add the rest), `error` (an exception that the
framework is about to turn into an answer). It starts no span.
"""

from __future__ import annotations

from typing import Any

from autotrace import guard
from autotrace.conventions.around import Around, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, Values
from autotrace.conventions.serving import Serving, serving


def build(place: Place) -> Wrapper:
    """What takes the place of a function that routes a request, or that handles its error."""
    mount = place.word("mount") == "yes"
    after = place.word("after") == "yes"
    fields = Fields(place)
    route = fields.field("route")
    error = fields.field("error")

    def note(request: Serving, values: Values) -> bool:
        template = route(values) if route is not None else None
        if isinstance(template, str):
            request.route(template, mount=mount)
            return True
        return False

    def begin(*values: Any) -> tuple[Serving, Values] | None:
        request = serving()
        if request is None:
            return None
        failed = error(values) if error is not None else None
        if isinstance(failed, BaseException):
            request.fail(failed)
        if route is None or (not after and note(request, values)):
            return None
        return request, values

    def returned(call: tuple[Serving, Values], result: Any) -> Any:
        try:
            note(call[0], call[1])
        except BaseException as failure:
            guard.swallow(failure)
        return result

    return surround(place, Around(begin, fields.roots, returned, _nothing))


def _nothing(call: object, error: BaseException) -> None:
    return None
