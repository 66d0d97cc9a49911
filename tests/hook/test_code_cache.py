"""Woven code is kept between runs as Python keeps its own."""

from __future__ import annotations

import importlib
import sys

import pytest
from woven import target

from autotrace.hook import compile as compiling

SOURCE = "def create(order):\n    return order\n\ndef rows():\n    yield 1\n"


@pytest.fixture
def compilations(monkeypatch):
    """How often source was really compiled."""
    counted = []
    real = compiling.compile_woven

    def count(source, *more, **options):
        counted.append(source)
        return real(source, *more, **options)

    monkeypatch.setattr(compiling, "compile_woven", count)
    return counted


def run(traced, tmp_path, source=SOURCE, *targets):
    program = traced(*(targets or ("create", "rows")), cache=tmp_path / "code")
    sys.modules.pop("shop", None)
    shop = program.load(source)
    result = shop.create({"id": 3}), list(shop.rows())
    sys.meta_path.remove(program.finder)
    sys.meta_path.append(program.finder)
    return result, program.tree()


def test_the_second_load_is_from_the_cache_and_gives_the_same(traced, tmp_path, compilations, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    first = run(traced, tmp_path)
    second = run(traced, tmp_path)
    assert first == second == (({"id": 3}, [1]), "create\nrows")
    assert len(compilations) == 1


def test_nothing_is_written_where_python_may_not_write(traced, tmp_path, compilations, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    run(traced, tmp_path)
    run(traced, tmp_path)
    assert len(compilations) == 2
    assert not (tmp_path / "code").exists()


def test_changed_source_is_compiled_anew(traced, tmp_path, compilations, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    run(traced, tmp_path)
    result, _ = run(traced, tmp_path, SOURCE.replace("return order", "return [order]"))
    assert result == ([{"id": 3}], [1])
    assert len(compilations) == 2


def test_changed_targets_are_compiled_anew(traced, tmp_path, compilations, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    run(traced, tmp_path)
    _, tree = run(traced, tmp_path, SOURCE, target("create", tags=(("id", "order['id']"),)))
    assert tree == "create"
    assert len(compilations) == 2


@pytest.mark.parametrize("damage", [b"", b"x", b"\xe3"])
def test_a_damaged_file_is_compiled_anew(traced, tmp_path, compilations, monkeypatch, damage):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    first = run(traced, tmp_path)
    (file,) = (tmp_path / "code").iterdir()
    file.write_bytes(damage)
    assert run(traced, tmp_path) == first
    assert len(compilations) == 2


def test_a_truncated_file_is_compiled_anew(traced, tmp_path, compilations, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    first = run(traced, tmp_path)
    (file,) = (tmp_path / "code").iterdir()
    whole = file.read_bytes()
    for length in range(1, len(whole), 97):
        file.write_bytes(whole[:length])
        assert run(traced, tmp_path) == first


def test_a_folder_that_cannot_be_written_changes_nothing(traced, tmp_path, compilations, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "code").write_text("a file is in the way")
    assert run(traced, tmp_path) == run(traced, tmp_path)
    assert len(compilations) == 2


def test_plain_python_finds_no_woven_code_after_a_traced_run(traced, tmp_path, child, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    run(traced, tmp_path)
    assert not list(tmp_path.glob("__pycache__/shop*.pyc"))
    printed = child("import shop; print(shop.create.__code__.co_consts, shop.__cached__ is not None)")
    assert printed == f"{compile(SOURCE, 'x', 'exec').co_consts[0].co_consts} True\n"
    importlib.invalidate_caches()


def test_functions_moved_by_the_cache_keep_their_positions(traced, tmp_path, compilations, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    source = SOURCE + "\ndef fails():\n    a = 1\n    return a / 0\n"
    run(traced, tmp_path, source, "create", "rows", "fails")
    run(traced, tmp_path, source, "create", "rows", "fails")
    with pytest.raises(ZeroDivisionError) as caught:
        sys.modules["shop"].fails()
    assert caught.traceback[-1].lineno == 8
