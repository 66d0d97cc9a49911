"""Every program shape ends under `python -m autotrace` as it ends under `python`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.launch.shapes import DEVIATIONS, SHAPES, TRACINGS, Ending, run_shape

LAUNCHER = ("-m", "autotrace")
WORKERS = 3

Endings = dict[str, Ending]


def _cases() -> Iterator[object]:
    for name in SHAPES:
        for tracing in TRACINGS:
            reason = DEVIATIONS.get((name, tracing))
            marks = [pytest.mark.xfail(strict=True, reason=reason)] if reason else []
            yield pytest.param(name, tracing, id=f"{name}-{tracing}", marks=marks)


def _end(name: str, tracings: list[str], work: Path) -> Endings:
    """The endings of one shape, in one folder whose path they print; "" is python itself."""
    endings = {"": run_shape(SHAPES[name], work)}
    return endings | {tracing: run_shape(SHAPES[name], work, LAUNCHER, tracing) for tracing in tracings}


@pytest.fixture(scope="session")
def endings(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Endings]]]:
    """The endings of all shapes that this session tests; their processes run some at a time."""
    tracings: dict[str, list[str]] = {}
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.originalname == "test_the_program_ends_as_under_python":
            tracings.setdefault(item.callspec.params["name"], []).append(item.callspec.params["tracing"])
    folder = tmp_path_factory.mktemp("shapes").resolve()
    pool = ThreadPoolExecutor(WORKERS)
    try:
        yield {
            name: pool.submit(_end, name, wanted, folder / str(number))
            for number, (name, wanted) in enumerate(tracings.items())
        }
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("name", "tracing"), [*_cases()])
def test_the_program_ends_as_under_python(name: str, tracing: str, endings: dict[str, Future[Endings]]) -> None:
    found = endings[name].result()
    assert found[tracing] == found[""]


def test_every_deviation_is_one_of_a_shape() -> None:
    assert {name for name, _ in DEVIATIONS} <= set(SHAPES)
    assert {tracing for _, tracing in DEVIATIONS} <= set(TRACINGS)
