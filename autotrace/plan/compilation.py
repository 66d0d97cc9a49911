"""Compiles a config file: takes its circumstances, gives the plan, and what a later start must find unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from autotrace.config.load import load_mapping
from autotrace.config.process import choose
from autotrace.errors import ConfigError
from autotrace.plan.build import build
from autotrace.plan.cache import Circumstances
from autotrace.plan.path import parse
from autotrace.plan.plan import Plan
from autotrace.plan.signature import check_signatures, load_checked
from autotrace.plan.source import Source


class Compilation(NamedTuple):
    """A plan, the sources that it was checked against, and its texts as written by what variables made of them."""

    plan: Plan
    sources: tuple[Source, ...]
    written: Mapping[str, str]


def compile_file(circumstances: Circumstances) -> Compilation:
    """The plan of one program. Raises ConfigError with every mistake of the file."""
    sources: dict[Source, None] = {}
    loaded = load_checked(
        Path(circumstances.file),
        circumstances.entry,
        circumstances.path,
        lambda one: choose(one, circumstances.program, circumstances.process),
        lambda source: sources.setdefault(source),
    )
    plan = build(loaded, circumstances.service_name, circumstances.directory)
    return Compilation(plan, tuple(sources), loaded.written)


def compile_mapping(config: Mapping[str, Any], origin: str, service_name: str) -> Plan:
    """The plan of a dict that says what a file would say. Raises ConfigError with every mistake of it."""
    loaded = load_mapping(config, origin, check_path=parse)
    mistakes = check_signatures(loaded)
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return build(loaded, service_name, str(Path.cwd()))
