"""Which targets a module has: takes a plan's targets and a module's name, gives their numbers; and what matched so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autotrace.hook.weave import Choice
from autotrace.plan.path import parse
from autotrace.plan.pattern import Pattern, compile_pattern
from autotrace.plan.target import Target

MAIN = "__main__"
ENTRIES = (MAIN, "__mp_main__")
"""The entry program, and its second run in a process that multiprocessing has spawned."""


class Matching:
    """The targets of one process by module, and which of them have matched a function.

    `entry_names` are the names by which a file may call the entry script, beside `__main__`.
    """

    def __init__(self, targets: Sequence[Target], entry_names: Iterable[str] = ()) -> None:
        self.targets = tuple(targets)
        self.entry_names = frozenset(entry_names)
        self._modules = tuple(compile_pattern(target.module) for target in self.targets)
        self._qualnames = tuple(compile_pattern(target.qualname) for target in self.targets)
        self._exclusions = tuple(tuple(map(compile_pattern, target.exclude)) for target in self.targets)
        self._literals = _by_literal(self._modules)
        self._globs = tuple(number for number, pattern in enumerate(self._modules) if pattern.literal is None)
        self.matched: dict[int, set[str]] = {}
        self.problems: dict[int, str] = {}
        self.fallbacks: dict[str, str] = {}

    def of_module(self, name: str) -> tuple[int, ...]:
        """The numbers of the targets that may lie in a module, in the order of the file."""
        names = (name, MAIN, *self.entry_names) if name in ENTRIES else (name,)
        found = {number for name in names for number in self._literals.get(name, ())}
        if self._globs:
            found.update(n for n in self._globs if any(self._modules[n].matches(name) for name in names))
        return tuple(sorted(found))

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

    def _excluded(self, number: int, qualname: str) -> bool:
        return any(pattern.matches(qualname) for pattern in self._exclusions[number])


def tag_roots(target: Target) -> tuple[str, ...]:
    """The roots of a target's tags: parameters, `result`, `error`; each once, in the order of the file."""
    return tuple(dict.fromkeys(parse(path).root for _, path in target.tags))


def _by_literal(patterns: Sequence[Pattern]) -> dict[str, list[int]]:
    literals: dict[str, list[int]] = {}
    for number, pattern in enumerate(patterns):
        if pattern.literal is not None:
            literals.setdefault(pattern.literal, []).append(number)
    return literals
