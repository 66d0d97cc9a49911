"""`[[processes]]`: one tracing.toml for several programs."""

from __future__ import annotations

from pathlib import Path

from tests.children.traced import python, recorded, traced, write

FILE = """\
service_name = "shop"

[[services]]
at = "orders"

[[processes]]
entry = "payments/*.py"
service_name = "payments"
services = [{ at = "__main__", methods = ["pay"] }]

[[processes]]
entry = "mailer"
service_name = "mail"

[processes.sampler]
type = "always_off"

[[processes]]
entry = "*.py"
service_name = "other"
"""
APP = "import orders\norders.order()\n"


def prepare(folder: Path) -> None:
    (folder / "payments").mkdir()
    write(folder, tracing=FILE, app=APP, mailer=APP, orders="def order():\n    pass\n")
    (folder / "payments" / "worker.py").write_text("def pay():\n    pass\ndef other():\n    pass\npay(), other()\n")


def test_the_first_entry_that_matches_a_script_wins(tmp_path: Path) -> None:
    prepare(tmp_path)
    traced(tmp_path, "payments/worker.py")
    assert [(one.name, one.service) for one in recorded(tmp_path)] == [("pay", "payments")]


def test_a_module_is_matched_by_its_name_and_a_table_of_the_entry_replaces_that_of_the_file(tmp_path: Path) -> None:
    prepare(tmp_path)
    traced(tmp_path, "-m", "mailer")
    assert recorded(tmp_path) == []


def test_a_program_without_an_entry_has_the_name_of_the_file(tmp_path: Path) -> None:
    prepare(tmp_path)
    traced(tmp_path, "-c", APP)
    assert [(one.name, one.service) for one in recorded(tmp_path)] == [("order", "shop")]


def test_an_option_or_a_variable_forces_one(tmp_path: Path) -> None:
    prepare(tmp_path)
    traced(tmp_path, "--process", "other", "-c", APP)
    traced(tmp_path, "-c", APP, AUTOTRACE_PROCESS="other")
    assert [one.service for one in recorded(tmp_path)] == ["other", "other"]


def test_a_name_that_no_entry_has_stops_the_program(tmp_path: Path) -> None:
    prepare(tmp_path)
    outcome = python(tmp_path, "-m", "autotrace", "--process", "paymets", "app.py")
    assert outcome.returncode == 2
    assert 'no process is named "paymets"; did you mean "payments"?' in outcome.stderr


def test_a_mistake_in_an_entry_has_its_place(tmp_path: Path) -> None:
    write(tmp_path, tracing='[[processes]]\nentry = "app.py"\n\n[processes.sampler]\nrat = 1.0\n', app="")
    outcome = python(tmp_path, "-m", "autotrace", "app.py")
    assert outcome.stderr.startswith('autotrace: tracing.toml:5:1: unknown key "rat" in [processes.sampler]')


def test_each_child_is_its_own_entry_of_the_file(tmp_path: Path) -> None:
    prepare(tmp_path)
    app = "import subprocess, sys\nsubprocess.run([sys.executable, 'payments/worker.py'])\n"
    write(tmp_path, app=app + APP)
    traced(tmp_path, "app.py")
    assert sorted((one.name, one.service) for one in recorded(tmp_path)) == [("order", "other"), ("pay", "payments")]
