"""The servers of the orders example, each started once for all its tests."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from . import servers


@pytest.fixture
def postgresql_url(postgresql_server: str) -> str:
    """A database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return postgresql_server.rpartition("/")[0] + "/" + name


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
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
