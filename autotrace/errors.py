"""The exceptions of autotrace: what a user can have done wrong, each a sentence that says where and what would be right."""

from __future__ import annotations

from typing import NamedTuple


class AutotraceError(Exception):
    """Whatever autotrace raises on purpose."""


class Mistake(NamedTuple):
    """One thing wrong in one place of a file; line and column count from 1, 0 where there is no position."""

    file: str
    line: int
    column: int
    found: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.found}; {self.remedy}" if self.remedy else f"{place}: {self.found}"


class ConfigError(AutotraceError):
    """A config that cannot be used: all its mistakes at once, in the order of the file."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class PathError(AutotraceError):
    """A field path that cannot be read; `column` counts from 1 within the path."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


class StoreError(AutotraceError):
    """A local store that cannot be opened, read or written."""


class ExportError(AutotraceError):
    """An endpoint that could not be reached in time or did not accept what was sent."""


class StrategyError(AutotraceError):
    """What a sampling server answered, where it is no strategy of sampling."""


class LaunchError(AutotraceError):
    """A program that cannot be started: no such file, module or code."""
