"""`http.server`: takes a WSGI or ASGI application (field `protocol`), gives a server span for each of its requests."""

from __future__ import annotations

from autotrace.conventions.around import Wrapper
from autotrace.conventions.environment import Place


def build(place: Place) -> Wrapper:
    """The wrapper of an application's entry."""
    if place.word("protocol", "wsgi") == "asgi":
        from autotrace.conventions import asgi

        return asgi.build(place)
    from autotrace.conventions import wsgi

    return wsgi.build(place)
