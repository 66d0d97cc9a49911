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
from autotrace.conventions.environment import Place
from autotrace.conventions.sql import describe
from autotrace.propagate.sql_comment import with_comment
from autotrace.span.site import Site
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

    @classmethod
    def of(cls, place: Place) -> Database:
        """The database of a target."""
        system = place.word("system", place.module.partition(".")[0])
        comment = place.environment.propagation.database
        return cls(place.site(system, "client"), system, named=place.target.span is not None, comment=comment)

    def run(self, cursor: Any, execute: Callable[..., Any], args: tuple[Any, ...], kwargs: Any, *, single: bool) -> Any:
        """Execute with a span; `single`: one statement, which may carry the comment."""
        span = self.site.nullcontext()
        try:
            if isinstance(span, Span):
                args = self._describe(span, cursor, args, single=single)
        except BaseException as failure:
            abandon(span, failure)
            return execute(*args, **kwargs)
        try:
            result = execute(*args, **kwargs)
        except BaseException as error:
            hide(error)
            span.__exit__(type(error), error, error.__traceback__)
            raise
        span.__exit__(None, None, None)
        return result

    def _describe(self, span: Span, cursor: Any, args: tuple[Any, ...], *, single: bool) -> tuple[Any, ...]:
        detail = span.details()
        attributes = detail.attributes
        attributes["db.system.name"] = self.system
        namespace = getattr(cursor.connection, "_autotrace_namespace", "")
        if namespace:
            attributes["db.namespace"] = namespace
        statement = args[0] if args else None
        if type(statement) is not str:
            return args
        text, operation, collection, summary = describe(statement)
        if not self.named and summary:
            detail.name = summary
        attributes["db.query.text"] = text
        if operation:
            attributes["db.operation.name"] = operation
        if collection:
            attributes["db.collection.name"] = collection
        if single and self.comment and span.root.sampled:
            return (with_comment(statement, span), *args[1:])
        return args


class TracedClasses:
    """The subclasses of one library's `connection` and `cursor`, made when they are asked for."""

    def __init__(self, database: Database, connection: type, cursor: type) -> None:
        self.connection = connection
        self._connection_base = _connection_base(self, connection, cursor)
        self._cursor_base = _cursor_base(database, cursor)
        # Bounded: a program may make a class for each connection.
        self._subclass: Callable[[type, type], type] = lru_cache(maxsize=256)(_subclass)

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
    run = database.run

    class TracedCursor(cursor):  # type: ignore[misc]  # the library's class is known only now
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return run(self, super().execute, args, kwargs, single=True)
            except BaseException as error:
                hide(error)
                raise

        def executemany(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return run(self, super().executemany, args, kwargs, single=False)
            except BaseException as error:
                hide(error)
                raise

        if hasattr(cursor, "executescript"):

            def executescript(self, *args: Any, **kwargs: Any) -> Any:
                try:
                    return run(self, super().executescript, args, kwargs, single=False)
                except BaseException as error:
                    hide(error)
                    raise

    return TracedCursor


def _connection_base(classes: TracedClasses, connection: type, cursor: type) -> type:
    class TracedConnection(connection):  # type: ignore[misc]  # the library's class is known only now
        _autotrace_namespace = ""

        def cursor(self, *args: Any, **kwargs: Any) -> Any:
            try:
                args, kwargs = _with_cursor_class(classes, cursor, args, kwargs)
            except BaseException as failure:
                guard.swallow(failure)
            try:
                return super().cursor(*args, **kwargs)
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
    classes: TracedClasses, cursor: type, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if args:
        return (classes.cursor_class(args[0]) or args[0], *args[1:]), kwargs
    if "factory" in kwargs:
        return args, {**kwargs, "factory": classes.cursor_class(kwargs["factory"]) or kwargs["factory"]}
    return (classes.cursor_class(cursor),), kwargs
