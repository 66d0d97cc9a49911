"""Functions of libraries: what stands in their place is a plain function that cannot be told from them by what it takes."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from recording import Recording, attributes, target

Record = Callable[..., Recording]
PLACE = target("shop:send", "http.client", url="url")._replace(integration="shop")


def send(self: Any, url: str, /, size: int = 3, *rest: int, last: bool = False, **more: Any) -> Any:
    """Send it."""
    if size < 0:
        raise ValueError(size)
    return (self, url, size, rest, last, more)


async def ask(url: str, *, last: bool = False) -> Any:
    return (url, last)


@pytest.mark.parametrize("arguments", [((1, "a"), {}), ((1, "a", 2, 4, 5), {"last": True, "url": 2})])
def test_arguments_arrive_as_they_were_given(record: Record, arguments: Any) -> None:
    recording = record()
    args, kwargs = arguments
    assert recording.traced(send, PLACE)(*args, **kwargs) == send(*args, **kwargs)
    assert attributes(recording.only())["url.full"] == "a"


@pytest.mark.parametrize("look", [inspect.signature, inspect.getfullargspec, inspect.getsource, inspect.getdoc])
def test_what_is_asked_of_it_is_as_untraced(record: Record, look: Any) -> None:
    traced = record().traced(send, PLACE)
    assert look(traced) == look(send)
    assert (traced.__name__, traced.__qualname__, traced.__defaults__) == (send.__name__, "send", (3,))


async def test_a_coroutine_function_stays_one_and_refuses_wrong_arguments_at_the_call(record: Record) -> None:
    recording = record()
    traced = recording.traced(ask, PLACE)
    assert inspect.iscoroutinefunction(traced)
    with pytest.raises(TypeError, match="ask\\(\\) missing 1 required positional argument: 'url'"):
        traced()
    assert await traced("a", last=True) == ("a", True)
    assert recording.only().kind == "client"


def test_an_exception_shows_the_library_s_frames(record: Record) -> None:
    recording = record()
    with pytest.raises(ValueError) as caught:
        recording.traced(send, PLACE)(1, "a", -1)
    names = [frame.name for frame in traceback.extract_tb(caught.tb)]
    assert names[-1] == "send"
    assert recording.only().details().status == "error"


def test_a_function_of_another_signature_than_its_code_is_read_by_that_signature(record: Record) -> None:
    def outer(*args: Any, **kwargs: Any) -> Any:
        return send(*args, **kwargs)

    outer.__wrapped__ = send  # type: ignore[attr-defined]  # as functools.wraps does
    recording = record()
    assert recording.traced(outer, PLACE)(1, "a", 2) == send(1, "a", 2)
    assert attributes(recording.only())["url.full"] == "a"
