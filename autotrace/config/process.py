"""One file for several programs: takes a checked config and how a program was started, gives the config of that one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import PurePath

from autotrace.config.load import Loaded
from autotrace.config.positions import KeyPath, Place, Positions
from autotrace.errors import ConfigError

VARIABLE = "AUTOTRACE_PROCESS"


def choose(loaded: Loaded, program: Sequence[str] = (), forced: str | None = None) -> Loaded:
    """The config with what the first matching entry of `[[processes]]` says instead of the file.

    `program` holds the absolute path of a script or the name of a module. `forced` is a `service_name` or an `entry` of
    the file, and wins; raises ConfigError when no entry has it.
    """
    processes = loaded.model.processes
    for index, process in enumerate(processes):
        if forced in (process.service_name, process.entry) if forced else _matches(process.entry, program):
            return of_process(loaded, index)
    if not forced:
        return loaded
    names = [process.service_name or process.entry for process in processes]
    near = get_close_matches(forced, names, 1)
    remedy = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(names) or 'none'}"
    raise ConfigError((loaded.mistake(("processes",), f'no process is named "{forced}"', remedy),))


def of_process(loaded: Loaded, index: int) -> Loaded:
    """The config of one entry: each key that it has stands for the whole of that key in the file."""
    process = loaded.model.processes[index]
    own = process.model_fields_set - {"entry"}
    model = loaded.model.model_copy(update={name: getattr(process, name) for name in own})
    below = loaded.positions.below(("processes", index))
    positions = Positions(
        _merge(loaded.positions.keys, below.keys, own),
        _merge(loaded.positions.values, below.values, own),
        (),
        frozenset(path for path in loaded.positions.plain_strings if path[0] not in own)
        | frozenset(path for path in below.plain_strings if path and path[0] in own),
    )
    return replace(loaded, model=model, positions=positions)


def _matches(entry: str, program: Sequence[str]) -> bool:
    words = [PurePath(word).as_posix() for word in program]
    return any(fnmatchcase(word, entry) or fnmatchcase(word, f"*/{entry.removeprefix('./')}") for word in words)


def _merge(base: dict[KeyPath, Place], own: dict[KeyPath, Place], names: set[str]) -> dict[KeyPath, Place]:
    return {path: place for path, place in base.items() if not path or path[0] not in names} | {
        path: place for path, place in own.items() if path and path[0] in names
    }
