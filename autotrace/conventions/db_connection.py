"""`db.connection`: takes a function that opens a DB-API 2.0 (PEP 249) connection, gives one with spans.

Fields: `system` (db.system.name), `factory` (the parameter that takes a class), `connection` and `cursor` (the library's
own classes, `module:Class`), `namespace` (path to the database's name), `parameters` (their names, for a C function
without a signature). The classes that come out are real subclasses: C code that checks types accepts them.
"""

from __future__ import annotations

import importlib
import os
from typing import Any, NamedTuple

from autotrace.conventions.around import Around, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import Fields, attempt
from autotrace.conventions.traced_database import Database, TracedClasses
from autotrace.plan.path import ABSENT

_NAME_LIMIT = 256


def build(place: Place) -> Wrapper | None:
    """What takes the place of a function like `sqlite3.connect`; None for a library whose connections take no class."""
    factory = place.word("factory")
    if factory not in place.parameters.names:
        return None
    classes = TracedClasses(Database.of(place), _class(place.word("connection")), _class(place.word("cursor")))
    fields = Fields(place)
    asked_for = fields.argument(factory)
    namespace = fields.field("namespace")

    def begin(*values: Any) -> Connecting | None:
        asked = asked_for(values)
        traced = classes.connection_class(classes.connection if asked is ABSENT else asked)
        if traced is None:
            return None
        return Connecting(traced, database_name(namespace(values)) if namespace is not None else "")

    return surround(place, Around(begin, fields.roots, _named, _nothing, replaces=factory))


class Connecting(NamedTuple):
    """One opening of a connection: the class that it gets, and the name of its database."""

    replaced: type
    name: str


def _named(call: Connecting, connection: Any) -> Any:
    attempt(setattr, connection, "_autotrace_namespace", call.name)
    return connection


def _nothing(call: Connecting, error: BaseException) -> None:
    return None


def database_name(database: Any) -> str:
    """The name of a database without its folder, and without the parameters of a URI, which may hold a key."""
    path = attempt(os.fspath, database)
    if isinstance(path, bytes):
        path = path.decode("utf-8", "replace")
    if not isinstance(path, str):
        return ""
    name = path.partition("?")[0] if path.startswith("file:") else path
    return name.replace("\\", "/").rpartition("/")[2][:_NAME_LIMIT]


def _class(name: str) -> type:
    module, _, attribute = name.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, type):
        raise TypeError(f"{name} is no class")
    return found
