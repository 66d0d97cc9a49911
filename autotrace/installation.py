"""Tracing of this process: takes a config as a file or a dict, gives its plan, or puts the tracing in and takes it out."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autotrace.config.load import load_mapping
from autotrace.config.process import choose
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
        return install_config(config)
    return _start(plan_in(find_config(str(config) if config is not None else None), "python"))


def install_config(config: Mapping[str, Any], service_name: str = "python", origin: str = "install()") -> Installation:
    """Trace this process by a dict; `origin` is what messages call it, `service_name` holds where it has none."""
    return _start(plan_of_mapping(config, origin, service_name))


def _start(plan: Plan) -> Installation:
    runtime = Runtime(plan)
    runtime.start()
    return Installation(runtime)


def plan_in(
    file: Path | None,
    service_name: str,
    entry: Entry | None = None,
    path: Sequence[str] = (),
    program: Sequence[str] = (),
    process: str | None = None,
) -> Plan:
    """The plan of a config file, or of no config; `service_name` holds where the file names none. Raises ConfigError.

    `program` and `process` say which of the file's `[[processes]]` this is (see `autotrace.config.process.choose`).
    """
    if file is None:
        return default_plan(service_name, str(Path.cwd()), load_integrations())
    loaded = load_checked(file, entry, [*path, *sys.path], lambda one: choose(one, program, process))
    return build(loaded, load_integrations(), service_name, str(Path.cwd()))


def plan_of_mapping(config: Mapping[str, Any], origin: str = "install()", service_name: str = "python") -> Plan:
    """The plan of a dict that says what a file would say. Raises ConfigError with every mistake of it."""
    loaded = load_mapping(config, origin, check_path=parse)
    mistakes = check_signatures(loaded)
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return build(loaded, load_integrations(), service_name, str(Path.cwd()))
