"""sqlite3: every way to run a statement gives one span, and the classes stay what C code and the user expect."""

from __future__ import annotations

import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from recording import Recording, attributes

Record = Callable[..., Recording]


@pytest.fixture
def open_orders(tmp_path: Path) -> Iterator[Callable[..., sqlite3.Connection]]:
    """Opens the file `orders.db`, in which there is a table."""
    file = tmp_path / "orders.db"
    with closing(sqlite3.connect(file)) as plain:
        plain.execute("CREATE TABLE orders (item, quantity)")
    opened: list[sqlite3.Connection] = []

    def connect(**options: Any) -> sqlite3.Connection:
        opened.append(sqlite3.connect(file, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


WAYS: dict[str, Callable[[Any], Any]] = {
    "cursor": lambda c: c.cursor().execute("INSERT INTO orders VALUES ('hat', 2)"),
    "connection": lambda c: c.execute("INSERT INTO orders VALUES ('hat', 2)"),
    "many": lambda c: c.executemany("INSERT INTO orders VALUES (?, ?)", [("hat", 1), ("scarf", 2)]),
    "cursor many": lambda c: c.cursor().executemany("INSERT INTO orders VALUES (?, ?)", [("hat", 1)]),
    "script": lambda c: c.executescript("INSERT INTO orders VALUES ('hat', 2); SELECT 1"),
    "cursor script": lambda c: c.cursor().executescript("INSERT INTO orders VALUES ('hat', 2); SELECT 1"),
    "cursor class": lambda c: c.cursor(sqlite3.Cursor).execute("INSERT INTO orders VALUES ('hat', 2)"),
    "cursor keyword": lambda c: c.cursor(factory=sqlite3.Cursor).execute("INSERT INTO orders VALUES ('hat', 2)"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_execute_is_one_span(way: str, record: Record, open_orders: Any) -> None:
    recording = record("sqlite3")
    WAYS[way](open_orders())
    span = recording.only()
    assert (span.kind, span.name) == ("client", "INSERT orders")
    found = attributes(span)
    assert "hat" not in found.pop("db.query.text")
    assert found == {
        "db.system.name": "sqlite",
        "db.operation.name": "INSERT",
        "db.collection.name": "orders",
        "db.namespace": "orders.db",
    }


def test_every_method_that_executes_is_known() -> None:
    methods = {name for kind in (sqlite3.Connection, sqlite3.Cursor) for name in dir(kind) if name.startswith("exec")}
    assert methods == {"execute", "executemany", "executescript"}


def test_a_failing_statement_is_an_error_and_its_traceback_has_no_frame_of_ours(
    record: Record, open_orders: Any
) -> None:
    recording = record("sqlite3")
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere") as caught:
        open_orders().execute("SELECT * FROM nowhere")
    assert attributes(recording.only())["error.type"] == "sqlite3.OperationalError"
    assert recording.only().root.error
    if sys.version_info >= (3, 11):
        files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert files == [__file__]


class Upper(sqlite3.Cursor):
    def execute(self, statement: str, *parameters: Any) -> Any:
        return super().execute(statement.upper(), *parameters)


class Mine(sqlite3.Connection):
    opened = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        Mine.opened += 1

    def cursor(self, factory: Any = Upper) -> Any:
        return super().cursor(factory)

    def execute(self, statement: str, *parameters: Any) -> Any:
        return super().execute(statement + " -- mine", *parameters)


# From 3.13 on the library itself warns of positional arguments.
@pytest.mark.parametrize("positional", [False] if sys.version_info >= (3, 13) else [True, False])
def test_the_users_own_classes_run_as_written(positional: bool, record: Record, tmp_path: Path) -> None:
    recording = record("sqlite3")
    arguments: tuple[Any, ...] = (5.0, 0, "", True, Mine) if positional else ()
    with closing(sqlite3.connect(tmp_path / "a.db", *arguments, **({} if positional else {"factory": Mine}))) as mine:
        assert isinstance(mine, Mine)
        assert (type(mine).__name__, type(mine).__module__) == ("Mine", __name__)
        cursor = mine.cursor()
        assert isinstance(cursor, Upper)
        cursor.execute("select 'a'")
        assert cursor.fetchall() == [("A",)]
        mine.execute("select 1").fetchall()
    assert len(recording.spans(2)) == 2
    assert attributes(recording.spans()[0])["db.query.text"] == "SELECT ?"


def test_c_code_that_checks_types_accepts_the_connection(record: Record, open_orders: Any, tmp_path: Path) -> None:
    record("sqlite3")
    connection = open_orders()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        connection.backup(copy)
    assert sqlite3.Cursor(connection).execute("SELECT 1").fetchone() == (1,)
    connection.row_factory = sqlite3.Row
    assert dict(connection.execute("SELECT 1 AS one").fetchone()) == {"one": 1}
    with connection:
        connection.execute("INSERT INTO orders VALUES ('hat', 2)")
    assert list(connection.iterdump())
    assert repr(connection).startswith("<sqlite3.Connection object")


def test_what_is_no_text_is_left_to_the_library(record: Record, open_orders: Any) -> None:
    recording = record("sqlite3")
    with pytest.raises(TypeError):
        open_orders().cursor().execute(b"SELECT 1")
    with pytest.raises(TypeError):
        open_orders().cursor().execute()
    assert {span.name for span in recording.spans(2)} == {"sqlite"}


def test_a_factory_that_is_no_class_makes_what_it_likes(record: Record, open_orders: Any) -> None:
    recording = record("sqlite3")
    connection = open_orders(factory=lambda *args, **kwargs: sqlite3.Connection(*args, **kwargs))
    assert type(connection) is sqlite3.Connection
    assert recording.spans(0) == []


@pytest.mark.parametrize(("sampled", "database", "commented"), [(True, True, 1), (False, True, 0), (True, False, 0)])
def test_the_comment_goes_out_if_asked_for_and_sampled_and_is_never_recorded(
    sampled: bool, database: bool, commented: int, record: Record, open_orders: Any
) -> None:
    recording = record("sqlite3", sampled=sampled, database=database)
    connection, seen = open_orders(), []
    connection.set_trace_callback(seen.append)
    connection.execute("SELECT 'a' AS b")
    connection.executescript("SELECT 'c';")
    connection.executemany("INSERT INTO orders VALUES (?, 1)", [("hat",)])
    connection.execute("PRAGMA user_version")
    spans = recording.spans(4)
    assert sum("trace_id=" in statement for statement in seen) == commented
    if commented:
        assert f"/*trace_id='{spans[0].root.trace_id:032x}',span_id='{spans[0].span_id:016x}'*/" in seen[0]
    assert all("trace_id" not in attributes(span)["db.query.text"] for span in spans)


def test_a_path_as_namespace_has_neither_folder_nor_parameters(record: Record, tmp_path: Path) -> None:
    recording = record("sqlite3")
    with closing(sqlite3.connect(f"file:{tmp_path}/a.db?mode=rwc&key=secret", uri=True)) as connection:
        connection.execute("SELECT 1")
    assert attributes(recording.only())["db.namespace"] == "a.db"
