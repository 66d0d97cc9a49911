"""An ASGI application that is served, also where our own code fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from recording import Recording, attributes, target

from autotrace.span.context import get_current, set_current

Record = Callable[..., Recording]
TARGET = target("here:app", "http.server", protocol="asgi")
SCOPE = {"type": "http", "method": "GET", "path": "/orders", "headers": [], "query_string": b""}


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def fail(scope: Any, receive: Any, send: Any) -> None:
    raise KeyError("gone")


async def ignore(message: Any = None) -> None:
    return None


@pytest.fixture
def failing_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own code fails when it leaves a request, and in production that is swallowed."""
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    monkeypatch.setattr("autotrace.guard.failures", {})
    monkeypatch.setattr("autotrace.conventions.asgi.AsgiRequest.leave", None)


@pytest.mark.usefixtures("failing_end")
async def test_a_failure_of_ours_after_the_call_ends_the_request(record: Record) -> None:
    recording = record()
    outside = get_current()
    await recording.traced(answer, TARGET)(dict(SCOPE), ignore, ignore)
    set_current(outside)
    assert attributes(recording.only())["http.response.status_code"] == 200


@pytest.mark.usefixtures("failing_end")
async def test_an_exception_ends_the_request_where_our_own_code_fails(record: Record) -> None:
    recording = record()
    outside = get_current()
    with pytest.raises(KeyError):
        await recording.traced(fail, TARGET)(dict(SCOPE), ignore, ignore)
    set_current(outside)
    assert recording.only().root.error
