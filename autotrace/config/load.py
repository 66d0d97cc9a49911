"""From a file or a mapping to a checked Config: takes a path, gives the model with its places, or all mistakes."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

from autotrace.config.interpolate import interpolate
from autotrace.config.positions import KeyPath, Place, Positions, scan
from autotrace.errors import ConfigError, Mistake, PathError

if TYPE_CHECKING:
    from autotrace.config.diagnose import Finding
    from autotrace.config.model import Config

SECTION = ("tool", "autotrace")
"""The table of pyproject.toml that is read."""

PathCheck = Callable[[str], object]
"""Reads one field path; raises PathError when it cannot be read (see `autotrace.plan.path.parse`)."""

Check = Callable[["Loaded"], "Iterable[Mistake]"]
"""Finds further mistakes in a config whose keys are right (see `autotrace.plan.signature.check_signatures`)."""

# A line rather than the parsed key: a file whose TOML is broken has no keys yet.
_RUN_UNTRACED = re.compile(r"""^\ufeff?[ \t]*on_config_error[ \t]*=[ \t]*["']run_untraced["']""", re.MULTILINE)
_NO_PLACE = Place(0, 0)
_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"
_NO_FIELDS = frozenset({"at", "as", "span", "tags", "how", "min_duration", "evaluate", "name", "methods"})
_PATH_REMEDY = "write a parameter, self, result or error with .attribute, ['key'] or [0], or a constant in quotes"
_TOML_REMEDIES = {
    "Invalid value": "write text in quotes, a number, true, false, an array or a table",
    "Expected '=' after a key in a key/value pair": "write key = value",
    "Invalid statement": "write key = value or a [section]",
    "Expected newline or end of document after a statement": "start a new line, or put text in quotes",
    "Unclosed array": "close it with ]",
    "Unclosed inline table": "close it with }",
    "Expected ']' at the end of a table declaration": "close it with ]",
    "Expected ']]' at the end of an array declaration": "close it with ]]",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked config, the name its file goes by in messages, and where each of its keys stands.

    `written` holds the texts that have variables as the file spells them, by what they became.
    """

    model: Config
    file: str
    path: Path | None = None
    positions: Positions = field(default_factory=Positions)
    written: Mapping[str, str] = field(default_factory=dict)

    def place(self, path: KeyPath) -> Place:
        """Where the value at a key path stands; (0, 0) when the config is no file."""
        return self.positions.values.get(path, _NO_PLACE)

    def mistake(self, path: KeyPath, found: str, remedy: str, offset: int = 0) -> Mistake:
        """A mistake at the value of a key path, `offset` characters into its text."""
        return _mistake_at(self.file, self.positions, path, False, found, remedy, offset)


def load_file(
    path: Path,
    environ: Mapping[str, str] | None = None,
    check_path: PathCheck | None = None,
    check: Check | None = None,
) -> Loaded:
    """Read tracing.toml, or [tool.autotrace] of pyproject.toml; ConfigError holds every mistake, in order."""
    path = Path(path)
    file = shown_name(path)
    text = _read_text(path, file)
    positions = scan(text)
    data = _parse(text, file, positions)
    if path.name == "pyproject.toml":
        data = data.get("tool", {}).get("autotrace", {})
        positions = positions.below(SECTION)
    return _Examination(data, file, positions, path.absolute()).run(environ, check_path, check)


def load_mapping(
    mapping: Mapping[str, Any],
    origin: str = "install()",
    environ: Mapping[str, str] | None = None,
    check_path: PathCheck | None = None,
) -> Loaded:
    """Check a dict that says what a file would say; ConfigError holds every mistake."""
    return _Examination(mapping, origin, Positions(), None).run(environ, check_path, None)


def runs_untraced(path: str | Path) -> bool:
    """Whether a file asks that its mistakes do not stop the program, even where the file itself cannot be parsed."""
    try:
        text = Path(path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return False
    return _RUN_UNTRACED.search(text) is not None


def shown_name(path: Path) -> str:
    """A file as messages name it: relative to the working folder when below it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _read_text(path: Path, file: str) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise _error(
            file, "there is no such file", "name one that exists, or write one with `autotrace init`"
        ) from None
    except IsADirectoryError:
        raise _error(file, "this is a folder", f"name a file, such as {path.name}/tracing.toml") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _error(file, f"the file cannot be read ({reason})", "make it readable") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _error(file, "the file is UTF-16", "save it as UTF-8", Place(1, 1))
    if content.startswith(b"\xef\xbb\xbf"):
        raise _error(file, "the file starts with a byte order mark", "save it as UTF-8 without BOM", Place(1, 1))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode().rpartition("\n")
        place = Place(content.count(b"\n", 0, error.start) + 1, len(before[2]) + 1)
        found = f"the byte 0x{content[error.start]:02x} is not UTF-8"
        raise _error(file, found, "save the file as UTF-8", place) from None


def _parse(text: str, file: str, positions: Positions) -> dict[str, Any]:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        if positions.duplicates and error.msg.startswith(("Cannot", "Duplicate")):
            path, first, second = positions.duplicates[0]
            name = ".".join(str(part) for part in path)
            found = f"{name} is given twice"
            raise _error(file, found, f"keep one; the first is in line {first.line}", second) from None
        remedy = _TOML_REMEDIES.get(error.msg, "write it as TOML asks (https://toml.io)")
        found = f"not TOML: {error.msg[:1].lower()}{error.msg[1:]}"
        raise _error(file, found, remedy, Place(error.lineno, error.colno)) from None
    except RecursionError:
        raise _error(file, "not TOML: nested too deeply", "nest less") from None


class _Examination:
    """One set of data on its way to a model, and the mistakes found on that way."""

    def __init__(self, data: Any, file: str, positions: Positions, path: Path | None) -> None:
        self.data = data
        self.file = file
        self.positions = positions
        self.path = path
        self.mistakes: list[Mistake] = []
        self.wrong: set[KeyPath] = set()

    def run(self, environ: Mapping[str, str] | None, check_path: PathCheck | None, check: Check | None) -> Loaded:
        expanded = interpolate(self.data, os.environ if environ is None else environ, self.report)
        model = self.validate(expanded)
        if check_path and isinstance(expanded, Mapping):
            self.check_paths(expanded, check_path)
        if model is not None:
            loaded = Loaded(model, self.file, self.path, self.positions, dict(_changed_texts(self.data, expanded)))
            self.mistakes.extend(check(loaded) if check else ())
            if not self.mistakes:
                return loaded
        raise ConfigError(tuple(sorted(self.mistakes)))

    def report(self, path: KeyPath, found: str, remedy: str, at_key: bool = False, offset: int = 0) -> None:
        self.wrong.add(path)
        self.mistakes.append(_mistake_at(self.file, self.positions, path, at_key, found, remedy, offset))

    def validate(self, expanded: Any) -> Config | None:
        # pydantic costs 165 ms, which a program without a config does not pay.
        from pydantic import ValidationError

        with _without_plugins():
            from autotrace.config.diagnose import diagnose, diagnose_fields
            from autotrace.config.model import Config

        model: Config | None = None
        findings: list[Finding] = []
        try:
            model = Config.model_validate(expanded)
        except ValidationError as error:
            findings += diagnose(error.errors(include_url=False), self.data)
        if isinstance(expanded, Mapping):
            findings += diagnose_fields(self.data)
        for finding in findings:
            self.report(finding.path, finding.found, finding.remedy, finding.at_key)
        return model

    def check_paths(self, expanded: Mapping[str, Any], check_path: PathCheck) -> None:
        written = dict(path_texts(self.data))
        for path, text in path_texts(expanded):
            if path in self.wrong:
                continue
            try:
                check_path(text)
            except PathError as error:
                # What a variable holds is not shown, and a column within it is none of the file.
                own = written.get(path, "it")
                offset = error.column if own == text else 0
                self.report(path, f'"{own}" is no path: {error}', _PATH_REMEDY, offset=offset)


def _changed_texts(written: Any, expanded: Any) -> Iterator[tuple[str, str]]:
    """Each text that variables have changed, as it is now and as it was."""
    if isinstance(written, str):
        if written != expanded:
            yield expanded, written
    elif isinstance(written, Mapping):
        for key, value in written.items():
            yield from _changed_texts(value, expanded[key])
    elif isinstance(written, (list, tuple)):
        for before, after in zip(written, expanded, strict=True):
            yield from _changed_texts(before, after)


@contextmanager
def _without_plugins() -> Iterator[None]:
    """Plugins of pydantic (logfire has one) are the application's to load, and not to see our models."""
    before = os.environ.get(_PLUGINS)
    os.environ[_PLUGINS] = "__all__"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_PLUGINS]
        else:
            os.environ[_PLUGINS] = before


def path_texts(data: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """The key path and text of each tag and of each free field that looks like a path (others are words)."""
    from autotrace.config.diagnose import tables_of

    for (home, table), section in product(tables_of(data), ("services", "targets")):
        entries = table.get(section)
        for index, entry in enumerate(entries if isinstance(entries, (list, tuple)) else ()):
            for path, text in _texts_of(entry if isinstance(entry, Mapping) else {}):
                if isinstance(text, str):
                    yield (*home, section, index, *path), text


def _texts_of(entry: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Any]]:
    tags = entry.get("tags")
    for name, text in tags.items() if isinstance(tags, Mapping) else ():
        yield ("tags", name), text
    for name, text in entry.items():
        if name not in _NO_FIELDS and isinstance(text, str) and _looks_like_a_path(text):
            yield (name,), text


def _looks_like_a_path(text: str) -> bool:
    """Whether a free field is a path rather than a word or a place (`package.module:Class`)."""
    return ":" not in text and any(character in text for character in ".[(")


def _mistake_at(
    file: str, positions: Positions, path: KeyPath, at_key: bool, found: str, remedy: str, offset: int = 0
) -> Mistake:
    line, column = _NO_PLACE
    for size in range(len(path), 0, -1):
        places = positions.keys if at_key and size == len(path) else positions.values
        if path[:size] in places:
            line, column = places[path[:size]]
            break
    if offset and path in positions.plain_strings:
        column += offset  # the column of a path counts from 1, which is the width of the opening quote
    if not line and len(path) > 1:
        from autotrace.config.diagnose import dotted

        found = f"{dotted(path[:-1])}: {found}"
    return Mistake(file, line, column, found, remedy)


def _error(file: str, found: str, remedy: str, place: Place = _NO_PLACE) -> ConfigError:
    return ConfigError((Mistake(file, place.line, place.column, found, remedy),))
