from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from recording import Recording


@pytest.fixture
def record() -> Iterator[Callable[..., Recording]]:
    """Starts recordings of named libraries, which end with the test."""
    started: list[Recording] = []

    def start(*libraries: str, **settings: Any) -> Recording:
        started.append(Recording(*libraries, **settings))
        return started[-1]

    yield start
    for recording in reversed(started):
        recording.stop()


@pytest.fixture(scope="session")
def echo() -> Iterator[str]:
    """The address of a server that answers with the headers it was sent."""
    from upstream import upstream

    with upstream() as address:
        yield address
