"""One place to trace: takes what a file said of it, gives the frozen data that hook and conventions read."""

from __future__ import annotations

from typing import NamedTuple


class Origin(NamedTuple):
    """Where in which file something was written; line and column count from 1, 0 where there is no file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Target(NamedTuple):
    """One entry of `[[targets]]`, one method pattern of `[[services]]`, or one entry of an integration.

    `module` and `qualname` are globs (see `autotrace.plan.pattern`). `fields` are the paths or words that the convention
    asks for (`url = "request.url"`); `tags` map attribute names to paths; both keep their order.
    """

    module: str
    qualname: str
    origin: Origin
    exclude: tuple[str, ...] = ()
    convention: str = "function"
    fields: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    span: str | None = None
    service: str | None = None
    how: str = "auto"
    min_duration_ns: int = 0
    evaluate: bool = False
    integration: str | None = None

    @property
    def at(self) -> str:
        """The place as a file spells it: `module:qualname`."""
        return f"{self.module}:{self.qualname}"
