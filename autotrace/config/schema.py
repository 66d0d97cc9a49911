"""The JSON Schema of the file: takes the models, gives text for `schemas/tracing.schema.json`."""

from __future__ import annotations

import json

from autotrace.config.model import Config


def schema_text() -> str:
    """The schema as indented JSON with a final newline; the same models give the same text."""
    schema = Config.model_json_schema(by_alias=True)
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "tracing.toml"}
    document |= {key: value for key, value in schema.items() if key != "title"}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
