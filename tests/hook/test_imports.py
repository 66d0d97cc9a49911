"""The import system shows of a traced module what it shows untraced, and no import fails because of us."""

from __future__ import annotations

import importlib
import importlib.resources
import importlib.util
import inspect
import linecache
import logging
import pkgutil
import sys
import types
import zipfile

import pytest
from woven import Program, target

SOURCE = "def create():\n    return 1\n\ndef helper():\n    return 2\n"


def test_the_spec_of_a_module_not_yet_imported_can_be_used(traced, how):
    program = traced("create", how=how)
    program.write("shop", SOURCE)
    spec = importlib.util.find_spec("shop")
    assert spec.origin == str(program.folder / "shop.py")
    assert spec.has_location
    loader = spec.loader
    assert loader.get_source("shop") == SOURCE
    assert loader.get_filename("shop") == spec.origin
    assert loader.get_data(spec.origin) == SOURCE.encode()
    assert loader.is_package("shop") is False
    assert isinstance(loader.get_code("shop"), types.CodeType)
    assert loader.path_stats(spec.origin)["size"] == len(SOURCE)
    assert "shop" not in sys.modules


def test_the_loader_of_an_imported_module_is_the_one_it_has_untraced(traced, how):
    program = traced("create", how=how)
    shop, plain = program.load(SOURCE), program.load(SOURCE, "plain")
    assert type(shop.__loader__) is type(plain.__loader__)
    assert type(shop.__spec__.loader) is type(plain.__spec__.loader)
    assert shop.__spec__.loader is shop.__loader__
    assert shop.__cached__.replace("shop", "plain") == plain.__cached__
    assert sorted(vars(shop)) == sorted(vars(plain))
    again = importlib.util.find_spec("shop")
    assert again is shop.__spec__


def test_the_module_sees_its_own_loader_while_it_runs(traced, how):
    source = "import importlib.machinery as m\nkind = type(__loader__), type(__spec__.loader)\ndef create(): pass\n"
    shop = traced("create", how=how).load(source)
    assert {kind.__name__ for kind in shop.kind} == {"SourceFileLoader"}


def test_source_and_resources_of_a_package_can_be_read(traced, how):
    program = traced("store.orders:create", "store:*", how=how)
    program.write("store.__init__", "def top(): pass\n")
    program.write("store.orders", SOURCE)
    (program.folder / "store" / "data.txt").write_text("data")
    import store.orders as orders

    linecache.checkcache()
    assert inspect.getsource(orders.create) == "def create():\n    return 1\n"
    assert inspect.getsource(orders) == SOURCE
    assert inspect.getsourcefile(orders.create) == orders.__file__
    assert pkgutil.get_data("store", "data.txt") == b"data"
    assert importlib.resources.files("store").joinpath("data.txt").read_text() == "data"
    assert [module.name for module in pkgutil.iter_modules(sys.modules["store"].__path__)] == ["orders"]
    assert orders.create() == 1
    assert program.tree() == "create"


def test_a_module_in_a_zip_file_is_traced(traced, how, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("zipped.py", SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path / "app.zip"))
    program = traced("zipped:create", how=how)
    zipped = importlib.import_module("zipped")
    try:
        assert zipped.create() == 1
        assert type(zipped.__loader__).__name__ == "zipimporter"
        assert zipped.__loader__.get_source("zipped") == SOURCE
    finally:
        del sys.modules["zipped"]
    assert program.tree() == "create"


def test_a_namespace_package_is_found(traced, how):
    program = traced("space.*:*", "space:*", how=how)
    program.write("space.inner", SOURCE)
    inner = importlib.import_module("space.inner")
    assert inner.create() == 1
    assert sys.modules["space"].__file__ is None
    del sys.modules["space"]
    assert program.tree() == "create"


def test_a_lazy_module_does_not_run_early(traced, how):
    program = traced("create", how=how)
    program.write("shop", "import sys\nsys.ran = True\n" + SOURCE)
    spec = importlib.util.find_spec("shop")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["shop"] = module
    spec.loader.exec_module(module)
    assert not hasattr(sys, "ran")
    try:
        assert module.create() == 1
        assert sys.ran
    finally:
        del sys.ran
    assert program.tree() == "create"


def test_a_finder_of_an_editable_install_still_finds(traced, how, tmp_path):
    (tmp_path / "src").mkdir()
    file = tmp_path / "src" / "edited.py"
    file.write_text(SOURCE)

    class EditableFinder:
        @classmethod
        def find_spec(cls, fullname, path=None, target=None):
            return importlib.util.spec_from_file_location(fullname, file) if fullname == "edited" else None

    program = traced("edited:create", how=how)
    sys.meta_path.append(EditableFinder)
    try:
        assert importlib.import_module("edited").create() == 1
    finally:
        sys.meta_path.remove(EditableFinder)
        sys.modules.pop("edited", None)
    assert program.tree() == "create"


def test_a_loader_that_rewrites_source_is_left_to_do_so(traced, tmp_path):
    """pytest's assertion rewriting and beartype are such loaders."""

    class Rewriting(importlib.machinery.SourceFileLoader):
        def source_to_code(self, data, path, *, _optimization=-1):
            return super().source_to_code(data.replace(b"return 1", b"return 'rewritten'"), path)

    class Finder:
        @classmethod
        def find_spec(cls, fullname, path=None, target=None):
            if fullname != "shop":
                return None
            file = str(tmp_path / "shop.py")
            return importlib.util.spec_from_file_location(fullname, file, loader=Rewriting(fullname, file))

    program = traced("create")
    program.write("shop", SOURCE)
    sys.meta_path.insert(0, Finder)
    try:
        shop = importlib.import_module("shop")
    finally:
        sys.meta_path.remove(Finder)
    assert shop.create() == "rewritten"
    # Our finder stood behind that one and never saw the module; before it, the module is patched.
    assert program.tree() == ""
    del sys.modules["shop"]
    sys.meta_path.insert(1, Finder)
    try:
        assert importlib.import_module("shop").create() == "rewritten"
    finally:
        sys.meta_path.remove(Finder)
    assert program.tree() == "create"


def test_pytest_rewrites_the_assertions_of_a_traced_module(child):
    printed = child(
        """
        import pathlib, sys
        from woven import Program
        pathlib.Path("test_sample.py").write_text("def helper(): return 1\\ndef test_it(): assert helper() == 2\\n")
        import pytest
        with Program(pathlib.Path("."), ["test_sample:helper"]) as program:
            code = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "test_sample.py"])
            print(int(code))
        """,
    )
    assert "assert 1 == 2" in printed
    assert printed.endswith("\n1\n")


def test_reload_and_import_again_trace_once(traced, how):
    program = traced("create", how=how)
    shop = program.load(SOURCE)
    shop.create()
    assert importlib.reload(shop) is shop
    shop.create()
    del sys.modules["shop"]
    again = importlib.import_module("shop")
    assert again is not shop
    again.create()
    assert program.tree() == "create\ncreate\ncreate"


def test_what_another_module_took_early_is_traced(traced, how):
    program = traced("shop:create", how=how)
    program.write("early", "from shop import create\ndef call(): return create()\n")
    program.load(SOURCE)
    early = importlib.import_module("early")
    early.call()
    assert program.tree() == "create"


def test_functions_of_modules_that_import_each_other_are_traced(traced, how):
    program = traced("first:create", how=how)
    program.write("first", "def create(): return 1\nimport second\n")
    program.write("second", "from first import create\ndef call(): return create()\n")
    importlib.import_module("first")
    assert sys.modules["second"].call() == 1
    assert program.tree() == "create"


def test_functions_registered_by_a_decorator_are_traced(traced):
    program = traced("create")
    shop = program.load("""
        routes = {}
        def route(function):
            routes["/"] = function
            return function
        @route
        def create(): return 1
        """)
    assert shop.routes["/"] is shop.create
    assert shop.routes["/"]() == 1
    assert program.tree() == "create"


@pytest.mark.parametrize(("at", "nearest"), [("craete", "create"), ("Shop.mehtod", "method"), ("Shpo.method", "Shop")])
def test_a_misspelt_target_is_reported_with_the_nearest_name(traced, how, at, nearest):
    program = traced(at, how=how)
    program.load(SOURCE + "class Shop:\n    def method(self): pass\n")
    assert f'did you mean "{nearest}"?' in program.problem()


def test_a_module_that_is_never_imported_is_reported(traced, how):
    program = traced("nowhere:create", how=how)
    assert [one.at for one, _ in program.matching.unmatched()] == ["nowhere:create"]


@pytest.mark.parametrize("name", ["constants", "wrapper"])
def test_a_failing_hook_does_not_break_the_import(traced, how, name, monkeypatch, caplog):
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    from autotrace import guard

    monkeypatch.setattr(guard, "failures", {})
    monkeypatch.setattr(guard, "is_ours", lambda error: True)
    program = traced("create", "helper", how=how)

    def broken(*arguments):
        raise ValueError("broken on purpose")

    monkeypatch.setattr(program, name, broken)
    with caplog.at_level(logging.WARNING):
        shop = program.load(SOURCE)
    assert (shop.create(), shop.helper()) == (1, 2)
    assert sys.modules["shop"] is shop


def test_one_target_that_fails_leaves_the_others_patched(traced, monkeypatch):
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    from autotrace import guard

    monkeypatch.setattr(guard, "is_ours", lambda error: True)
    monkeypatch.setattr(guard, "failures", {})
    program = traced("create", "helper", how="patch")
    real = program.wrapper

    def broken(one, module, qualname, original):
        if qualname == "create":
            raise ValueError("broken on purpose")
        return real(one, module, qualname, original)

    monkeypatch.setattr(program, "wrapper", broken)
    shop = program.load(SOURCE)
    assert (shop.create(), shop.helper()) == (1, 2)
    assert program.tree() == "helper"
    assert "broken on purpose" in program.problem()


def test_methods_of_immutable_types_are_diagnosed_in_a_line_and_the_rest_is_traced(traced, how):
    program = traced("create", how=how)
    import datetime
    import sqlite3

    problems = []
    for holder, name in ((sqlite3, "Connection.execute"), (datetime, "datetime.now")):
        problems.append(program.patcher.patch(holder, name, lambda original: lambda *call: None))
    for problem in problems:
        assert "cannot be replaced" in problem
        assert "immutable type" in problem
        assert "\n" not in problem
    assert program.load(SOURCE).create() == 1
    assert program.tree() == "create"


def test_what_is_no_function_is_diagnosed(traced, how):
    program = traced("limit", "Shop", how=how)
    program.load("limit = 3\nclass Shop: pass\n")
    assert [problem for _, problem in program.matching.unmatched()] == ["limit is no function", "Shop is no function"]


def test_modules_that_no_target_names_are_not_touched(traced, how):
    program = traced("shop:create", how=how)
    assert program.finder.find_spec("json", None) is None
    assert program.finder.find_spec("nowhere", None) is None


def test_a_module_that_replaces_itself_is_left_alone(traced, how):
    program = traced("create", how=how)
    shop = program.load("""
        import sys
        class Lazy:
            __name__ = "shop"
            def create(self): return 1
        def create(): return 2
        sys.modules[__name__] = Lazy()
        """)
    assert shop.create() == 1


def test_a_target_switched_off_is_not_traced(traced, how):
    program = traced(target("create", how="off"), "helper", how=how)
    shop = program.load(SOURCE)
    assert (shop.create(), shop.helper()) == (1, 2)
    assert program.tree() == "helper"


def test_two_tracings_at_once_do_not_disturb_each_other(traced, how, tmp_path):
    program = traced("create", how=how)
    with Program(tmp_path, ["helper"], how):
        shop = program.load(SOURCE)
        assert (shop.create(), shop.helper()) == (1, 2)


def test_a_module_woven_once_may_be_patched_when_it_is_imported_again(traced, tmp_path):
    first = traced("create")
    first.load(SOURCE).create()
    del sys.modules["shop"]
    with Program(tmp_path, ["create"], "patch") as second:
        importlib.import_module("shop").create()
        assert (first.tree(), second.tree()) == ("create", "create")
