"""Traced functions can be pickled and copied as untraced ones (hazard R10)."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import textwrap
import types

import cloudpickle
import dill
import pytest

SOURCE = """
    import functools

    def create(n): return n + 1

    partial = functools.partial(create, 2)

    @functools.lru_cache
    def cached(n): return n * 2

    def rows(n):
        yield n

    async def waiting(n):
        return n

    class Shop:
        def __init__(self, n=1): self.n = n
        def __eq__(self, other): return vars(self) == vars(other)
        def method(self): return self.n
        @classmethod
        def build(cls): return cls(5)
        @staticmethod
        def check(n): return n
    """
NAMES = ("create", "partial", "cached", "Shop.build", "Shop.check", "Shop.method", "rows", "waiting")
TARGETS = ("create", "cached", "rows", "waiting", "Shop.*")


def find(module, path):
    value = module
    for name in path.split("."):
        value = getattr(value, name)
    return value


@pytest.fixture
def shop(traced, how):
    return traced(*TARGETS, how=how).load(SOURCE)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "copied",
    [
        *(pytest.param(lambda f, p=p: pickle.loads(pickle.dumps(f, p)), id=f"pickle{p}") for p in range(2, 6)),
        pytest.param(lambda f: pickle._loads(pickle._dumps(f)), id="pickle-in-python"),
        pytest.param(lambda f: cloudpickled(f), id="cloudpickle"),
        pytest.param(lambda f: dill.loads(dill.dumps(f)), id="dill"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deepcopy"),
    ],
)
def test_a_function_comes_back_as_untraced(shop, how, name, copied, monkeypatch):
    if (name, how) == ("partial", "patch"):
        pytest.skip("what took the function before it was patched holds one that its name no longer gives")
    plain = types.ModuleType("plain")
    monkeypatch.setitem(sys.modules, "plain", plain)
    exec(textwrap.dedent(SOURCE), vars(plain))
    theirs = copied(find(plain, name)) == find(plain, name)
    back = copied(find(shop, name))
    if theirs and name != "partial":
        assert back == find(shop, name) or "cloudpickled" in copied.__code__.co_names
    arguments = {"partial": (), "Shop.build": (), "Shop.method": (shop.Shop(1),)}.get(name, (1,))
    expected = {"create": 2, "partial": 3, "cached": 2, "Shop.build": shop.Shop(5), "Shop.check": 1, "Shop.method": 1}
    if name in expected:
        assert vars(back(*arguments)) == {"n": 5} if name == "Shop.build" else back(*arguments) == expected[name]


def cloudpickled(value):
    return cloudpickle.loads(cloudpickle.dumps(value))


@pytest.mark.parametrize(
    "copied",
    [
        lambda value: pickle.loads(pickle.dumps(value)),
        lambda value: cloudpickle.loads(cloudpickle.dumps(value)),
        lambda value: dill.loads(dill.dumps(value)),
        copy.deepcopy,
    ],
)
def test_a_bound_method_comes_back_with_its_instance(shop, copied):
    assert copied(shop.Shop(7).method)() == 7


def test_a_method_in_a_container_is_copied_deeply(shop):
    held = {"f": shop.create, "m": shop.Shop(3).method, "o": shop.Shop(4)}
    back = copy.deepcopy(held)
    assert back["f"] is held["f"]
    assert (back["m"](), back["o"]) == (3, shop.Shop(4))


@pytest.mark.parametrize("library", ["cloudpickle", "dill"])
def test_a_woven_function_pickled_by_value_runs_where_autotrace_is_not(traced, tmp_path, library):
    program = traced("create", "rows", "waiting", "arows", "Shop.method", "tagged")
    shop = program.load("""
        def create(n):
            return n + 1

        def rows(n):
            got = yield n
            try:
                yield got
            except KeyError:
                yield "caught"
            return n

        async def waiting(n):
            return n

        async def arows(n):
            yield n

        class Shop:
            def method(self, n): return super().__init__() or n

        def tagged(n): return [n]
        """)
    functions = [shop.create, shop.rows, shop.waiting, shop.arows, shop.tagged]
    if library == "cloudpickle":
        cloudpickle.register_pickle_by_value(shop)
        data = cloudpickle.dumps([*functions, shop.Shop])
        cloudpickle.unregister_pickle_by_value(shop)
    else:
        for one in (*functions, shop.Shop, shop.Shop.method):
            one.__module__ = "__main__"
        data = dill.dumps([*functions, shop.Shop], byref=False, recurse=True)
    (tmp_path / "data").write_bytes(data)
    script = textwrap.dedent(f"""
        import asyncio, sys, {library}
        sys.modules["autotrace"] = None
        create, rows, waiting, arows, tagged, Shop = {library}.load(open("data", "rb"))
        assert create(1) == 2
        g = rows(3)
        assert (next(g), g.send(4), g.throw(KeyError()), list(g)) == (3, 4, "caught", [])
        assert asyncio.run(waiting(5)) == 5
        async def main(): return [r async for r in arows(6)]
        assert asyncio.run(main()) == [6]
        assert (tagged(7), Shop().method(8)) == ([7], 8)
        assert not [name for name in sys.modules if name.startswith("autotrace.")]
        """)
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "script.py").write_text(script)
    if library == "dill":
        (tmp_path / "shop.py").rename(tmp_path / "hidden")
    done = subprocess.run(
        [sys.executable, "away/script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, env={}
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_traced_function_runs_in_a_spawned_pool(child, how, tmp_path):
    (tmp_path / "shop.py").write_text(
        "def create(n):\n    return n + 1\n\nclass Shop:\n    def get(self, n): return n\n"
    )
    printed = child(f"""
        import multiprocessing, pathlib
        from concurrent.futures import ProcessPoolExecutor
        from woven import Program

        if __name__ == "__main__":
            with Program(pathlib.Path("."), ["create", "Shop.get"], "{how}") as program:
                import shop
                context = multiprocessing.get_context("spawn")
                with ProcessPoolExecutor(1, mp_context=context) as pool:
                    print(pool.submit(shop.create, 1).result(), pool.submit(shop.Shop().get, 5).result())
                    print(list(pool.map(shop.create, [1, 2])))
        """)
    assert printed == "2 5\n[2, 3]\n"
