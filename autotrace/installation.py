"""Tracing of this process: takes a config as a file or a dict, gives its plan, or puts the tracing in and takes it out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrace.config.load import load_mapping
from autotrace.config.search import find_config
from autotrace.errors import ConfigError
from autotrace.plan.build import build, default_plan
from autotrace.plan.integration import load_integrations
from autotrace.plan.path import parse
from autotrace.plan.plan import Plan
from autotrace.plan.signature import Entry, check_signatures, load_checked
from autotrace.runtime import Runtime


class Installation:
    """The tracing that one call of `install` put into this process."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def flush(self) -> None:
        """Bring what has been kept so far to the exporters; waits at most `[shutdown] timeout`."""
        self._runtime.flush()

    def uninstall(self) -> None:
        """Stop tracing and put back what was replaced; woven functions stay woven and no longer record."""
        self._runtime.stop()


def install(config: Mapping[str, Any] | str | Path | None = None) -> Installation:
    """Trace this process from now on.

    `config` is what a `tracing.toml` holds, as a dict, or the path of a file; without it the file is searched as for a
    program: in the working folder and upward. Modules that are imported later are woven; what is loaded already is
    patched. Raises ConfigError with every mistake of the config; then nothing is traced.
    """
    if isinstance(config, Mapping):
        plan = _plan_of_mapping(config)
    else:
        plan = plan_in(find_config(str(config) if config is not None else None), "python")
    runtime = Runtime(plan)
    runtime.start()
    return Installation(runtime)


def plan_in(file: Path | None, service_name: str, entry: Entry | None = None, path: Sequence[str] = ()) -> Plan:
    """The plan of a config file, or of no config; `service_name` holds where the file names none. Raises ConfigError."""
    if file is None:
        return default_plan(service_name, str(Path.cwd()), load_integrations())
    loaded = load_checked(file, entry, [*path, *sys.path])
    return build(loaded, load_integrations(), service_name, str(Path.cwd()))


def _plan_of_mapping(config: Mapping[str, Any]) -> Plan:
    loaded = load_mapping(config, check_path=parse)
    mistakes = check_signatures(loaded)
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return build(loaded, load_integrations(), "python", str(Path.cwd()))
