"""The README is true: what it shows is run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from autotrace.config import model

from .program import ROOT, environment, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
SERVICE = """
class OrderService:
    def create_order(self, order_data): return {"id": 1}
    def cancel_order(self, order_data): return {"id": 1}
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """What stands after `$ ` in the README, without remarks."""
    shown = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    return [line.partition("#")[0].strip() for line in shown]


@pytest.mark.parametrize("text", blocks("toml"))
def test_a_file_of_the_readme_has_no_mistakes(text: str, tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "__init__.py").touch()
    (tmp_path / "orders" / "service.py").write_text(SERVICE)
    (tmp_path / "orders" / "pricing.py").write_text("def total(items): return 0\n")
    (tmp_path / "tracing.toml").write_text(text)
    outcome = run(tmp_path, "check")
    assert (outcome.returncode, outcome.stdout) == (0, "tracing.toml: no mistakes\n"), outcome.stderr


@pytest.mark.parametrize("text", blocks("python"))
def test_code_of_the_readme_runs(text: str, tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text(text)
    outcome = subprocess.run(
        [sys.executable, "-W", "error", "shown.py"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (0, "", "")


def test_the_decorated_class_of_the_readme_joins_its_message(tmp_path: Path) -> None:
    (shown,) = [text for text in blocks("python") if "class PaymentService" in text]
    call = 'PaymentService().handle_payment({"trace_id": "a" * 32, "span_id": "b" * 16})\n'
    (tmp_path / "app.py").write_text(f"{shown}\n\n{call}")
    assert run(tmp_path, "app.py").returncode == 0
    drawn = run(tmp_path, "show", "a" * 32, "--tags")
    assert "PaymentService" in drawn.stdout
    assert "payment_provider" in drawn.stdout


@pytest.mark.parametrize("command", [line for line in commands() if line.startswith("autotrace ")])
def test_a_command_of_the_readme_is_understood(command: str, tmp_path: Path) -> None:
    (tmp_path / "tracing.toml").touch()
    outcome = run(tmp_path, *command.split()[1:])
    assert "is not built yet" not in outcome.stderr + outcome.stdout
    assert "usage" not in outcome.stderr
    assert outcome.returncode in (0, 1)  # 1: there is no trace yet


def test_the_scripts_that_the_readme_runs_exist() -> None:
    scripts = [line.split()[1] for line in commands() if line.startswith("sh ")]
    assert scripts
    assert all((ROOT / script).is_file() for script in scripts)


def test_links_of_the_readme_lead_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert all((ROOT / target).exists() for target in targets)


def test_every_key_that_the_readme_names_exists() -> None:
    named = re.findall(r"`([a-z]+)\.([a-z_]+)(?: = \w+)?`", README)
    keys = [(section, key) for section, key in named if section in model.Config.model_fields]
    assert ("propagation", "database") in keys
    for section, key in keys:
        table = model.Config.model_fields[section].annotation
        assert key in getattr(table, "model_fields", ()), f"{section}.{key}"


@pytest.mark.parametrize("file", sorted((ROOT / "examples").rglob("*.toml")), ids=lambda path: path.parent.name)
def test_a_file_of_the_examples_has_no_mistakes(file: Path) -> None:
    outcome = run(file.parent, "check", file.name)
    assert (outcome.returncode, outcome.stdout) == (0, f"{file.name}: no mistakes\n"), outcome.stderr
