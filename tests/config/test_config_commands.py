"""`autotrace check`, `schema` and `init`."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrace.cli import init
from autotrace.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AUTOTRACE_CONFIG", raising=False)
    return tmp_path


def test_check_says_that_a_file_is_right(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "tracing.toml").write_text('service_name = "a"\n')
    assert main(["check"]) == 0
    assert capsys.readouterr() == ("tracing.toml: no mistakes\n", "")


def test_check_prints_every_mistake_and_returns_two(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "app.py").write_text("def sell(item): ...\n")
    (folder / "other.toml").write_text('[[services]]\nat = "app:sell"\ntags = { a = "itm", b = "f()" }\n')
    assert main(["check", "other.toml"]) == 2
    assert capsys.readouterr() == (
        "",
        'other.toml:3:14: path "itm" names no parameter of sell(item); did you mean "item"?\n'
        'other.toml:3:27: "f()" is no path: a call is not for paths; '
        "write a parameter, self, result or error with .attribute, ['key'] or [0], or a constant in quotes\n",
    )


def test_check_without_a_file_names_init(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 2
    assert "`autotrace init`" in capsys.readouterr().err


def test_schema_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out.startswith('{\n  "$schema"')


def test_init_names_what_it_finds_and_passes_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "app.py").write_text("class Shop:\n    def sell(self): ...\n\ndef main(): ...\n")
    (folder / "test_app.py").write_text("def test_x(): ...\n")
    (folder / "broken.py").write_text("def (\n")
    assert main(["init"]) == 0
    written = (folder / "tracing.toml").read_text()
    assert [line for line in written.splitlines() if line.startswith("at ")] == ['at = "app"', 'at = "app:Shop"']
    assert main(["check"]) == 0


def test_init_in_an_empty_folder_passes_check(folder: Path) -> None:
    assert main(["init"]) == 0
    assert main(["check"]) == 0


def test_init_never_overwrites(folder: Path) -> None:
    (folder / init.FILE).write_text("# mine\n")
    assert main(["init"]) == 2
    assert (folder / init.FILE).read_text() == "# mine\n"
