"""Paths against the functions they read, nothing of which is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotrace.config.load import load_file
from autotrace.errors import ConfigError
from autotrace.plan.signature import check_signatures, load_checked

SHOP = """\
raise SystemExit("imported")

class OrderService:
    def create_order(self, order_data): "\\d"
    async def cancel_order(self, order, *, reason, **rest): ...
    @staticmethod
    def price(amount, /, *parts): ...

def outer(a):
    def inner(b): ...
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (tmp_path / "pkg" / "shop.py").write_text(SHOP)
    return tmp_path


def mistakes_of(folder: Path, at: str, tag: str, entry: tuple[set[str], str] | None = None) -> list[str]:
    (folder / "tracing.toml").write_text(f'[[targets]]\nat = "{at}"\ntags = {{ t = "{tag}" }}\n')
    return [str(one) for one in check_signatures(load_file(folder / "tracing.toml"), entry, [str(folder)])]


def test_a_path_that_names_no_parameter_is_named_with_the_nearest_one(folder: Path) -> None:
    assert mistakes_of(folder, "pkg.shop:OrderService.create_order", "oder_data['type']") == [
        "tracing.toml:3:14: path \"oder_data['type']\" names no parameter of create_order(self, order_data); "
        'did you mean "order_data"?'
    ]


def test_a_path_without_a_near_name_says_what_there_is(folder: Path) -> None:
    assert mistakes_of(folder, "pkg.shop:OrderService.c*", "zzz") == [
        'tracing.toml:3:14: path "zzz" names no parameter of any of the 2 functions, such as '
        "create_order(self, order_data); start with a parameter, self, result or error"
    ]


@pytest.mark.parametrize(
    ("at", "tag"),
    [
        ("pkg.shop:OrderService.create_order", "order_data.x"),
        ("pkg.shop:OrderService.create_order", "self.x"),
        ("pkg.shop:OrderService.create_order", "result.id"),
        ("pkg.shop:OrderService.create_order", "error.args[0]"),
        ("pkg.shop:OrderService.create_order", "'word'"),
        ("pkg.shop:OrderService.*", "reason"),
        ("pkg.shop:OrderService.cancel_order", "rest['x']"),
        ("pkg.shop:OrderService.price", "amount"),
        ("pkg.shop:outer.inner", "b"),
        ("pkg.shop:OrderService.unknown", "x"),
        ("pkg.nowhere:f", "x"),
        ("nowhere.at.all:f", "x"),
        ("sys:exit", "x"),
        ("math:sqrt", "x"),
    ],
)
def test_a_path_that_names_a_parameter_or_cannot_be_checked_passes(folder: Path, at: str, tag: str) -> None:
    assert mistakes_of(folder, at, tag) == []


@pytest.mark.parametrize("name", ["__main__", "app"])
def test_the_entry_script_is_checked_by_each_of_its_names(folder: Path, name: str) -> None:
    script = folder / "scripts.d" / "app.py"
    script.parent.mkdir()
    script.write_text("def sell(item): ...\n")
    (message,) = mistakes_of(folder, f"{name}:sell", "itm", ({"__main__", "app"}, str(script)))
    assert message.endswith('path "itm" names no parameter of sell(item); did you mean "item"?')


def test_a_field_that_is_a_path_is_checked_and_a_word_is_not(folder: Path) -> None:
    (folder / "tracing.toml").write_text(
        '[[targets]]\nat = "pkg.shop:outer"\nas = "http.client"\nmethod = "b.method"\nsystem = "mybus"\n'
    )
    loaded = load_file(folder / "tracing.toml")
    assert [one.line for one in check_signatures(loaded, path=[str(folder)])] == [4]


def test_a_source_that_cannot_be_parsed_is_no_mistake_here(folder: Path) -> None:
    (folder / "pkg" / "shop.py").write_text("def f(:\n")
    assert mistakes_of(folder, "pkg.shop:f", "x") == []


def test_bad_paths_and_wrong_parameters_are_reported_together(folder: Path) -> None:
    (folder / "tracing.toml").write_text(
        '[[services]]\nat = "pkg.shop:outer"\ntags = { x = "c", y = "a()", z = "${NOT_SET}" }\n'
    )
    with pytest.raises(ConfigError) as caught:
        load_checked(folder / "tracing.toml", search_path=[str(folder)])
    assert [(one.line, one.column) for one in caught.value.mistakes] == [(3, 14), (3, 25), (3, 34)]
