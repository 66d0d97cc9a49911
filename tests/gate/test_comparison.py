"""The gate's own judgement: what counts as a difference, and how it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.comparison import Deviation, compare, read_deviations
from gate.suite import Observation

PASSED = Observation(("passed in call",), "", ())
FAILED = Observation(("failed in call",), "", ())


def deviation(test: str) -> Deviation:
    return Deviation("attrs", test, "the wrapper adds a frame", "R33")


def test_equal_runs_have_no_difference() -> None:
    assert compare({"one": PASSED, "two": FAILED}, {"one": PASSED, "two": FAILED}, []) == []


def test_a_new_failure_is_told_with_both_outcomes() -> None:
    (told,) = compare({"one": PASSED}, {"one": FAILED}, [])
    assert told == "one\n  outcome: passed in call untraced, failed in call traced"


def test_a_test_that_is_missing_is_a_difference() -> None:
    (told,) = compare({"one": PASSED}, {}, [])
    assert told == "one\n  outcome: passed in call untraced, not run traced"


def test_what_a_test_prints_is_compared_line_by_line() -> None:
    traced = Observation(("passed in call",), "hello\nautotrace: oops", ())
    (told,) = compare({"one": Observation(("passed in call",), "hello", ())}, {"one": traced}, [])
    assert "    +autotrace: oops" in told.splitlines()


def test_a_warning_from_another_line_is_a_difference() -> None:
    before, after = (Observation(("passed in call",), "", (f"a.py:{line}: UserWarning",)) for line in (1, 2))
    (told,) = compare({"one": before}, {"one": after}, [])
    assert told.splitlines()[-2:] == ["    -a.py:1: UserWarning", "    +a.py:2: UserWarning"]


def test_a_written_deviation_is_no_difference() -> None:
    assert compare({"one": PASSED}, {"one": FAILED}, [deviation("one")]) == []


def test_a_vanished_deviation_is_told_with_its_reason() -> None:
    (told,) = compare({"one": PASSED}, {"one": PASSED}, [deviation("one")])
    assert told == "one\n  is as untraced, but stands in deviations.toml (R33: the wrapper adds a frame)"


def test_deviations_are_read_for_one_suite_and_one_way_of_tracing(tmp_path: Path) -> None:
    file = tmp_path / "deviations.toml"
    entry = '[[deviations]]\nsuite = "attrs"\ntest = "one"\nreason = "a frame"\nhazard = "R33"\n'
    file.write_text(entry + entry.replace("one", "two") + 'how = "patch"\n', encoding="utf-8")
    assert [found.test for found in read_deviations(file, "attrs")] == ["one"]
    assert [found.test for found in read_deviations(file, "attrs", "patch")] == ["two"]
    assert read_deviations(file, "structlog") == []


def test_a_deviation_without_a_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "deviations.toml"
    file.write_text('[[deviations]]\nsuite = "attrs"\ntest = "one"\nhazard = "R33"\n', encoding="utf-8")
    with pytest.raises(TypeError, match="reason"):
        read_deviations(file, "attrs")
