"""`db.connection`: takes a function that opens a DB-API 2.0 (PEP 249) connection, gives one with spans.

Fields: `system` (db.system.name), `factory` (the parameter that takes a class), `connection` and `cursor` (the library's
own classes, `module:Class`), `namespace` (path to the database's name), `parameters` (their names, for a C function
without a signature). The classes that come out are real subclasses: C code that checks types accepts them.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from autotrace.conventions.around import Call, Wrapper, surround
from autotrace.conventions.environment import Place
from autotrace.conventions.field import attempt, field, parameters
from autotrace.conventions.traced_database import Database, TracedClasses

_NAME_LIMIT = 256


def build(place: Place) -> Wrapper | None:
    """The wrapper of a function like `sqlite3.connect`; None for a library whose connections take no class."""
    names = parameters(place)
    factory = place.word("factory")
    if factory not in names:
        return None
    position = names.index(factory)
    classes = TracedClasses(Database.of(place), _class(place.word("connection")), _class(place.word("cursor")))
    namespace = field(place, "namespace")

    def begin(instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        asked = args[position] if position < len(args) else kwargs.get(factory, classes.connection)
        traced = classes.connection_class(asked)
        if traced is None:
            return None
        name = database_name(namespace(instance, args, kwargs)) if namespace is not None else ""
        if position < len(args):
            return ConnectCall((*args[:position], traced, *args[position + 1 :]), kwargs, name)
        return ConnectCall(args, {**kwargs, factory: traced}, name)

    return surround(place.original, begin)


class ConnectCall(Call):
    """One opening of a connection, which remembers the name of its database."""

    __slots__ = ("name",)

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> None:
        super().__init__(args, kwargs)
        self.name = name

    def returned(self, result: Any) -> Any:
        attempt(setattr, result, "_autotrace_namespace", self.name)
        return result


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
