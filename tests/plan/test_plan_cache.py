"""The plan of an earlier start: read while nothing has changed, else made anew."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from autotrace.plan import cache
from autotrace.plan.cache import Circumstances, PlanCache
from autotrace.plan.compilation import compile_file
from autotrace.plan.plan import Plan

SHOP = "def buy(order): pass\n"
CONFIG = """
resource = { "deployment.environment" = "${TIER:-test}" }
[[services]]
at = "shop"
tags = { kind = "order['type']" }
[sampler]
rate = 0.5
[[sampler.endpoints]]
endpoint = "GET /health*"
slower_than = "1s"
[[exporters]]
type = "jaeger"
endpoint = "http://user:${PASSWORD}@jaeger:14268/api/traces"
[[exporters]]
type = "sqlite"
"""


class Start(NamedTuple):
    """What a start got, and whether an earlier one had made it."""

    plan: Plan
    is_cached: bool


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setenv("PASSWORD", "swordfish")
    monkeypatch.delenv("TIER", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "shop.py").write_text(SHOP)
    (tmp_path / "tracing.toml").write_text(CONFIG)
    return tmp_path


def start(folder: Path, **changed: object) -> Start:
    circumstances = Circumstances(
        str(folder / "tracing.toml"),
        "app",
        str(folder),
        (("__main__",), ""),
        (str(folder / "src"), str(folder / "lib")),
    )._replace(**changed)
    own = PlanCache(str(folder / ".autotrace/plan"), circumstances, lambda place: os.makedirs(place, exist_ok=True))
    plan = own.load()
    if plan is not None:
        return Start(plan, True)
    made = compile_file(circumstances)
    own.save(*made)
    return Start(made.plan, False)


def kept(folder: Path) -> Path:
    (file,) = (folder / ".autotrace/plan").iterdir()
    return file


def test_a_second_start_reads_the_plan_of_the_first(folder: Path) -> None:
    first, second = start(folder), start(folder)
    assert (first.is_cached, second.is_cached) == (False, True)
    assert second.plan == first.plan
    assert repr(second.plan) == repr(first.plan)
    assert second.plan.exporters[0].endpoint == "http://user:swordfish@jaeger:14268/api/traces"


def test_the_file_is_for_its_owner_only_and_holds_no_value_of_a_variable(folder: Path) -> None:
    start(folder)
    content = kept(folder).read_bytes()
    assert kept(folder).stat().st_mode & 0o777 == 0o600
    assert b"${PASSWORD}" in content
    assert b"swordfish" not in content


def edit_config(folder: Path) -> None:
    (folder / "tracing.toml").write_text(CONFIG + "# more\n")


def edit_source(folder: Path) -> None:
    (folder / "lib/shop.py").write_text(SHOP + "\ndef sell(order): pass\n")


def hide_source(folder: Path) -> None:
    (folder / "src/shop.py").write_text(SHOP)


def damage(folder: Path) -> None:
    content = bytearray(kept(folder).read_bytes())
    content[-3] ^= 1
    kept(folder).write_bytes(content)


def cut(folder: Path) -> None:
    kept(folder).write_bytes(kept(folder).read_bytes()[:-9])


def empty(folder: Path) -> None:
    kept(folder).write_bytes(b"")


def open_to_others(folder: Path) -> None:
    kept(folder).chmod(0o644)


@pytest.mark.parametrize("change", [edit_config, edit_source, hide_source, damage, cut, empty, open_to_others])
def test_what_has_changed_is_compiled_again_and_then_kept(folder: Path, change: Callable[[Path], None]) -> None:
    start(folder)
    change(folder)
    assert [start(folder).is_cached, start(folder).is_cached] == [False, True]


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [(cache, "__version__", "99"), (sys, "version", "3.99"), (sys, "prefix", "/another"), (cache, "_FORMAT", 99)],
)
def test_another_version_or_interpreter_compiles_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: object, name: str, value: object
) -> None:
    start(folder)
    monkeypatch.setattr(place, name, value)
    assert not start(folder).is_cached


@pytest.mark.parametrize(("name", "value"), [("PASSWORD", "sesame"), ("PASSWORD", ""), ("TIER", "live")])
def test_a_variable_that_the_file_names_compiles_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    before = start(folder).plan
    monkeypatch.setenv(name, value)
    after = start(folder)
    assert not after.is_cached
    assert after.plan != before


def test_any_other_variable_does_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start(folder)
    monkeypatch.setenv("ANOTHER", "value")
    assert start(folder).is_cached


@pytest.mark.parametrize(
    "changed",
    [{"service_name": "other"}, {"directory": "/"}, {"program": ("worker",)}, {"path": ()}, {"process": None}],
)
def test_a_plan_is_that_of_one_program(folder: Path, changed: dict[str, object]) -> None:
    start(folder)
    assert start(folder, **changed).is_cached is (changed == {"process": None})


def test_a_source_that_appears_is_checked(folder: Path) -> None:
    (folder / "lib/shop.py").unlink()
    start(folder)
    assert start(folder).is_cached
    edit_source(folder)
    assert not start(folder).is_cached


def test_a_variable_in_a_text_that_is_taken_apart_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "shop")
    (folder / "tracing.toml").write_text('[[services]]\nat = "${PLACE}:buy"\n')
    assert [start(folder).is_cached, start(folder).is_cached] == [False, False]


def test_a_variable_behind_an_escape_keeps_nothing(folder: Path) -> None:
    (folder / "tracing.toml").write_text('service_name = "\\u0024{PASSWORD}"\n[[services]]\nat = "shop"\n')
    assert start(folder).plan.service_name == "swordfish"
    assert not start(folder).is_cached


def test_nothing_is_kept_where_python_keeps_no_byte_code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert [start(folder).is_cached, start(folder).is_cached] == [False, False]
    assert not (folder / ".autotrace").exists()


def test_a_folder_that_cannot_be_made_is_no_reason_to_fail(folder: Path) -> None:
    (folder / ".autotrace").write_text("a file")
    assert [start(folder).is_cached, start(folder).is_cached] == [False, False]


def test_a_config_with_a_mistake_is_never_kept(folder: Path) -> None:
    (folder / "tracing.toml").write_text("[[services]]\nat = 3\n")
    for _ in range(2):
        with pytest.raises(Exception, match=r"tracing\.toml:2"):
            start(folder)
    assert not (folder / ".autotrace").exists()
