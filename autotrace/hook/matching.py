"""Which targets a module has: takes a plan's targets and a module's name, gives their numbers; and what matched so far."""

from __future__ import annotations

import _thread
from collections.abc import Callable, Iterable, Mapping, Sequence

from autotrace.hook.woven import Choice
from autotrace.plan.path import parse
from autotrace.plan.pattern import Pattern, compile_pattern
from autotrace.plan.target import Target

MAIN = "__main__"
ENTRIES = (MAIN, "__mp_main__")
"""The entry program, and its second run in a process that multiprocessing has spawned."""


class Matching:
    """The targets of one process by module, and which of them have matched a function.

    `entry_names` are the names by which a file may call the entry script, beside `__main__`. `libraries` says by module
    which libraries have targets there; they are loaded, and get their numbers, when the first of it is asked for.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        entry_names: Iterable[str] = (),
        libraries: Mapping[str, Sequence[str]] | None = None,
        load: Callable[[str], Sequence[Target]] = lambda library: (),
    ) -> None:
        self.entry_names = frozenset(entry_names)
        self._libraries = libraries or {}
        self._load = load
        self._loaded: set[str] = set()
        self._loading = _thread.RLock()
        self.targets: list[Target] = []
        self._modules: list[Pattern] = []
        self._qualnames: list[Pattern] = []
        self._exclusions: list[tuple[Pattern, ...]] = []
        self._literals: dict[str, list[int]] = {}
        self._globs: list[int] = []
        self.matched: dict[int, set[str]] = {}
        self.problems: dict[int, str] = {}
        self.fallbacks: dict[str, str] = {}
        self._add(targets)

    def concerns(self, name: str) -> bool:
        """Whether a target may lie in a module; what is asked at each import, and loads nothing."""
        return name in self._libraries or bool(self._of_module(name))

    def of_module(self, name: str) -> tuple[int, ...]:
        """The numbers of the targets that may lie in a module, in the order of the file, those of libraries after them."""
        for library in self._libraries.get(name, ()):
            if library not in self._loaded:
                self._add_library(library)
        return self._of_module(name)

    def first(self, numbers: Iterable[int], qualname: str) -> int | None:
        """The first of the targets that names the function `qualname`, written without `<locals>`."""
        for number in numbers:
            if self._qualnames[number].matches(qualname) and not self._excluded(number, qualname):
                return number
        return None

    def literal(self, number: int) -> str | None:
        """The one function that a target names, if it has no wildcard."""
        return self._qualnames[number].literal

    def note(self, number: int, module: str, qualname: str) -> None:
        """Remember that a target matched a function."""
        self.matched.setdefault(number, set()).add(f"{module}:{qualname}")

    def unmatched(self) -> list[tuple[Target, str]]:
        """The user's targets that matched nothing, each with what is known of the reason."""
        return [
            (target, self.problems.get(number, ""))
            for number, target in enumerate(self.targets)
            if number not in self.matched and target.integration is None
        ]

    def choose(self, numbers: Sequence[int], qualname: str, parameters: tuple[str, ...]) -> Choice | None:
        """What to weave into a function, if one of the targets names it."""
        number = self.first(numbers, qualname)
        if number is None:
            return None
        target = self.targets[number]
        roots = tag_roots(target)
        wanted = tuple(root for root in roots if root in parameters)
        return Choice(number, wanted, "result" in roots)

    def _of_module(self, name: str) -> tuple[int, ...]:
        names = (name, MAIN, *self.entry_names) if name in ENTRIES else (name,)
        found = {number for name in names for number in self._literals.get(name, ())}
        if self._globs:
            found.update(n for n in self._globs if any(self._modules[n].matches(name) for name in names))
        return tuple(sorted(found))

    def _add_library(self, library: str) -> None:
        with self._loading:
            if library not in self._loaded:
                self._add(self._load(library))
                self._loaded.add(library)

    def _add(self, targets: Iterable[Target]) -> None:
        for target in targets:
            number = len(self.targets)
            module = compile_pattern(target.module)
            self._modules.append(module)
            self._qualnames.append(compile_pattern(target.qualname))
            self._exclusions.append(tuple(map(compile_pattern, target.exclude)))
            if module.literal is None:
                self._globs.append(number)
            else:
                self._literals.setdefault(module.literal, []).append(number)
            self.targets.append(target)

    def _excluded(self, number: int, qualname: str) -> bool:
        return any(pattern.matches(qualname) for pattern in self._exclusions[number])


def tag_roots(target: Target) -> tuple[str, ...]:
    """The roots of a target's tags: parameters, `result`, `error`; each once, in the order of the file."""
    return tuple(dict.fromkeys(parse(path).root for _, path in target.tags))
