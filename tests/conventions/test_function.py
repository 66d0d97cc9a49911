"""Plain functions in patch mode: one span a call, whatever their kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from recording import Recording, attributes, target

from autotrace.span.context import get_current

Record = Callable[..., Recording]


def traced(recording: Recording, function: Any, **settings: Any) -> Any:
    return recording.traced(function, target("shop:order", **settings))


TAGS = {"number": "number", "size": "options['size']", "answer": "result", "failure": "error.args"}


def test_tags_come_from_arguments_and_result(record: Record) -> None:
    def order(number: int, options: Any = None) -> str:
        return "done"

    recording = record()
    assert traced(recording, order, tags=TAGS)(7, options={"size": 3}) == "done"
    found = attributes(recording.only())
    assert (found["number"], found["size"], found["answer"]) == (7, 3, "done")


def test_a_method_is_tagged_by_what_it_is_bound_to(record: Record) -> None:
    recording = record()

    class Shop:
        def __init__(self) -> None:
            self.name = "hats"

        def order(self, number: int) -> int:
            return number

    Shop.order = traced(recording, Shop.order, tags={"shop": "self.name", "number": "number"})  # type: ignore[method-assign]
    assert Shop().order(7) == 7
    found = attributes(recording.only())
    assert (found["shop"], found["number"]) == ("hats", 7)


async def test_a_coroutine_function_is_a_span_while_it_is_awaited(record: Record) -> None:
    async def order(number: int) -> Any:
        return get_current()

    recording = record()
    function = traced(recording, order, tags=TAGS)
    assert inspect.iscoroutinefunction(function)
    waiting = function(7)
    assert recording.spans(0) == []
    assert await waiting is recording.only()
    assert attributes(recording.only())["number"] == 7


def test_wrong_arguments_of_a_coroutine_function_raise_at_the_call(record: Record) -> None:
    async def order(number: int) -> None:
        return None

    recording = record()
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        traced(recording, order)()


def test_a_generator_is_a_span_from_its_first_step_to_its_end(record: Record) -> None:
    def order(number: int) -> Iterator[Any]:
        yield get_current()
        yield get_current()

    recording = record()
    generator = traced(recording, order, tags=TAGS)(7)
    assert inspect.isgenerator(generator)
    assert generator.__name__ == "order"
    steps = []
    for step in generator:
        assert get_current() is None
        steps.append(step)
    assert steps == [recording.only()] * 2
    assert attributes(recording.only())["number"] == 7


def test_an_exception_leaves_untouched_and_is_recorded(record: Record) -> None:
    error = ValueError("no")

    def order() -> None:
        raise error

    recording = record()
    with pytest.raises(ValueError) as caught:
        traced(recording, order)()
    assert caught.value is error
    assert recording.only().details().status_message == "no"
