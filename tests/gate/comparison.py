"""What tracing changed: takes the observations of two runs and the written deviations, gives the differences in words."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli

from gate.suite import Observation

NOTHING = Observation((), "", ())


@dataclass(frozen=True, slots=True)
class Deviation:
    """A test that is known to come out differently, why, and which hazard of the project's list it is."""

    suite: str
    test: str
    reason: str
    hazard: str
    how: str = "weave"


def read_deviations(file: Path, suite: str, how: str = "weave") -> list[Deviation]:
    """The entries of `deviations.toml` for one suite; a missing or unknown key raises TypeError."""
    entries = tomli.loads(file.read_text(encoding="utf-8")).get("deviations", [])
    deviations = [Deviation(**entry) for entry in entries]
    return [deviation for deviation in deviations if (deviation.suite, deviation.how) == (suite, how)]


def compare(
    untraced: Mapping[str, Observation], traced: Mapping[str, Observation], deviations: Sequence[Deviation]
) -> list[str]:
    """One paragraph for each test that is neither equal nor a written deviation, and for each deviation that is gone."""
    expected = {deviation.test: deviation for deviation in deviations}
    different = [test for test in sorted({*untraced, *traced}) if untraced.get(test) != traced.get(test)]
    new = [
        _describe(test, untraced.get(test, NOTHING), traced.get(test, NOTHING))
        for test in different
        if test not in expected
    ]
    gone = [
        f"{test}\n  is as untraced, but stands in deviations.toml ({expected[test].hazard}: {expected[test].reason})"
        for test in sorted(expected.keys() - set(different))
    ]
    return new + gone


def _describe(test: str, untraced: Observation, traced: Observation) -> str:
    lines = [test]
    if untraced.outcome != traced.outcome:
        lines.append(f"  outcome: {_words(untraced.outcome)} untraced, {_words(traced.outcome)} traced")
    for name, before, after in (
        ("printed", untraced.printed.splitlines(), traced.printed.splitlines()),
        ("warned", list(untraced.warned), list(traced.warned)),
    ):
        if before != after:
            changes = difflib.unified_diff(before, after, "untraced", "traced", lineterm="", n=1)
            lines.append(f"  {name}:")
            lines.extend(f"    {line}" for line in changes)
    return "\n".join(lines)


def _words(outcome: tuple[str, ...]) -> str:
    return ", ".join(outcome) or "not run"
