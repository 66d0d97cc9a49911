"""Traced DB-API classes: takes a library's connection and cursor classes, gives subclasses of whatever was asked for.

Ours stand just above the library's own in the method resolution order. So a class of the user's that overrides `execute`
runs as it was written, and its `super().execute(...)`, the last Python call before C, has the span: one, never two.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from autotrace import guard
from autotrace.conventions.around import abandon, hide
from autotrace.conventions.described import described
from autotrace.conventions.environment import Place
from autotrace.conventions.sql import TEXT_LIMIT, describe
from autotrace.propagate.sql_comment import with_comment
from autotrace.span.finished import AttributeValue
from autotrace.span.site import SILENCE, Site
from autotrace.span.span import Span

# Since 3.11 `sqlite3.Connection.execute` no longer goes through the method `cursor`.
_EXECUTE_USES_CURSOR = sys.version_info < (3, 11)


class Database:
    """What every statement of one library's connections shares."""

    def __init__(self, site: Site, system: str, *, named: bool, comment: bool) -> None:
        self.site = site
        self.system = system
        self.named = named
        self.comment = comment
        # A program has few statements, and it makes them again and again: each is described once.
        self.site_of: Callable[[object, str], Site] = lru_cache(maxsize=512)(self._site_of)

    @classmethod
    def of(cls, place: Place) -> Database:
        """The database of a target."""
        system = place.word("system", place.module.partition(".")[0])
        comment = place.environment.propagation.database
        return cls(place.site(system, "client"), system, named=place.target.span is not None, comment=comment)

    def _site_of(self, statement: object, namespace: str) -> Site:
        """The site of one statement (None for what is no text) on one database: all that is said of it lies there."""
        own = self.site
        attributes: dict[str, AttributeValue] = {**own.attributes, "db.system.name": self.system}
        name = own.name
        if namespace:
            attributes["db.namespace"] = namespace
        if isinstance(statement, str):
            text, operation, collection, summary = describe(statement)
            attributes["db.query.text"] = text
            if operation:
                attributes["db.operation.name"] = operation
            if collection:
                attributes["db.collection.name"] = collection
            if not self.named and summary:
                name = summary
        return described(own, name, attributes)


class TracedClasses:
    """The subclasses of one library's `connection` and `cursor`, made when they are asked for."""

    def __init__(self, database: Database, connection: type, cursor: type) -> None:
        self.connection = connection
        # Bounded: a program may make a class for each connection.
        self._subclass: Callable[[type, type], type] = lru_cache(maxsize=256)(_subclass)
        self._cursor_base = _cursor_base(database, cursor)
        self._connection_base = _connection_base(self, connection, cursor)

    def connection_class(self, asked: object) -> Any | None:
        """The traced subclass of a connection class; None for what is no class, which then makes what it likes."""
        return self._traced(asked, self.connection, self._connection_base)

    def cursor_class(self, asked: object) -> Any | None:
        """The traced subclass of a cursor class; None for what is no class."""
        return self._traced(asked, self._cursor_base.__mro__[1], self._cursor_base)

    def _traced(self, asked: object, own: type, traced: type) -> Any | None:
        if not isinstance(asked, type) or not issubclass(asked, own):
            return None
        return asked if issubclass(asked, traced) else self._subclass(asked, traced)


def _subclass(asked: type, traced: type) -> type:
    bases = (traced,) if asked is traced.__mro__[1] else (asked, traced)
    # The names of the original: a repr, a log line and an error say what they say untraced.
    namespace = {"__module__": asked.__module__, "__qualname__": asked.__qualname__, "__doc__": asked.__doc__}
    return type(asked)(asked.__name__, bases, namespace)


def _cursor_base(database: Database, cursor: type) -> type:
    names = [name for name in ("execute", "executemany", "executescript") if hasattr(cursor, name)]
    return type("TracedCursor", (cursor,), {name: _traced(database, cursor, name) for name in names})


def _traced(database: Database, cursor: type, name: str) -> Callable[..., Any]:
    """The method `name` of a cursor, with a span around it; `execute` takes one statement, which may carry the comment."""
    site_of = database.site_of
    comment = database.comment and name == "execute"
    # What `super()` would find: in the method resolution order the library's class is the next after ours.
    plain = getattr(cursor, name)

    def traced(self: Any, *args: Any, **kwargs: Any) -> Any:
        span: Any = None
        try:
            statement = args[0] if args else None
            if type(statement) is not str:
                statement = None
            elif len(statement) > TEXT_LIMIT:
                statement = statement[:TEXT_LIMIT]
            try:
                namespace = self.connection._autotrace_namespace
            except AttributeError:
                namespace = ""  # a connection of the library's own, or none
            span = site_of(statement, namespace).nullcontext()
            if comment and statement is not None and isinstance(span, Span) and span.root.sampled:
                args = (with_comment(args[0], span), *args[1:])
        except BaseException as failure:
            abandon(span, failure)
            span = SILENCE
        try:
            result = plain(self, *args, **kwargs)
        except BaseException as error:
            hide(error)
            span.__exit__(type(error), error, error.__traceback__)
            raise
        span.__exit__(None, None, None)
        return result

    traced.__name__, traced.__qualname__, traced.__doc__ = name, f"{cursor.__qualname__}.{name}", plain.__doc__
    return traced


def _connection_base(classes: TracedClasses, connection: Any, cursor: type) -> type:
    usual = (classes.cursor_class(cursor),)

    class TracedConnection(connection):  # type: ignore[misc]  # the library's class is known only now
        _autotrace_namespace = ""

        def cursor(self, *args: Any, **kwargs: Any) -> Any:
            if not args and not kwargs:
                args = usual
            else:
                try:
                    args, kwargs = _with_cursor_class(classes, args, kwargs)
                except BaseException as failure:
                    guard.swallow(failure)
            try:
                return connection.cursor(self, *args, **kwargs)
            except BaseException as error:
                hide(error)
                raise

        def execute(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return self._cursor_of_execute(super().execute, "execute", args, kwargs)
            except BaseException as error:
                hide(error)
                raise

        def executemany(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return self._cursor_of_execute(super().executemany, "executemany", args, kwargs)
            except BaseException as error:
                hide(error)
                raise

        def executescript(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return self._cursor_of_execute(super().executescript, "executescript", args, kwargs)
            except BaseException as error:
                hide(error)
                raise

        def _cursor_of_execute(self, plain: Callable[..., Any], name: str, args: Any, kwargs: Any) -> Any:
            # What C does here is to make a cursor of the library's own class and to call its method; so do we.
            if _EXECUTE_USES_CURSOR:
                return plain(*args, **kwargs)
            return getattr(TracedConnection.cursor(self), name)(*args, **kwargs)

    return TracedConnection


def _with_cursor_class(
    classes: TracedClasses, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if args:
        return (classes.cursor_class(args[0]) or args[0], *args[1:]), kwargs
    if "factory" in kwargs:
        return args, {**kwargs, "factory": classes.cursor_class(kwargs["factory"]) or kwargs["factory"]}
    return args, kwargs
