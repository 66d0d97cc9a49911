"""The architecture as a test: the import contracts of pyproject.toml, and how large a file may be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "autotrace"


def test_imports_run_one_way() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_only_the_finder_touches_the_meta_path() -> None:
    users = {path.name for path in PACKAGE.rglob("*.py") if "sys.meta_path" in path.read_text(encoding="utf-8")}
    assert users == {"finder.py"}


def test_no_module_is_named_for_what_it_is_not() -> None:
    vague = {"utils", "helpers", "common", "misc", "base"}
    assert not [path for path in PACKAGE.rglob("*.py") if path.stem in vague]


def test_every_module_says_what_goes_in_and_what_comes_out() -> None:
    silent = [path for path in PACKAGE.rglob("*.py") if not path.read_text(encoding="utf-8").startswith('"""')]
    assert not silent


def test_no_module_has_more_than_300_lines() -> None:
    long = [path for path in PACKAGE.rglob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > 300]
    assert not long
