"""Which file a run finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autotrace.config import search


def find_config(explicit: str | None = None, **given: Any) -> Path | None:
    found = search.find_config(explicit, **given)
    return None if found is None else Path(found)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "app").mkdir()
    (tmp_path / "work" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work" / "deep")
    monkeypatch.delenv("AUTOTRACE_CONFIG", raising=False)
    return tmp_path


def put(path: Path, text: str = "") -> Path:
    path.write_text(text)
    return path


def test_the_option_wins_over_the_variable(folder: Path) -> None:
    environ = {"AUTOTRACE_CONFIG": "b.toml"}
    assert find_config("a.toml", environ=environ) == folder / "work/deep/a.toml"
    assert find_config(environ=environ) == folder / "work/deep/b.toml"


def test_the_folder_of_the_script_comes_before_the_working_folder(folder: Path) -> None:
    beside_script, here = put(folder / "app/tracing.toml"), put(folder / "work/tracing.toml")
    assert find_config(script=str(folder / "app/main.py")) == beside_script
    assert find_config() == here


def test_the_way_up_looks_into_the_folder_with_git_and_ends_there(folder: Path) -> None:
    top = put(folder / "tracing.toml")
    assert find_config() == top
    (folder / "work" / ".git").mkdir()
    assert find_config() is None


def test_the_way_up_ends_at_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder / "tracing.toml")
    monkeypatch.setenv("HOME", str(folder / "work"))
    assert find_config() is None


def test_the_way_up_does_not_leave_its_device(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder / "tracing.toml")
    monkeypatch.setattr(search, "_device", lambda place: 1 if place != str(folder) else 2)
    assert find_config() is None


def test_pyproject_counts_only_with_our_section(folder: Path) -> None:
    put(folder / "work/pyproject.toml", '[project]\ndependencies = ["autotrace-otel"]\n')
    assert find_config() is None
    found = put(folder / "work/pyproject.toml", "[tool.autotrace]\n")
    assert find_config() == found


def test_a_broken_pyproject_that_means_us_is_found(folder: Path) -> None:
    found = put(folder / "work/pyproject.toml", "[tool.autotrace]\nx = \n")
    assert find_config() == found


def test_tracing_toml_comes_before_pyproject(folder: Path) -> None:
    put(folder / "work/pyproject.toml", "[tool.autotrace]\n")
    found = put(folder / "work/tracing.toml")
    assert find_config() == found
