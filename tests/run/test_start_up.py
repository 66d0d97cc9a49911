"""What a start imports before the user's first line, when nothing has changed since the last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autotrace.runtime import Runtime
from autotrace.store.read import StoreReader

from .program import environment, run, spans, write

TRACING = """
service_name = "shop"
[[services]]
at = "shop"
tags = { kind = "order['type']" }
[sampler]
rate = 1.0
[[sampler.endpoints]]
endpoint = "GET /health*"
rate = 0
"""
SHOP = "def buy(order):\n    return 42\n"
MODULES = "import sys\nprint(*sys.modules)\n"

HEAVY = frozenset(
    (
        *("pydantic", "pydantic_core", "annotated_types", "tomli", "wrapt", "opentelemetry", "typing_extensions"),
        *("asyncio", "ast", "dataclasses", "difflib", "importlib.abc", "importlib.metadata", "inspect", "json"),
        *("logging", "pathlib", "random", "socket", "sqlite3", "ssl", "tempfile", "threading", "urllib.parse"),
        *("autotrace.config.load", "autotrace.config.model", "autotrace.plan.compilation", "autotrace.plan.signature"),
        *("autotrace.conventions", "autotrace.export.pipeline", "autotrace.store.write", "autotrace.hook.compile"),
    )
)


def modules(folder: Path, *words: str, **extra: str) -> set[str]:
    """The modules that the program sees at its first line, without those that `python` itself has loaded."""
    plain = subprocess.run(
        [sys.executable, "-c", MODULES], env=environment(), cwd=folder, capture_output=True, text=True, check=True
    )
    outcome = run(folder, *words, PYTHONDONTWRITEBYTECODE="", **extra)
    assert outcome.returncode == 0, outcome.stderr
    return set(outcome.stdout.split()) - set(plain.stdout.split())


@pytest.mark.parametrize("words", [("app.py",), ("-c", MODULES), ("-m", "app")])
def test_a_start_with_a_plan_in_the_cache_imports_nothing_heavy(tmp_path: Path, words: tuple[str, ...]) -> None:
    write(tmp_path, app=MODULES, shop=SHOP, tracing=TRACING)
    assert "pydantic" in modules(tmp_path, *words)
    assert not modules(tmp_path, *words) & HEAVY


def test_a_start_without_a_config_imports_nothing_heavy(tmp_path: Path) -> None:
    assert not modules(tmp_path, "-c", MODULES) & HEAVY


def test_tracing_that_is_off_loads_no_tracer(tmp_path: Path) -> None:
    write(tmp_path, tracing=TRACING)
    loaded = modules(tmp_path, "-c", MODULES, AUTOTRACE="off")
    assert not {name for name in loaded if name.startswith(("autotrace.runtime", "autotrace.span", "autotrace.plan"))}


def test_a_start_from_the_cache_traces_what_the_first_traced(tmp_path: Path) -> None:
    write(tmp_path, app="import shop\nshop.buy({'type': 'book'})\n", shop=SHOP, tracing=TRACING)
    for _ in range(2):
        assert run(tmp_path, "app.py", PYTHONDONTWRITEBYTECODE="").stderr == ""
        assert [(span["name"], span["attributes"].get("kind")) for span in spans(tmp_path)] == [("buy", "book")]
        (tmp_path / ".autotrace/traces.db").unlink()
    assert list((tmp_path / ".autotrace/plan").iterdir())
    assert (tmp_path / ".autotrace").stat().st_mode & 0o777 == 0o700


def test_a_program_without_a_span_leaves_its_row(tmp_path: Path) -> None:
    write(tmp_path, tracing=TRACING)
    run(tmp_path, "-c", "pass")
    with StoreReader(tmp_path / ".autotrace/traces.db") as reader:
        assert [(one.service, one.spans, len(one.unmatched)) for one in reader.runs()] == [("shop", 0, 1)]


def test_the_late_imports_are_all_named() -> None:
    """They are imported at once where the program has modules of its own by these names."""
    program = (
        "import sys; from autotrace.cli import main; from autotrace import installation; before = set(sys.modules)\n"
        "from autotrace.conventions import load_all; load_all()\n"
        "import autotrace.export.process, autotrace.export.jaeger, autotrace.export.otlp_exporter, autotrace.hook.compile\n"
        "import autotrace.plan.compilation\n"
        "late = {name.partition('.')[0] for name in set(sys.modules) - before if 'pydantic' not in name}\n"
        "kept = {n for n in late if n in sys.stdlib_module_names and not n.startswith('_')}\n"
        "print(*(n for n in kept if getattr(sys.modules[n].__spec__, 'origin', '') not in ('built-in', 'frozen')))\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=True
    )
    assert set(outcome.stdout.split()) <= set(Runtime.late_imports)


@pytest.mark.parametrize("name", ["json", "sqlite3", "pathlib", "datetime"])
def test_a_program_with_a_module_by_a_name_of_the_standard_library_is_traced(tmp_path: Path, name: str) -> None:
    write(tmp_path, app=f"import shop, {name}\nprint(shop.buy(1), {name}.OWN)\n", shop=SHOP, tracing=TRACING)
    (tmp_path / f"{name}.py").write_text("OWN = 'own'\n")
    for _ in range(2):
        outcome = run(tmp_path, "app.py", PYTHONDONTWRITEBYTECODE="")
        assert (outcome.stdout, outcome.stderr) == ("42 own\n", "")
    (tmp_path / f"{name}.py").unlink()
    assert [span["name"] for span in spans(tmp_path)] == ["buy"]
