"""The servers of the orders example, each started once for all its tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import servers


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    # Not below pytest's own folder: the server runs as another user, and pytest closes that folder to others.
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with servers.postgresql(folder) as url:
            yield url


@pytest.fixture(scope="session")
def rabbitmq_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as url:
        yield url
