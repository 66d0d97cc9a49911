"""The servers of the orders example, each started once for all its tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from . import servers


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("postgresql")
    # The server runs as another user, who must be able to come down to its folder.
    for parent in list(folder.parents)[:3]:
        if parent.is_relative_to(tmp_path_factory.getbasetemp().parent.parent) and parent.owner() == folder.owner():
            parent.chmod(parent.stat().st_mode | 0o011)
    with servers.postgresql(folder) as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as url:
        yield url
