"""Tracing of this process: takes a config as a file or a dict, gives its plan, or puts the tracing in and takes it out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autotrace.config.search import find_config
from autotrace.hook.children import environment
from autotrace.plan.cache import Circumstances, Entry, PlanCache
from autotrace.plan.plan import Plan
from autotrace.runtime import Runtime
from autotrace.store.location import locate, make_directory

if TYPE_CHECKING:
    from pathlib import Path


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
    runtime.load_rest()
    runtime.start()
    return Installation(runtime)


def plan_in(
    file: str | None,
    service_name: str,
    entry: Entry = ((), ""),
    path: Sequence[str] = (),
    program: Sequence[str] = (),
    process: str | None = None,
) -> Plan:
    """The plan of a config file, or of no config; `service_name` holds where the file names none. Raises ConfigError.

    `program` and `process` say which of the file's `[[processes]]` this is (see `autotrace.config.process.choose`).
    """
    directory = os.getcwd()  # noqa: PTH109 - pathlib costs every start 5 ms
    if file is None:
        return Plan(service_name, directory=directory)
    circumstances = Circumstances(file, service_name, directory, entry, (*path, *sys.path), tuple(program), process)
    store = locate(None, os.path.dirname(file), environment())  # noqa: PTH120 - as above
    cache = PlanCache(os.path.join(os.path.dirname(store), "plan"), circumstances, make_directory)  # noqa: PTH118, PTH120
    plan = cache.load()
    if plan is None:
        from autotrace.plan.compilation import compile_file  # pydantic and more: 250 ms that a cached plan does not pay

        plan, sources, written = compile_file(circumstances)
        cache.save(plan, sources, written)
    return plan


def plan_of_mapping(config: Mapping[str, Any], origin: str = "install()", service_name: str = "python") -> Plan:
    """The plan of a dict that says what a file would say. Raises ConfigError with every mistake of it."""
    from autotrace.plan.compilation import compile_mapping  # as above

    return compile_mapping(config, origin, service_name)
