"""What every table of the file has in common: takes plain TOML data, gives a checked table that nothing changes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table: its keys are the fields, others are mistakes, and values have just the types that are written here."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=False)
