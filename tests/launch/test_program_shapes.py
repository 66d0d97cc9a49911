"""Every program shape ends under `python -m autotrace` as it ends under `python`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.launch.shapes import SHAPES, TRACINGS, Ending, run_shape

LAUNCHER = ("-m", "autotrace")

_plain_endings: dict[str, Ending] = {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shapes").resolve()


@pytest.mark.parametrize("tracing", TRACINGS)
@pytest.mark.parametrize("name", SHAPES)
def test_the_program_ends_as_under_python(name: str, tracing: str, folder: Path) -> None:
    work = folder / str(list(SHAPES).index(name))
    if name not in _plain_endings:
        _plain_endings[name] = run_shape(SHAPES[name], work)
    assert run_shape(SHAPES[name], work, LAUNCHER, tracing) == _plain_endings[name]
