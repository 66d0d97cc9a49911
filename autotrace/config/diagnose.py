"""What is wrong in words: takes what pydantic found, gives where it is, what it is, what would be right."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from autotrace.config.model import Config, TargetEntry
from autotrace.config.planned import PLANNED_FIELD_PREFIX, PLANNED_KEYS, PLANNED_VALUES
from autotrace.config.positions import KeyPath
from autotrace.config.values import KEY_MISTAKE, MISTAKE, shown

_WHAT = {
    "sampler.type": "sampler type",
    "exporters[].type": "exporter type",
    "targets[].as": "convention",
    "propagation.formats[]": "propagation format",
}
_EXPECTED = {
    "bool_type": "write true or false",
    "float_type": "write a number",
    "int_type": "write a whole number",
    "greater_than_equal": "write a whole number from 1 on",
    "too_short": "write at least one, or remove the key",
}
_INSTEAD = {"sampler.endpoints[].keep": "write `errors` and `slower_than` in the rule itself"}


class Finding(NamedTuple):
    """One mistake by its key path; `at_key` says whether the key is wrong rather than its value."""

    path: KeyPath
    at_key: bool
    found: str
    remedy: str


def diagnose(errors: Iterable[ErrorDetails], data: Mapping[str, Any]) -> Iterator[Finding]:
    """Each error of pydantic in words; `data` is as it was written, so that no expanded variable is shown."""
    errors = list(errors)
    planned = {error["loc"][:-1] for error in errors if _is_planned_value(error)}
    for error in errors:
        if error["type"] != "extra_forbidden" or error["loc"][:-1] not in planned:
            yield _diagnose_one(error, _value_at(data, error["loc"]))


def diagnose_fields(data: Mapping[str, Any]) -> Iterator[Finding]:
    """The mistakes in the free fields of `[[targets]]`, which pydantic lets pass."""
    for home, table in tables_of(data):
        entries = table.get("targets")
        for index, entry in enumerate(entries if isinstance(entries, (list, tuple)) else ()):
            if isinstance(entry, Mapping):
                function = entry.get("as", "function") == "function"
                for key, value in entry.items():
                    yield from _diagnose_field((*home, "targets", index, key), value, function)


def tables_of(data: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """The file itself and each entry of its `[[processes]]`, which may hold the same tables."""
    yield (), data
    processes = data.get("processes")
    for index, process in enumerate(processes if isinstance(processes, (list, tuple)) else ()):
        if isinstance(process, Mapping):
            yield ("processes", index), process


def dotted(path: KeyPath) -> str:
    """`("sampler", "endpoints", 0)` as `sampler.endpoints[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _diagnose_field(path: KeyPath, value: object, is_function: bool) -> Iterator[Finding]:
    key = str(path[-1])
    known = _keys_of(TargetEntry)
    if key in known:
        return
    if _pattern(path) in PLANNED_KEYS:
        yield _planned_key(path, value)
    elif is_function or get_close_matches(key, known, 1, 0.8):
        yield _unknown_key(path, value)
    elif isinstance(value, str) and value.startswith(PLANNED_FIELD_PREFIX):
        yield Finding(path, False, f'a field that names Python ("{value}") is not built yet', "write a path")


def _diagnose_one(error: ErrorDetails, value: object) -> Finding:
    path, kind = error["loc"], error["type"]
    key = _key_name(path)
    if kind == "extra_forbidden":
        return _planned_key(path, value) if _pattern(path) in PLANNED_KEYS else _unknown_key(path, value)
    if kind == "missing":
        return Finding(path[:-1], True, f"{_section(path[:-1])} has no key {key}", f"add {key}")
    if kind == "literal_error":
        return _unknown_value(path, value)
    if kind == KEY_MISTAKE:
        return Finding(path, True, error["ctx"]["found"], error["ctx"]["remedy"])
    if kind == MISTAKE:
        found = _unexpanded(error["ctx"]["found"], error["input"], value)
        leaf = not isinstance(value, Mapping)
        remedy = error["ctx"]["remedy" if error["input"] == value else "for_all"]
        return Finding(path, False, f"{key}: {found}" if leaf else found, remedy)
    if kind in {"greater_than_equal", "too_short"}:
        return Finding(path, False, f"{key} is {shown(value)}", _EXPECTED[kind])
    if kind.endswith("_type"):
        return Finding(path, False, f"{key} is {_kind_of(value)}", _expected(kind, path, value))
    return Finding(path, False, f"{key}: {error['msg']}", "see `autotrace schema`")


def _planned_key(path: KeyPath, value: object) -> Finding:
    name = _brackets(path, _is_array_of_tables(value)) if _is_section_value(value) else dotted(path)
    return Finding(path, True, f"{name} is not built yet", "remove it")


def _unknown_key(path: KeyPath, value: object) -> Finding:
    key, table = str(path[-1]), _table_at(path[:-1])
    known = _keys_of(table) if table else []
    section = _is_section_value(value)
    inside = f" in {_section(path[:-1])}" if len(path) > 1 and not section else ""
    name = _brackets(path, isinstance(value, list)) if section else f'key "{key}"'
    return Finding(path, True, f"unknown {'section ' if section else ''}{name}{inside}", _nearest(path, known, section))


def _nearest(path: KeyPath, known: list[str], section: bool) -> str:
    key, home = str(path[-1]), _home(path)
    if _pattern(path) in _INSTEAD:
        return _INSTEAD[_pattern(path)]
    if home and not section and _tree(home) == _tree(path):
        return f"{key} belongs in {_section(home)}"
    for name in get_close_matches(key.lower(), known, 1):
        other = (*path[:-1], name)
        return f"did you mean {_section(other) if section and _is_section(other) else chr(34) + name + chr(34)}?"
    # A namesake elsewhere, such as the store's path, is not what somebody means who writes an entry of a section.
    if home is not None and _pattern(path).count(".") < 2:
        return f"{key} belongs in {_section(home) if home else 'the top of the file, before any section'}"
    return f"known here: {', '.join(known)}" if known else "remove it"


def _home(path: KeyPath) -> KeyPath | None:
    """Where else a key of this name may stand: first among the sections of the same section, then among all."""
    homes = [home for home, table in _tables() if path[-1] in _keys_of(table)]
    return next((home for home in homes if _tree(home) == _tree(path)), homes[0] if homes else None)


def _tree(path: KeyPath) -> tuple[str, ...]:
    names = tuple(part for part in path if isinstance(part, str))
    return names[: 2 if names[:1] == ("processes",) else 1]


def _is_planned_value(error: ErrorDetails) -> bool:
    planned = PLANNED_VALUES.get(_pattern(error["loc"]), frozenset())
    return error["type"] == "literal_error" and isinstance(error["input"], str) and error["input"] in planned


def _unknown_value(path: KeyPath, value: object) -> Finding:
    pattern = _pattern(path)
    what = _WHAT.get(pattern, _key_name(path))
    known = _choices(path)
    choices = " or ".join(filter(None, (", ".join(f'"{name}"' for name in known[:-1]), f'"{known[-1]}"')))
    if isinstance(value, str) and value in PLANNED_VALUES.get(pattern, ()):
        return Finding(path, False, f'{what} "{value}" is not built yet', f"write {choices}")
    near = get_close_matches(value.lower(), known, 1) if isinstance(value, str) else []
    return Finding(
        path, False, f"unknown {what} {shown(value)}", f'did you mean "{near[0]}"?' if near else f"write {choices}"
    )


def _expected(kind: str, path: KeyPath, value: object) -> str:
    if kind in _EXPECTED:
        from_environment = isinstance(value, str) and "${" in value
        return _EXPECTED[kind] + (": what comes from the environment is always text" if from_environment else "")
    key = _key_name(path)
    if kind == "string_type":
        scalar = isinstance(value, (bool, int, float))
        return f'write text in quotes: {key} = "{shown(value)}"' if scalar else "write text in quotes"
    if kind == "tuple_type":
        if _table_at((*path, 0)):
            return f"write {_brackets(path, True)}"
        return f"write an array: {key} = [{shown(value)}]" if isinstance(value, str) else "write an array"
    return f"write a table: {_brackets(path, isinstance(path[-1], int))}" if path else "write a table"


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return f"the boolean {shown(value)}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, (datetime.date, datetime.time)):
        return "a date or time"
    return shown(value) if isinstance(value, (Mapping, list, tuple)) else f"a {type(value).__name__}"


def _unexpanded(found: str, expanded: object, written: object) -> str:
    return found if expanded == written else found.replace(shown(expanded), shown(written))


def _key_name(path: KeyPath) -> str:
    name = next((part for part in reversed(path) if isinstance(part, str)), "the file")
    return f"an entry of {name}" if path and isinstance(path[-1], int) else name


def _pattern(path: KeyPath) -> str:
    if len(path) > 2 and path[0] == "processes":
        path = path[2:]
    return "".join("[]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def _section(path: KeyPath) -> str:
    """How the header of a table is written: `[sampler.keep]`, `[[services]]`."""
    return _brackets(path, bool(path) and (isinstance(path[-1], int) or bool(_table_at((*path, 0)))))


def _brackets(path: KeyPath, array: bool) -> str:
    name = ".".join(part for part in path if isinstance(part, str))
    return f"[[{name}]]" if array else f"[{name}]"


def _is_section_value(value: object) -> bool:
    return isinstance(value, Mapping) or _is_array_of_tables(value)


def _is_array_of_tables(value: object) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(one, Mapping) for one in value)


def _is_section(path: KeyPath) -> bool:
    return _table_at(path) is not None or _table_at((*path, 0)) is not None


def _table_at(path: KeyPath) -> type[BaseModel] | None:
    table: Any = Config
    for part in path:
        if isinstance(part, int):
            table = next((one for one in get_args(table) if _is_table(one)), None)
        else:
            field = _fields_of(table).get(part) if _is_table(table) else None
            table = field
    return table if _is_table(table) else None


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _fields_of(table: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in table.model_fields.items()}


def _keys_of(table: type[BaseModel]) -> list[str]:
    return list(_fields_of(table))


def _tables() -> Iterator[tuple[KeyPath, type[BaseModel]]]:
    pending: list[KeyPath] = [()]
    while pending:
        path = pending.pop(0)
        table = _table_at(path)
        if table:
            yield path, table
            for key in _keys_of(table):
                pending += [(*path, key), (*path, key, 0)]


def _choices(path: KeyPath) -> list[str]:
    """The words that a key may have: those of its Literal."""
    keys = [part for part in path if isinstance(part, str)]
    table = _table_at(path[: path.index(keys[-1])])
    return list(_literals(_fields_of(table)[keys[-1]])) if table else []


def _literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    else:
        for one in get_args(annotation):
            yield from _literals(one)


def _value_at(data: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data
