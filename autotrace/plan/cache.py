"""A compiled plan on disk: takes what it was made of, gives the plan of an earlier start, or nothing.

It holds no value of an environment variable: a text that has one is kept as the file spells it, `${VAR}`, and what the
variables hold is part of the key.
"""

# ruff: noqa: PTH103, PTH105, PTH118, PTH120, PTH123 - pathlib costs every start 5 ms

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import source_hash
from typing import Any, NamedTuple, TypeAlias

from autotrace import __version__
from autotrace.config.interpolate import interpolate
from autotrace.plan.plan import (
    BufferSettings,
    EndpointRule,
    ExporterSettings,
    Plan,
    PropagationSettings,
    SamplerSettings,
    StoreSettings,
)
from autotrace.plan.source import Source, is_unchanged
from autotrace.plan.target import Origin, Target

Entry: TypeAlias = "tuple[tuple[str, ...], str]"
"""The names by which a file may call the entry script (`__main__`, `app`), and its file name."""

_FORMAT = 1
_KINDS = (
    *(Plan, Target, Origin, SamplerSettings, EndpointRule, PropagationSettings, ExporterSettings),
    *(StoreSettings, BufferSettings),
)
_DIGEST_SIZE = 8
# Whoever changes autotrace itself does not change its version each time.
_COMPILERS = (os.path.dirname(__file__), os.path.join(os.path.dirname(os.path.dirname(__file__)), "config"))


class Circumstances(NamedTuple):
    """What a plan depends on beside the content of its file: which program is started, where, and what it finds.

    `program` and `process` choose from `[[processes]]`, `entry` and `path` say where the sources lie, and messages name
    files as seen from `directory`.
    """

    file: str
    service_name: str
    directory: str
    entry: Entry
    path: tuple[str, ...]
    program: tuple[str, ...] = ()
    process: str | None = None


class PlanCache:
    """One file in `folder` for each program that a config file is used for; `prepare` makes that folder (OSError)."""

    def __init__(
        self,
        folder: str,
        circumstances: Circumstances,
        prepare: Callable[[str], None],
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._prepare = prepare
        self._circumstances = circumstances
        self._environ = os.environ if environ is None else environ
        self._variables: frozenset[str] = frozenset()
        self._key = b""

    def load(self) -> Plan | None:
        """The plan, if nothing that it was made of has changed; a file that is broken or somebody else's counts as none."""
        try:
            with open(self._circumstances.file, "rb") as file:
                content = file.read()
            self._variables = frozenset(_variables_in(content))
            self._key = self._make_key(content)
            key, sources, plain = marshal.loads(_checked(self._path()))
            if key != self._key or not all(is_unchanged(Source(*one), self._circumstances.path) for one in sources):
                return None
            return self._plan(plain)
        except (OSError, ValueError, EOFError, TypeError):
            return None

    def save(self, plan: Plan, sources: Iterable[Source], written: Mapping[str, str]) -> None:
        """Keep a plan for the next start; `written` gives the texts of the file that have variables, by what they became.

        A folder that cannot be written is no reason to complain.
        """
        if sys.dont_write_bytecode or not self._key:
            return
        plain = _plain(plan, written)
        if not self._may_be_kept(plain, written):
            return
        data = marshal.dumps((self._key, [tuple(source) for source in sources], plain))
        path = self._path()
        temporary = f"{path}.{os.getpid()}"
        try:
            self._prepare(os.path.dirname(self._folder))
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as file:
                file.write(source_hash(data) + data)
            os.replace(temporary, path)
        except OSError:
            return

    def _make_key(self, content: bytes) -> bytes:
        changes = [os.stat(folder).st_mtime_ns if os.path.isdir(folder) else 0 for folder in _COMPILERS]  # noqa: PTH112, PTH116
        values = [(name, self._environ.get(name)) for name in sorted(self._variables)]
        shapes = [kind._fields for kind in _KINDS]
        made_of = (_FORMAT, __version__, sys.version, shapes, changes, self._circumstances, values, len(content))
        return source_hash(content) + source_hash(repr(made_of).encode(errors="replace"))

    def _path(self) -> str:
        place = self._circumstances
        named = repr((place.file, place.service_name, place.entry, place.program, place.process, sys.prefix))
        name = source_hash(named.encode(errors="replace")).hex()
        return os.path.join(self._folder, f"{name}.{sys.implementation.cache_tag}")

    def _may_be_kept(self, plain: object, written: Mapping[str, str]) -> bool:
        """Whether no value of a variable is in what is kept: it is where a text with one was taken apart."""
        texts = list(_texts(plain))
        kept = frozenset(text for text in texts if isinstance(text, bytes))
        for spelling in written.values():
            names = frozenset(_variables_in(spelling.encode(errors="replace")))
            if not names <= self._variables:  # an escape hides the variable from the key
                return False
            values = [] if spelling.encode(errors="replace") in kept else [self._environ.get(name) for name in names]
            if any(value and value in text for value in values for text in texts if isinstance(text, str)):
                return False
        return True

    def _plan(self, plain: Any) -> Plan:
        plan = Plan(*self._expanded(plain))
        sampler = SamplerSettings(*plan.sampler)
        return plan._replace(
            targets=tuple(_target(target) for target in plan.targets),
            sampler=sampler._replace(endpoints=tuple(_rule(rule) for rule in sampler.endpoints)),
            propagation=PropagationSettings(*plan.propagation),
            exporters=tuple(ExporterSettings(*exporter) for exporter in plan.exporters),
            store=StoreSettings(*plan.store),
            buffer=BufferSettings(*plan.buffer),
        )

    def _expanded(self, plain: Any) -> Any:
        if isinstance(plain, bytes):
            return interpolate(plain.decode(), self._environ, _refuse)
        return tuple(map(self._expanded, plain)) if isinstance(plain, tuple) else plain


def _refuse(path: object, found: str, remedy: str) -> None:
    raise ValueError(found)


def _target(fields: Sequence[Any]) -> Target:
    target = Target(*fields)
    return target._replace(origin=Origin(*target.origin))


def _rule(fields: Sequence[Any]) -> EndpointRule:
    rule = EndpointRule(*fields)
    return rule._replace(origin=Origin(*rule.origin))


def _plain(value: Any, written: Mapping[str, str]) -> Any:
    """Plain tuples all the way down; a text that is written with variables as bytes, as it is written."""
    if isinstance(value, tuple):
        return tuple(_plain(one, written) for one in value)
    return written[value].encode() if isinstance(value, str) and value in written else value


def _texts(plain: object) -> Iterator[str | bytes]:
    if isinstance(plain, (str, bytes)):
        yield plain
    elif isinstance(plain, tuple):
        for one in plain:
            yield from _texts(one)


def _variables_in(content: bytes) -> Iterator[str]:
    """The names of all that could be a variable, comments included."""
    for after in content.split(b"${")[1:]:
        name = after.partition(b"}")[0].partition(b":")[0]
        yield name.decode("utf-8", "replace")


def _checked(path: str) -> bytes:
    """What was written to a file of ours. Raises ValueError where somebody else may have written, or it is not whole."""
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if hasattr(os, "geteuid") and (status.st_uid != os.geteuid() or status.st_mode & 0o077):
            raise ValueError("a file of somebody else")
        data = file.read()
    digest, payload = data[:_DIGEST_SIZE], data[_DIGEST_SIZE:]
    if source_hash(payload) != digest:
        raise ValueError("a file that is not whole")
    return payload
