"""Asynchronous generators: as generators, and closed from another task, too."""

from __future__ import annotations

import asyncio
import gc
import inspect
import sys
import traceback

import pytest
from woven import current

SOURCE = """
    import asyncio
    import contextlib
    from woven import current

    log = []

    async def rows(n):
        try:
            for i in range(n):
                got = yield (i, current())
                log.append((got, current()))
                await asyncio.sleep(0)
        except KeyError:
            log.append(("caught", current()))
            yield "recovered"
        finally:
            await asyncio.sleep(0)
            log.append(("finally", current()))

    async def helper():
        await asyncio.sleep(0)
        return current()

    async def calls():
        yield await helper()
        yield await helper()

    @contextlib.asynccontextmanager
    async def managed():
        try:
            yield current()
        except ValueError:
            log.append(("error", current()))
        log.append(("exit", current()))
    """


@pytest.fixture
def shop(traced, how):
    program = traced("rows", "helper", "calls", "managed", how=how)
    module = program.load(SOURCE)
    module.program = program
    return module


async def test_one_that_never_starts_has_no_span(shop):
    generator = shop.rows(3)
    assert inspect.isasyncgen(generator)
    await generator.aclose()
    assert (shop.program.tree(), shop.log) == ("", [])


async def test_the_span_is_current_in_the_body_and_not_at_the_caller(shop):
    seen = []
    async for row in shop.rows(2):
        seen.append((row, current()))
    assert seen == [((0, "rows"), None), ((1, "rows"), None)]
    assert shop.log == [(None, "rows"), (None, "rows"), ("finally", "rows")]
    assert shop.program.tree() == "rows"


async def test_asend_reaches_the_body(shop):
    generator = shop.rows(2)
    await generator.asend(None)
    assert await generator.asend("x") == (1, "rows")
    assert (shop.log, current()) == ([("x", "rows")], None)
    await generator.aclose()


async def test_athrow_that_the_body_recovers_from(shop):
    generator = shop.rows(2)
    await generator.__anext__()
    assert await generator.athrow(KeyError("x")) == "recovered"
    assert current() is None
    with pytest.raises(StopAsyncIteration):
        await generator.__anext__()
    assert shop.log == [("caught", "rows"), ("finally", "rows")]
    assert shop.program.tree() == "rows"


async def test_athrow_that_the_body_lets_pass(shop):
    generator = shop.rows(2)
    await generator.__anext__()
    error = ValueError("x")
    with pytest.raises(ValueError, match="x") as caught:
        await generator.athrow(error)
    assert caught.value is error
    assert (error.__context__, error.__cause__, current()) == (None, None, None)
    assert shop.program.tree() == "rows!"


async def test_athrow_into_one_that_has_not_started(shop):
    error = ValueError("x")
    with pytest.raises(ValueError, match="x") as caught:
        await shop.rows(1).athrow(error)
    assert caught.value is error
    assert current() is None


async def test_aclose_runs_finally_with_the_span_current(shop):
    generator = shop.rows(2)
    await generator.__anext__()
    await generator.aclose()
    assert (shop.log, current(), shop.program.tree()) == ([("finally", "rows")], None, "rows")


async def test_aclose_from_another_task(shop):
    generator = shop.rows(2)
    await generator.__anext__()

    async def close():
        await generator.aclose()
        return current()

    assert await asyncio.create_task(close()) is None
    assert (shop.log, current(), shop.program.tree()) == ([("finally", "rows")], None, "rows")


def test_an_early_break_ends_the_span_when_the_loop_ends(shop):
    async def main():
        async for row in shop.rows(3):
            assert row == (0, "rows")
            break
        gc.collect()
        for _ in range(5):
            await asyncio.sleep(0)
        assert current() is None

    asyncio.run(main())
    assert (shop.log, shop.program.tree()) == ([("finally", "rows")], "rows")


async def test_collection_ends_the_span(shop):
    generator = shop.rows(3)
    await generator.__anext__()
    del generator
    gc.collect()
    for _ in range(5):
        await asyncio.sleep(0)
    assert (shop.log, shop.program.tree()) == ([("finally", "rows")], "rows")


async def test_calls_in_the_body_are_children(shop):
    assert [row async for row in shop.calls()] == ["helper", "helper"]
    assert shop.program.tree() == "calls\n  helper\n  helper"


async def test_an_async_context_manager_made_of_one(shop, how):
    if how == "patch":
        pytest.skip("a patched name is what the decorator made of the generator: only its making is traced")
    async with shop.managed() as inside:
        assert (inside, current()) == ("managed", None)
    async with shop.managed():
        raise ValueError
    with pytest.raises(KeyError):
        async with shop.managed():
            raise KeyError
    assert shop.log == [("exit", "managed"), ("error", "managed"), ("exit", "managed")]
    assert shop.program.tree() == "managed\nmanaged\nmanaged!"


async def test_cancellation_inside_the_body_is_no_error(traced):
    program = traced("rows")
    shop = program.load("""
        import asyncio
        async def rows():
            yield 1
            await asyncio.sleep(60)
        """)

    async def consume():
        async for _ in shop.rows():
            pass

    task = asyncio.create_task(consume())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert program.tree() == "rows"


async def test_an_exception_of_the_body_is_as_untraced(traced):
    source = """
        async def rows():
            try:
                yield 1
            except KeyError:
                raise ValueError("outer")
        """
    program = traced("rows")
    for module in (program.load(source), program.load(source, "plain")):
        generator = module.rows()
        await generator.__anext__()
        with pytest.raises(ValueError, match="outer") as caught:
            await generator.athrow(KeyError("inner"))
        error = caught.value
        assert isinstance(error.__context__, KeyError)
        assert (error.__context__.__context__, error.__cause__) == (None, None)


async def test_an_exception_while_another_is_handled_has_that_as_its_context(traced):
    source = """
        async def rows():
            yield 1
            raise ValueError("body")
        """
    program = traced("rows")
    contexts = []
    for module in (program.load(source), program.load(source, "plain")):
        generator = module.rows()
        await generator.__anext__()
        try:
            raise KeyError("caller")
        except KeyError:
            with pytest.raises(ValueError, match="body") as caught:
                await generator.__anext__()
        contexts.append(repr(caught.value.__context__))
    assert contexts[0] == contexts[1]


async def test_super_and_recursion(traced):
    program = traced("Shop.rows", "Base.rows", "walk")
    shop = program.load("""
        class Base:
            async def rows(self):
                yield 1

        class Shop(Base):
            async def rows(self):
                async for row in super().rows():
                    yield row + 1

        async def walk(n):
            yield n
            if n:
                async for one in walk(n - 1):
                    yield one
        """)
    assert [row async for row in shop.Shop().rows()] == [2]
    assert [n async for n in shop.walk(2)] == [2, 1, 0]
    assert program.tree() == "Shop.rows\n  Base.rows\nwalk\n  walk\n    walk"


async def test_two_at_once_keep_their_own_spans(shop):
    async def consume():
        return [row async for row in shop.calls()]

    assert await asyncio.gather(*(consume() for _ in range(10))) == [["helper", "helper"]] * 10
    assert shop.program.tree() == "\n".join(["calls\n  helper\n  helper"] * 10)


async def test_one_step_moved_to_another_task_each_time(shop):
    generator = shop.calls()
    results = []
    for _ in range(2):

        async def step():
            return await generator.__anext__()

        results.append(await asyncio.create_task(step()))
    with pytest.raises(StopAsyncIteration):
        await generator.__anext__()
    assert (results, shop.program.tree()) == (["helper", "helper"], "calls\n  helper\n  helper")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 raises again with the frames it has passed")
async def test_a_traceback_has_only_the_users_frames(traced):
    source = """
        async def rows():
            yield 1
            raise ValueError("x")

        async def run():
            async for row in rows(): pass
        """
    program = traced("rows")

    async def frames(module):
        try:
            await module.run()
        except ValueError as error:
            return [(frame.name, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)[1:]]

    assert await frames(program.load(source)) == await frames(program.load(source, "plain"))


async def test_the_states_that_can_be_asked(shop):
    generator = shop.rows(1)
    assert (generator.__name__, generator.ag_running) == ("rows", False)
    await generator.__anext__()
    assert generator.ag_running is False
    await generator.aclose()
