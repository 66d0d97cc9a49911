"""What cannot be woven runs plain: one function where that is known, else its module, and it is said."""

from __future__ import annotations

import sys
import textwrap

import pytest

from autotrace.hook.compile import compile_woven
from autotrace.hook.woven import Choice


def everything(qualname, parameters):
    return Choice(0)


def nested_blocks(depth):
    lines = ["def deep():"]
    lines += ["    " * (n + 1) + "for _ in range(1):" for n in range(depth)]
    return "\n".join([*lines, "    " * (depth + 1) + "pass", "    return 'deep'"])


def deepest():
    """How many blocks this interpreter allows in each other."""
    depth = 19
    while True:
        try:
            compile(nested_blocks(depth + 1), "deep.py", "exec")
        except SyntaxError:
            return depth
        depth += 1


def test_a_function_with_too_many_blocks_falls_back_alone(traced):
    source = nested_blocks(deepest()) + "\n\ndef shallow():\n    return deep()\n"
    program = traced("deep", "shallow")
    shop = program.load(source)
    assert shop.shallow() == "deep"
    assert program.tree() == "shallow\n  deep"
    compiled = compile_woven(source, "shop.py", everything)
    assert [(name, "nested blocks" in reason) for name, reason in compiled.failed] == [("deep", True)]
    assert [record.qualname for record in compiled.woven] == ["shallow"]


def test_a_long_sum_works(traced):
    program = traced("total", "other")
    shop = program.load("def total(a):\n    return " + "+".join(["a"] * 900) + "\n\ndef other(): return 1\n")
    assert (shop.total(2), shop.other()) == (1800, 1)


def test_a_long_sum_that_cannot_be_woven_falls_back_with_its_module():
    source = "def total(a):\n    return " + "+".join(["a"] * 900) + "\n"
    limit = sys.getrecursionlimit()
    compiled = compile_woven(source, "shop.py", everything)
    assert compiled.woven or compiled.failed
    assert sys.getrecursionlimit() == limit


def test_a_chain_of_elifs_works(traced):
    program = traced("choose")
    chain = "".join(f"    elif a == {n}:\n        return {n}\n" for n in range(1, 900))
    assert program.load(f"def choose(a):\n    if a == 0:\n        return 0\n{chain}").choose(899) == 899


def test_a_syntax_error_is_the_users_own(traced):
    program = traced("*")
    program.write("shop", "def broken(:\n")
    with pytest.raises(SyntaxError) as caught:
        __import__("shop")
    program.write("plain", "def broken(:\n")
    with pytest.raises(SyntaxError) as untraced:
        __import__("plain")
    assert [caught.value.msg, caught.value.lineno, caught.value.offset] == (
        [untraced.value.msg, untraced.value.lineno, untraced.value.offset]
    )
    assert len(caught.traceback) == len(untraced.traceback) == 1


def test_an_import_that_fails_shows_no_frame_of_ours(traced):
    program = traced("shop:*", "plain_parent:*")
    program.write("shop", "def f(): pass\nraise RuntimeError('user')\n")
    with pytest.raises(RuntimeError, match="user") as caught:
        __import__("shop")
    assert not [
        entry for entry in caught.traceback if "autotrace" in str(entry.path) and "tests" not in str(entry.path)
    ]
    assert "shop" not in sys.modules


@pytest.mark.parametrize(
    "decorator", ["njit", "numba.njit", "numba.jit(nopython=True)", "cuda.jit", "triton.jit", "torch.jit.script"]
)
def test_functions_that_a_compiler_reads_are_left_alone(traced, how, decorator):
    program = traced("kernel", "plain", how=how)
    shop = program.load(f"""
        class Dispatcher:
            __module__ = "numba.core.registry"
            def __getattr__(self, name): return self
            def __call__(self, function=None, **options):
                if not callable(function): return self if options else function + 1
                self.code = function.__code__
                return self
        numba = njit = cuda = triton = torch = Dispatcher()

        @{decorator}
        def kernel(a): return a + 1

        def plain(a): return kernel(a)
        """)
    assert shop.plain(1) == 2
    assert program.tree() == "plain"
    assert type(shop.kernel) is shop.Dispatcher
    assert all(isinstance(constant, int | None) for constant in shop.kernel.code.co_consts)
    assert "compiled by numba" in program.problem()


def test_a_source_with_every_statement_compiles(traced):
    source = textwrap.dedent("""
        import asyncio

        async def everything(a, *b, c=1, **d):
            '''Doc.'''
            global counter
            counter = 0
            def inner():
                nonlocal a
                a = 2
            inner()
            async with asyncio.Lock() as lock, asyncio.Lock():
                pass
            async def rows():
                yield 1
            async for row in rows():
                counter += row
            else:
                counter += 1
            match a:
                case 2 if c: counter += 1
                case [x, *y]: pass
                case {"k": v, **rest}: pass
                case _: pass
            assert counter == 3
            del b
            try:
                raise ValueError
            except (KeyError, ValueError) as error:
                counter += 1
            return counter, [x async for x in rows()], (lambda: a)(), f"{a!r:>{c}}", (z := 3)
        """)
    program = traced("*", "*.*")
    import asyncio

    assert asyncio.run(program.load(source).everything(1)) == (4, [1], 2, "2", 3)
    assert program.tree() == "everything\n  everything.inner\n  everything.rows\n  everything.rows"


def test_source_in_another_encoding_is_read_as_declared(traced):
    program = traced("name")
    path = program.write("shop", "")
    path.write_bytes("# -*- coding: latin-1 -*-\ndef name():\n    return 'é'\n".encode("latin-1"))
    assert __import__("shop").name() == "é"
    path = program.write("bom", "")
    path.write_bytes(b"\xef\xbb\xbfdef name():\r\n    return 'x'\r\n")
    assert __import__("bom").name() == "x"
    assert program.tree() == "name"


def test_recursion_as_deep_as_three_hundred_works(traced, how):
    program = traced("fact", how=how)
    shop = program.load("def fact(n):\n    return 1 if n == 0 else n * fact(n - 1)\n")
    import math

    assert shop.fact(300) == math.factorial(300)
    assert len(program.spans) == 301


def test_a_recursion_error_of_the_user_arrives(traced, how):
    program = traced("endless", how=how)
    shop = program.load("def endless(n):\n    return endless(n + 1)\n")
    with pytest.raises(RecursionError):
        shop.endless(0)
    from woven import current

    assert current() is None
    assert shop.__name__ == "shop"
    with pytest.raises(RecursionError):
        shop.endless(0)
