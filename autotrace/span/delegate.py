"""`yield from` for asynchronous generators, which the language lacks: takes a driver, hands every step through to it.

It is text because woven code contains it and patched code calls it, and both must do the same.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, cast

# What is thrown in leaves its `except` before the loop goes on, or it would become the `__context__` of whatever the body
# raises next.
DELEGATE = """
async def delegate(driver):
    try:
        value = await driver.__anext__()
        while True:
            closing = thrown = None
            try:
                sent = yield value
            except GeneratorExit as error:
                closing = error
            except BaseException as error:
                thrown = error
            if closing is not None:
                await driver.aclose()
                raise closing
            if thrown is not None:
                value = await driver.athrow(thrown)
            else:
                value = await driver.asend(sent)
    except StopAsyncIteration:
        return
"""


def _function() -> Callable[[Any], AsyncGenerator[Any, Any]]:
    namespace: dict[str, Any] = {}
    exec(compile(DELEGATE, __file__, "exec"), namespace)
    return cast("Callable[[Any], AsyncGenerator[Any, Any]]", namespace["delegate"])


delegate = _function()
