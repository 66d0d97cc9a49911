"""The span of a generator is current while it runs, not while it is suspended, and ends once."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import sys
import traceback

import pytest
from woven import attributes, current, status, target

SOURCE = """
    import contextlib
    from woven import current

    log = []

    def numbers(n):
        try:
            for i in range(n):
                got = yield (i, current())
                log.append((got, current()))
        except KeyError:
            log.append(("caught", current()))
            yield "recovered"
        finally:
            log.append(("finally", current()))
        return "done"

    def outer(n):
        result = yield from numbers(n)
        log.append((result, current()))
        return result

    def helper():
        return current()

    def calls():
        yield helper()
        yield helper()

    @contextlib.contextmanager
    def managed(fails=False):
        log.append(("enter", current()))
        try:
            yield current()
        except ValueError as error:
            log.append(("error", str(error), current()))
        log.append(("exit", current()))

    def caller():
        yield from (("step", value) for value in numbers(2))

    def driver_of(function, *arguments):
        return function(*arguments)
    """


@pytest.fixture
def shop(traced, how):
    program = traced("numbers", "outer", "helper", "calls", "managed", how=how)
    module = program.load(SOURCE)
    module.program = program
    return module


def test_a_generator_that_never_starts_has_no_span(shop):
    generator = shop.numbers(3)
    assert inspect.getgeneratorstate(generator) == inspect.GEN_CREATED
    generator.close()
    assert inspect.getgeneratorstate(generator) == inspect.GEN_CLOSED
    del generator
    shop.numbers(1)
    gc.collect()
    assert (shop.program.tree(), shop.log) == ("", [])


def test_a_generator_that_never_starts_raises_what_is_thrown_in(shop):
    generator = shop.numbers(3)
    error = KeyError("unstarted")
    with pytest.raises(KeyError) as caught:
        generator.throw(error)
    assert caught.value is error
    assert list(generator) == []
    assert (current(), shop.log) == (None, [])


def test_the_span_is_current_in_the_body_and_not_at_the_caller(shop):
    generator = shop.numbers(2)
    assert next(generator) == (0, "numbers")
    assert current() is None
    assert next(generator) == (1, "numbers")
    assert current() is None
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert (stop.value.value, current()) == ("done", None)
    assert shop.log == [(None, "numbers"), (None, "numbers"), ("finally", "numbers")]
    assert (shop.program.tree(), status(shop.program.span("numbers"))) == ("numbers", "unset")


def test_send_reaches_the_body(shop):
    generator = shop.numbers(2)
    next(generator)
    assert generator.send("x") == (1, "numbers")
    assert (shop.log, current()) == ([("x", "numbers")], None)


def test_send_of_a_value_to_an_unstarted_generator_is_refused(shop):
    with pytest.raises(TypeError, match="just-started generator"):
        shop.numbers(1).send("x")
    assert current() is None


def test_throw_that_the_body_recovers_from(shop):
    generator = shop.numbers(2)
    next(generator)
    assert generator.throw(KeyError("x")) == "recovered"
    assert current() is None
    assert list(generator) == []
    assert shop.log == [("caught", "numbers"), ("finally", "numbers")]
    assert shop.program.tree() == "numbers"


def test_throw_that_the_body_lets_pass(shop):
    generator = shop.numbers(2)
    next(generator)
    error = ValueError("x")
    with pytest.raises(ValueError, match="x") as caught:
        generator.throw(error)
    assert caught.value is error
    assert (error.__context__, error.__cause__) == (None, None)
    assert (shop.log, current()) == ([("finally", "numbers")], None)
    assert shop.program.tree() == "numbers!"


def test_close_runs_finally_with_the_span_current(shop):
    generator = shop.numbers(2)
    next(generator)
    assert generator.close() is None
    assert (shop.log, current()) == ([("finally", "numbers")], None)
    assert (shop.program.tree(), inspect.getgeneratorstate(generator)) == ("numbers", inspect.GEN_CLOSED)


def test_collection_ends_the_span(shop):
    generator = shop.numbers(2)
    next(generator)
    del generator
    gc.collect()
    assert (shop.log, current(), shop.program.tree()) == ([("finally", "numbers")], None, "numbers")


def test_a_traced_generator_delegates_to_a_traced_one(shop):
    generator = shop.outer(1)
    assert next(generator) == (0, "numbers")
    assert current() is None
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "done"
    assert shop.log[-1] == ("done", "outer")
    assert shop.program.tree() == "outer\n  numbers"


def test_throw_through_delegation(shop):
    generator = shop.outer(3)
    next(generator)
    assert generator.throw(KeyError()) == "recovered"
    generator.close()
    assert shop.log == [("caught", "numbers"), ("finally", "numbers")]
    assert shop.program.tree() == "outer\n  numbers"


def test_an_untraced_generator_delegates_to_a_traced_one(shop):
    assert list(shop.caller()) == [("step", (0, "numbers")), ("step", (1, "numbers"))]
    assert shop.program.tree() == "numbers"


def test_calls_in_the_body_are_children(shop):
    assert list(shop.calls()) == ["helper", "helper"]
    assert shop.program.tree() == "calls\n  helper\n  helper"


def test_interleaved_generators_keep_their_own_spans(shop):
    assert list(zip(shop.calls(), shop.calls(), strict=True)) == [("helper", "helper")] * 2
    assert shop.program.tree() == "calls\n  helper\n  helper\ncalls\n  helper\n  helper"


def test_a_context_manager_made_of_a_generator(traced):
    # Patched, the name stands for what `contextmanager` made, which returns before the body starts.
    program = traced("managed")
    shop = program.load(SOURCE)
    with shop.managed() as inside:
        assert (inside, current()) == ("managed", None)
    with shop.managed():
        raise ValueError("swallowed")
    with pytest.raises(KeyError), shop.managed():
        raise KeyError("passes")
    assert shop.log == [
        ("enter", "managed"),
        ("exit", "managed"),
        ("enter", "managed"),
        ("error", "swallowed", "managed"),
        ("exit", "managed"),
        ("enter", "managed"),
    ]
    assert program.tree() == "managed\nmanaged\nmanaged!"


def test_stop_iteration_inside_a_with_of_a_generator_arrives(shop):
    error = StopIteration("x")
    with pytest.raises(StopIteration) as caught, shop.managed():
        raise error
    assert caught.value is error


def test_the_state_of_a_generator_can_be_asked(shop):
    generator = shop.numbers(1)
    assert inspect.isgenerator(generator)
    next(generator)
    assert inspect.getgeneratorstate(generator) == inspect.GEN_SUSPENDED
    assert (generator.__name__, generator.__qualname__) == ("numbers", "numbers")
    list(generator)
    assert inspect.getgeneratorstate(generator) == inspect.GEN_CLOSED


def test_reentering_a_running_generator_is_refused(traced, how):
    program = traced("numbers", how=how)
    shop = program.load("""
        def numbers():
            yield 1
            yield next(me)
        me = None
        """)
    shop.me = generator = shop.numbers()
    next(generator)
    with pytest.raises(ValueError, match="already executing"):
        next(generator)
    assert current() is None


def test_super_and_class_work_in_a_generator(traced, how):
    program = traced("Shop.rows", "Base.rows", how=how)
    shop = program.load("""
        class Base:
            def rows(self):
                yield 1

        class Shop(Base):
            __secret = 2
            def rows(self):
                yield from super().rows()
                yield self.__secret, __class__.__name__
        """)
    assert list(shop.Shop().rows()) == [1, (2, "Shop")]
    assert program.tree() == "Shop.rows\n  Base.rows"


def test_a_generator_calls_itself_by_its_name(traced, how):
    program = traced("walk", how=how)
    shop = program.load("""
        def walk(tree):
            for item in tree:
                if isinstance(item, list):
                    yield from walk(item)
                else:
                    yield item
        """)
    assert list(shop.walk([1, [2, [3]], 4])) == [1, 2, 3, 4]
    assert program.tree() == "walk\n  walk\n    walk"


def test_closures_defaults_and_deletions_work_in_a_generator(traced, how):
    program = traced("make.each", "spend", how=how)
    shop = program.load("""
        def make(n):
            def each(a, b=2, *rest, c=3, **more):
                nonlocal n
                n += 1
                yield n, a, b, rest, c, more
            return each, lambda: n

        def spend(a):
            b = a
            del a
            try:
                yield a
            except UnboundLocalError as error:
                yield type(error), b
        """)
    each, n = shop.make(1)
    assert list(each(1)) == [(2, 1, 2, (), 3, {})]
    assert list(each(1, 5, 6, c=7, d=8)) == [(3, 1, 5, (6,), 7, {"d": 8})]
    assert n() == 3
    assert list(shop.spend(1)) == [(UnboundLocalError, 1)]


def test_an_exception_of_the_body_is_as_untraced(traced, how):
    source = """
        def rows():
            yield 1
            try:
                raise KeyError("inner")
            except KeyError:
                raise ValueError("outer")
        """
    program = traced("rows", how=how)
    shop, plain = program.load(source), program.load(source, "plain")
    for module in (shop, plain):
        with pytest.raises(ValueError, match="outer") as caught:
            list(module.rows())
        error = caught.value
        assert isinstance(error.__context__, KeyError)
        assert error.__context__.__context__ is None
        assert error.__cause__ is None


@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 raises again with the frames it has passed")
def test_a_traceback_through_a_woven_generator_has_only_the_users_frames(traced):
    source = """
        def fail():
            raise ValueError("x")

        def rows():
            yield 1
            fail()

        def outer():
            yield from rows()

        def run():
            for row in outer(): pass
        """
    program = traced("rows", "outer")

    def frames(module):
        try:
            module.run()
        except ValueError as error:
            return [(frame.name, frame.lineno, frame.line) for frame in traceback.extract_tb(error.__traceback__)[1:]]

    assert frames(program.load(source)) == frames(program.load(source, "plain"))


def test_the_end_of_a_generator_is_no_error(traced, how):
    program = traced("rows", how=how)
    shop = program.load("def rows():\n    yield 1\n    raise StopIteration(3)\n")
    with pytest.raises(RuntimeError, match="generator raised StopIteration"):
        list(shop.rows())
    assert program.tree() == "rows!"


def test_tags_of_a_generator_are_its_arguments(traced, how):
    program = traced(target("rows", tags=(("n", "n"),)), how=how)
    shop = program.load("def rows(n):\n    n = n + 1\n    yield n\n")
    assert list(shop.rows(3)) == [4]
    assert attributes(program.span("rows")) == {"n": 3}


def test_a_generator_started_in_one_context_and_closed_in_another(shop):
    async def start():
        generator = shop.numbers(3)
        next(generator)
        return generator

    async def main():
        generator = await asyncio.create_task(start())
        await asyncio.create_task(stop(generator))
        return current()

    async def stop(generator):
        generator.close()
        assert current() is None

    assert asyncio.run(main()) is None
    assert shop.program.tree() == "numbers"


def test_an_exit_stack_of_traced_context_managers(shop):
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(shop.managed())
            assert current() is None
    assert shop.program.tree() == "managed\nmanaged\nmanaged"
