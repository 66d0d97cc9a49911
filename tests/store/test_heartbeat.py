"""Rows of the processes that share a budget, in a real store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from autotrace.errors import StoreError
from autotrace.store.write import StoreWriter

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[StoreWriter]:
    writer = StoreWriter(tmp_path / "traces.db")
    yield writer
    writer.close()


def rows(writer: StoreWriter) -> list[tuple[str, int, float]]:
    connection = sqlite3.connect(writer.path)
    try:
        return connection.execute("SELECT service, started_ns, roots FROM heartbeats ORDER BY 1, 2").fetchall()
    finally:
        connection.close()


def test_a_process_hears_how_many_share_a_budget_and_what_they_have_to_do(writer: StoreWriter) -> None:
    assert writer.beat(1, NOW, {"shop": 30.0}) == {"shop": (1, 30.0)}
    assert writer.beat(2, NOW, {"shop": 10.0}) == {"shop": (2, 40.0)}


def test_each_budget_is_one_of_its_own(writer: StoreWriter) -> None:
    writer.beat(1, NOW, {"shop": 30.0, "shop POST /pay": 2.0, "other": 7.0})
    assert writer.beat(2, NOW, {"shop": 10.0, "shop POST /pay": 1.0}) == {"shop": (2, 40.0), "shop POST /pay": (2, 3.0)}


def test_a_process_replaces_what_it_said_before(writer: StoreWriter) -> None:
    for second in range(100):
        writer.beat(1, NOW + second * SECOND, {"shop": float(second)})
    assert rows(writer) == [("shop", 1, 99.0)]


def test_who_has_said_nothing_for_four_seconds_is_gone_with_its_row(writer: StoreWriter) -> None:
    writer.beat(1, NOW, {"shop": 30.0})
    assert writer.beat(2, NOW + 4 * SECOND, {"shop": 10.0})["shop"][0] == 2
    assert writer.beat(2, NOW + 5 * SECOND, {"shop": 10.0}) == {"shop": (1, 10.0)}
    assert len(rows(writer)) == 1


def test_who_speaks_from_the_future_is_gone_once_the_clock_was_set_back(writer: StoreWriter) -> None:
    writer.beat(1, NOW, {"shop": 30.0})
    assert writer.beat(2, NOW - 3600 * SECOND, {"shop": 10.0}) == {"shop": (1, 10.0)}


def test_rows_of_a_thousand_processes_that_are_gone_do_not_stay(writer: StoreWriter) -> None:
    for number in range(1000):
        writer.beat(number, NOW + number * SECOND // 10, {"shop": 1.0})
    assert len(rows(writer)) <= 41


def test_a_service_whose_name_is_no_text_shares_all_the_same(writer: StoreWriter) -> None:
    writer.beat(1, NOW, {"shop\udcff": 30.0})
    assert writer.beat(2, NOW, {"shop\udcff": 10.0}) == {"shop\udcff": (2, 40.0)}


def test_a_store_that_cannot_be_written_raises_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        StoreWriter(tmp_path / "file" / "traces.db").beat(1, NOW, {"shop": 1.0})
