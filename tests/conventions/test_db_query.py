"""`db.query` for a client of the user's own, by a command's name or by a statement."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from recording import Recording, attributes, target

Trace = Callable[..., Recording]


class Client:
    def fetch(self, statement: Any, *values: Any) -> int:
        return len(values)

    async def send(self, *words: str, **options: Any) -> str:
        return words[0]


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Recording]]:
    """Traces targets in this file, which they call `mydb`, until the test ends."""
    monkeypatch.setitem(sys.modules, "mydb", sys.modules[__name__])
    recording = Recording()

    def add(at: str, **fields: Any) -> Recording:
        recording.patch(target(f"mydb:{at}", "db.query", **fields))
        return recording

    yield add
    recording.stop()


def test_a_statement_is_named_and_recorded_without_its_values(trace: Trace) -> None:
    recording = trace("Client.fetch", system="mydb", query="statement", tags={"values": "values[0]", "count": "result"})
    assert Client().fetch("SELECT name FROM users WHERE id = 17", 1, 2) == 2
    span = recording.only()
    assert (span.kind, span.name) == ("client", "SELECT users")
    assert attributes(span) == {
        "db.system.name": "mydb",
        "db.query.text": "SELECT name FROM users WHERE id = ?",
        "db.operation.name": "SELECT",
        "db.collection.name": "users",
        "values": 1,
        "count": 2,
    }


@pytest.mark.parametrize("statement", [None, 17, object(), ""])
def test_what_is_no_statement_has_the_name_of_the_system(statement: Any, trace: Trace) -> None:
    recording = trace("Client.fetch", query="statement")
    Client().fetch(statement)
    assert recording.only().name == "mydb"


async def test_an_asynchronous_command_has_its_name(trace: Trace) -> None:
    recording = trace("Client.send", operation="words[0]", tags={"mode": "options['mode']"})
    assert await Client().send("put", "secret", mode="fast") == "put"
    assert recording.only().name == "PUT"
    assert attributes(recording.only()) == {"db.system.name": "mydb", "db.operation.name": "PUT", "mode": "fast"}


async def test_a_name_of_the_target_counts(trace: Trace) -> None:
    recording = trace("Client.send", operation="words[0]", span="cache")
    await Client().send("put")
    assert recording.only().name == "cache"
