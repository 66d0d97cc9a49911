"""Woven code has the positions of its source: for tracebacks, for debuggers, for coverage."""

from __future__ import annotations

import inspect
import itertools
import sys
import traceback

import pytest

SOURCE = '''
    """Module."""
    import contextlib


    def straight(a):
        """Documentation."""
        b = a + 1
        c = (
            b
            + 2
        )
        return c


    def branches(a):
        total = 0
        for i in range(a):
            if i % 2:
                total += i
            else:
                total -= 1
                continue
        while total > 2:
            total -= 1
            if total == 5:
                break
        return total


    def falls(a):
        if a:
            pass


    def catches(a):
        try:
            if a:
                raise KeyError(a)
            b = 1
        except KeyError:
            b = 2
        finally:
            c = 3
        return b + c


    def withs(a):
        with contextlib.nullcontext(a) as b:
            c = b
        with contextlib.suppress(ValueError):
            int("x")
        return c


    def one_line(a): return a


    def rows(a):
        b = a
        yield b
        yield b + 1
        return b


    async def waits(a):
        b = a
        return b


    def nested(a):
        def inner(b):
            return b + a

        class Local:
            def method(self):
                return inner(1)

        return Local().method()


    def empty(a): """Only documentation."""


    def lambdas(a):
        return [x for x in map(lambda y: y + a, range(2))]


    def fails(a):
        b = [
            1,
            a / 0,
        ]
        return b
    '''
ALL = ("*", "*.*", "*.*.*")
STRAIGHT = ["straight", "branches", "falls", "catches", "withs", "one_line", "nested", "empty", "lambdas"]


def events_of(module, run):
    """The line and return events of the frames of one module."""
    events = []

    def trace(frame, event, argument):
        if frame.f_code.co_filename != module.__file__:
            return None
        if event in ("line", "return", "call", "exception"):
            assert frame.f_lineno is not None
            events.append((frame.f_code.co_name, event, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return events


@pytest.mark.parametrize("argument", [0, 1, 9])
@pytest.mark.parametrize("name", STRAIGHT)
def test_a_debugger_sees_the_lines_it_would_see_untraced(traced, name, argument):
    program = traced(*ALL)
    shop, plain = program.load(SOURCE), program.load(SOURCE, "plain")
    ours, theirs = (
        events_of(module, lambda module=module: getattr(module, name)(argument)) for module in (shop, plain)
    )
    assert program.spans
    leaving = [event for event in _leaving(ours) if event not in theirs]
    assert [event for event in ours if event[1] != "return" and event not in leaving] == (
        [event for event in theirs if event[1] != "return"]
    )


def _leaving(events):
    """Where it cannot be known which line leaves (branches meet, an exception passes), it is that of the `def`."""
    return [
        (name, "line", line)
        for (name, event, line), following in itertools.pairwise(events)
        if event == "line"
        and following == (name, "return", line)
        and SOURCE.splitlines()[line - 1].lstrip().startswith("def")
    ]


def test_every_line_that_runs_untraced_runs_traced(traced):
    program = traced(*ALL)
    shop, plain = program.load(SOURCE), program.load(SOURCE, "plain")
    covered = []
    for module in (shop, plain):

        def run(module=module):
            for name in STRAIGHT:
                for argument in (0, 1, 9):
                    getattr(module, name)(argument)
            list(module.rows(1))

        covered.append({line for _, event, line in events_of(module, run) if event == "line"})
    definitions = {number for number, line in enumerate(SOURCE.splitlines(), 1) if "def " in line}
    assert covered[1] - covered[0] == set()
    assert covered[0] - covered[1] <= definitions


def test_a_traceback_is_as_untraced(traced):
    program = traced(*ALL)

    def text(module):
        try:
            module.fails(1)
        except ZeroDivisionError:
            return "".join(traceback.format_exc().splitlines(keepends=True)[2:]).replace("plain.py", "shop.py")

    shop, plain = text(program.load(SOURCE)), text(program.load(SOURCE, "plain"))
    assert shop == plain
    assert "in fails\n    a / 0," in shop


@pytest.mark.skipif(sys.version_info < (3, 11), reason="positions came with 3.11")
def test_positions_lie_within_the_source(traced):
    program = traced(*ALL)
    shop = program.load(SOURCE)
    last = len(SOURCE.splitlines())
    for name in (*STRAIGHT, "rows", "waits", "fails"):
        for start, end, column, end_column in _positions(getattr(shop, name).__code__):
            assert start is None or 1 <= start <= last
            assert end is None or start is None or start <= end <= last
            assert column is None or (end_column is not None and column >= 0)


def _positions(code):
    yield from code.co_positions()
    for constant in code.co_consts:
        if hasattr(constant, "co_positions"):
            yield from _positions(constant)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="positions came with 3.11")
def test_the_code_has_the_lines_it_would_have_untraced(traced):
    program = traced(*ALL)
    shop, plain = program.load(SOURCE), program.load(SOURCE, "plain")
    for name in (*STRAIGHT, "waits", "fails"):
        ours = {line for line, *_ in getattr(shop, name).__code__.co_positions()}
        theirs = {line for line, *_ in getattr(plain, name).__code__.co_positions()}
        assert theirs - ours <= {None}
        assert ours - theirs <= {None}


def test_code_that_is_far_down_a_file_keeps_its_lines(traced):
    source = "\n" * 70000 + "def fails():\n" + "    pass\n" * 300 + "    raise ValueError\n"
    program = traced("fails")
    shop = program.load(source)
    with pytest.raises(ValueError) as caught:
        shop.fails()
    assert caught.traceback[-1].lineno == 70301
    assert shop.fails.__code__.co_firstlineno == 70001


def test_a_file_with_more_lines_than_python_310_can_skip_works(traced):
    program = traced("name")
    assert program.load("\n" * 0x20000 + "def name():\n    return 1\n").name() == 1


def test_the_first_line_of_a_decorated_function_is_as_untraced(traced):
    source = """
        import functools

        @functools.lru_cache
        @functools.lru_cache(
            maxsize=3
        )
        def cached(a):
            return a

        @functools.lru_cache
        def rows(a):
            yield a
        """
    program = traced(*ALL)
    shop, plain = program.load(source), program.load(source, "plain")
    for name in ("cached", "rows"):
        ours, theirs = getattr(shop, name), getattr(plain, name)
        assert inspect.unwrap(ours).__code__.co_firstlineno == inspect.unwrap(theirs).__code__.co_firstlineno


def test_the_value_of_a_frames_line_is_right_while_a_generator_is_suspended(traced):
    program = traced("rows")
    source = "def rows():\n    yield 1\n    yield 2\n"
    shop = program.load(source)
    generator = shop.rows()
    next(generator)
    assert generator.gi_frame is not None
    assert generator.gi_frame.f_code.co_filename == shop.__file__
