"""Opens the store's file: takes a path, gives a connection whose tables are those of schema.sql."""

# ruff: noqa: PTH113, PTH118, PTH120 - as in autotrace.store.write

from __future__ import annotations

import os
import sqlite3

from autotrace.errors import StoreError
from autotrace.store.lock import BUSY_TIMEOUT_MS, begin, wait_for

VERSION = 2
APPLICATION_ID = 0x41545243  # "ATRC": tells our file from an application's own database
WAL_PAGES = 1000  # of 4 KiB, after which a commit checkpoints
WAL_LIMIT = 8 * 1024 * 1024  # bytes that the log keeps on disk after a checkpoint


# The columns that a version has more than the one before; tables that are missing are made as schema.sql has them.
_UPGRADES = {
    2: (
        "ALTER TABLE runs ADD COLUMN endpoints TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE runs ADD COLUMN overhead TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE runs ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE runs ADD COLUMN lost INTEGER NOT NULL DEFAULT 0",
    )
}


def open_writable(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Open, create or migrate the store at `path`; its directory must exist. Raises StoreError."""
    try:
        connection = _connect(str(path))
    except sqlite3.Error as error:
        raise _refusal(path, "write to", error) from error
    try:
        _version(connection, path)  # before anything is changed: the file may belong to someone else
        _configure(connection)
        _migrate(connection, path)
    except (StoreError, sqlite3.Error) as error:
        connection.close()
        raise _refusal(path, "write to", error) from error
    return connection


def open_readable(path: str | os.PathLike[str]) -> sqlite3.Connection:
    """Open the store at `path` for reading only. Raises StoreError when it is missing, empty, foreign or newer."""
    if not os.path.isfile(path):
        raise StoreError(f"{path}: there is no store here")
    try:
        connection = _open_read_only(path)
    except sqlite3.Error as error:
        raise _refusal(path, "read", error) from error
    try:
        version = _version(connection, path)
    except (StoreError, sqlite3.Error) as error:
        connection.close()
        raise _refusal(path, "read", error) from error
    if version == 0:
        connection.close()
        raise StoreError(f"{path}: there is no store here: the file is empty")
    return connection


def _refusal(path: str | os.PathLike[str], doing: str, error: Exception) -> StoreError:
    if isinstance(error, StoreError):
        return error
    if isinstance(error, sqlite3.OperationalError):
        return StoreError(f"{path}: cannot {doing} the store: {error}; name another place in AUTOTRACE_STORE")
    return StoreError(f"{path}: not a store of autotrace: {error}; name another place")


def _connect(database: str, uri: bool = False) -> sqlite3.Connection:
    # The class, never sqlite3.connect: that function is traced in the program's process, and our own calls must not be.
    return sqlite3.Connection(
        database, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False, uri=uri
    )


def _open_read_only(path: str | os.PathLike[str]) -> sqlite3.Connection:
    from pathlib import Path  # for the commands that read; a program that writes does not pay its 5 ms

    address = Path(path).absolute().as_uri() + "?mode=ro"
    connection = _connect(address, uri=True)
    try:
        connection.execute("PRAGMA schema_version").fetchall()
    except sqlite3.OperationalError:
        connection.close()
        # A log-mode file in a directory that we may not write to opens only as one that nobody changes.
        connection = _connect(address + "&immutable=1", uri=True)
        connection.execute("PRAGMA schema_version").fetchall()
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    _switch_to_log(connection)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}").fetchall()


def _switch_to_log(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for the busy timeout here, and several processes may create one store at the same moment.
    wait_for(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchall())


def _migrate(connection: sqlite3.Connection, path: str | os.PathLike[str]) -> None:
    if _version(connection, path) == VERSION:
        return
    begin(connection)
    try:
        version = _version(connection, path)
        if version == 0:
            _create(connection)
        else:
            _upgrade(connection, version)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _upgrade(connection: sqlite3.Connection, version: int) -> None:
    for newer in range(version + 1, VERSION + 1):
        for statement in _UPGRADES[newer]:
            connection.execute(statement)
    for statement in _statements():
        connection.execute(statement.replace("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS "))
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _create(connection: sqlite3.Connection) -> None:
    for statement in _statements():
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _statements() -> list[str]:
    # By our own loader, which reads from a zip as well. Nothing may be imported here, at exit: where a module makes a
    # namedtuple the interpreter forgets that a KeyboardInterrupt is to end the process as SIGINT does.
    script = __loader__.get_data(os.path.join(os.path.dirname(__file__), "schema.sql")).decode()  # type: ignore[name-defined]  # set by the import system
    # Not executescript: it commits first, and two processes would then create the same tables.
    return [statement for statement in script.split(";\n") if statement.strip()]


def _version(connection: sqlite3.Connection, path: str | os.PathLike[str]) -> int:
    """The version of the tables, 0 for an empty file. Raises StoreError for a file that is not ours or too new."""
    # The tables first: another process may create them, and the rest in the same transaction, between two questions.
    tables, application, version = (
        int(connection.execute(question).fetchone()[0])
        for question in ("SELECT count(*) FROM sqlite_master", "PRAGMA application_id", "PRAGMA user_version")
    )
    if tables and application != APPLICATION_ID:
        raise StoreError(f"{path}: not a store of autotrace: it is the database of another program; name another place")
    if version > VERSION:
        raise StoreError(f"{path}: the store has version {version}, this autotrace reads {VERSION}; upgrade autotrace")
    return version if tables else 0
