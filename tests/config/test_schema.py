"""The JSON Schema in the repository, and the descriptions it is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autotrace.config import model, sampler
from autotrace.config.planned import PLANNED_KEYS
from autotrace.config.schema import schema_text
from autotrace.config.table import Table

SCHEMA = Path(__file__).parents[2] / "schemas" / "tracing.schema.json"


def tables() -> list[Any]:
    every = {**vars(model), **vars(sampler)}
    return [one for one in every.values() if isinstance(one, type) and issubclass(one, Table)]


def test_the_schema_in_the_repository_is_not_stale() -> None:
    assert SCHEMA.read_text() == schema_text(), "run: autotrace schema > schemas/tracing.schema.json"


def test_every_key_has_a_description() -> None:
    missing = [
        f"{table.__name__}.{name}"
        for table in tables()
        for name, key in table.model_fields.items()
        if not key.description
    ]
    assert missing == []


def test_nothing_built_is_listed_as_planned() -> None:
    assert not {path for path in PLANNED_KEYS if "." not in path} & set(model.Config.model_fields)
