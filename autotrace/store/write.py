"""Writes to the local store: takes batches of finished spans and the counters of a run, gives nothing back."""

# ruff: noqa: PTH109, PTH110, PTH116, PTH118 - pathlib costs the end of each program 5 ms

from __future__ import annotations

import _thread
import json
import os
import sqlite3
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any

from autotrace.errors import StoreError
from autotrace.guard import is_from_signal
from autotrace.span.finished import FinishedSpan, Resource
from autotrace.store.heartbeat import exchange
from autotrace.store.location import prepare_directory
from autotrace.store.lock import BUSY_TIMEOUT_MS, begin
from autotrace.store.row import PART_INSERT, REFUSALS, SPANS_INSERT, Texts, encode_attributes, part_rows
from autotrace.store.run import Run
from autotrace.store.sanitize import sanitize_resource, sanitize_span
from autotrace.store.schema import WAL_LIMIT, open_writable

_RUNS_KEPT = 1000
_KEEPS_NS = 60_000_000_000
_CHECKPOINT_TIMEOUT_MS = 200
_FORK_TIMEOUT_S = 1.0

# What a value of a span can raise while it is bound; anything else is the store's own trouble.
_POISON = (
    *REFUSALS,
    sqlite3.InterfaceError, sqlite3.ProgrammingError, sqlite3.DataError,
)  # fmt: skip


_TRACE_ID = attrgetter("trace_id")


class StoreWriter:
    """The one connection of this process to the store; opened on the first write, reopened in a fork's child.

    Any thread may call it. Every method raises StoreError when the store cannot be written; a span whose values cannot
    be stored even after they were sanitized is left out and counted in `refused`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.join(os.getcwd(), path)
        self.refused = 0
        self._keep_read = 0
        self._lock: Any = _thread.RLock()  # Any: typeshed does not know `_is_owned`
        self._lock_pid = os.getpid()
        self._forking = False
        self._connection: sqlite3.Connection | None = None
        self._pid = 0
        self._inode = 0
        self._resources: dict[tuple[str, str], int] = {}
        _WRITERS.add(self)

    def deliver(self, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
        """Store finished spans of one resource in one transaction."""
        if not spans:
            return
        with self._exclusive():
            try:
                with self._transaction() as connection:
                    self._insert(connection, resource, spans)
            except _POISON as error:
                if is_from_signal(error):
                    raise
                with self._transaction() as connection:
                    self._insert_one_by_one(connection, resource, spans)
            self._bound_log()

    def record_run(self, run: Run) -> None:
        """Store what a process says of itself; called again with newer counters it replaces the row of that process."""
        row = (
            run.pid, run.service, run.started_ns, run.updated_ns, run.command,
            run.roots_seen, run.roots_kept, run.spans, run.rate, run.rule, json.dumps(run.unmatched),
            json.dumps(run.endpoints), run.overhead, run.dropped, run.lost,
        )  # fmt: skip
        text = tuple(_escape(value) if isinstance(value, str) else value for value in row)
        with self._exclusive(), self._transaction() as connection:
            connection.execute("DELETE FROM runs WHERE pid = ? AND started_ns = ?", (run.pid, run.started_ns))
            connection.execute("INSERT INTO runs VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", text)
            connection.execute("DELETE FROM runs WHERE id <= (SELECT max(id) FROM runs) - ?", (_RUNS_KEPT,))

    def write_keeps(self, trace_ids: Sequence[int]) -> None:
        """Tell the other processes that these traces are kept."""
        now = time.time_ns()
        rows = [(trace_id.to_bytes(16, "big"), now) for trace_id in trace_ids]
        with self._exclusive(), self._transaction() as connection:
            connection.executemany("INSERT INTO keeps VALUES (NULL, ?, ?)", rows)
            connection.execute("DELETE FROM keeps WHERE kept_ns < ?", (now - _KEEPS_NS,))

    def read_keeps(self) -> list[int]:
        """The traces that any process has kept since the last call."""
        if not os.path.exists(self.path):
            return []
        with self._exclusive():
            connection = self._open()
            try:
                rows = connection.execute("SELECT id, trace_id FROM keeps WHERE id > ?", (self._keep_read,)).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"{self.path}: cannot read the store: {error}") from error
        self._keep_read = max([self._keep_read, *(row[0] for row in rows)])
        return [int.from_bytes(row[1], "big") for row in rows]

    def beat(self, started_ns: int, now_ns: int, roots: Mapping[str, float]) -> dict[str, tuple[int, float]]:
        """Write how many roots a second this process decides on, by service or rule; the same of all processes, summed."""
        with self._exclusive(), self._transaction() as connection:
            return exchange(connection, os.getpid(), started_ns, now_ns, roots)

    def close(self) -> None:
        """Give the connection back; a later write opens it again."""
        with self._exclusive():
            self._close()

    def _insert(self, connection: sqlite3.Connection, resource: Resource, spans: Sequence[FinishedSpan]) -> None:
        origin = self._resource(connection, resource)
        identifier = _next_identifier(connection)
        texts: Texts = {}
        traces = groupby(spans, _TRACE_ID)
        rows = [part_rows(number, origin, list(trace), texts) for number, (_, trace) in enumerate(traces, identifier)]
        connection.executemany(PART_INSERT, [part for part, _ in rows])
        connection.executemany(SPANS_INSERT, [contents for _, contents in rows])

    def _insert_one_by_one(
        self, connection: sqlite3.Connection, resource: Resource, spans: Sequence[FinishedSpan]
    ) -> None:
        storable: list[FinishedSpan] = []
        for span in spans:
            try:
                clean = sanitize_span(span)
                part_rows(0, 0, [clean], {})
            except _POISON:
                continue
            storable.append(clean)
        if storable:
            self._insert(connection, sanitize_resource(resource), storable)
        self.refused += len(spans) - len(storable)

    def _resource(self, connection: sqlite3.Connection, resource: Resource) -> int:
        key = (resource.service_name, encode_attributes(resource.attributes))
        known = self._resources.get(key)
        if known is None:
            connection.execute("INSERT OR IGNORE INTO resources (service, attributes) VALUES (?, ?)", key)
            found = connection.execute("SELECT id FROM resources WHERE service = ? AND attributes = ?", key)
            known = self._resources[key] = int(found.fetchone()[0])
        return known

    def _exclusive(self) -> Any:
        if self._lock_pid != os.getpid():
            # A fork that Python was not told of: a thread that stayed in the parent may have held the lock.
            self._lock = _thread.RLock()
            self._lock_pid = os.getpid()
        if self._lock._is_owned():
            # A signal handler that ends the process, in the middle of a write: waiting would last for ever.
            raise StoreError(f"{self.path}: cannot write to the store: this very thread is writing to it")
        return self._lock

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._open()
        try:
            begin(connection)
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            self._roll_back(connection)
            if isinstance(error, sqlite3.Error) and not isinstance(error, _POISON):
                raise StoreError(f"{self.path}: cannot write to the store: {error}") from error
            raise

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        self._resources.clear()  # a row of this transaction may be gone
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._close()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._pid != os.getpid():
            # A fork that Python was not told of: closing a connection of the parent would drop the parent's locks.
            _ABANDONED.append(self._connection)
            self._connection = None
        if self._connection is not None and self._inode != _inode(self.path):
            self._close()  # the file was removed under us; writing on would fill a file without a name
            self._keep_read = 0
        if self._connection is None:
            prepare_directory(self.path)
            self._resources.clear()
            self._connection = open_writable(self.path)
            self._pid = os.getpid()
            self._inode = _inode(self.path)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None and self._pid == os.getpid():
            self._connection.close()
            self._connection = None

    def _bound_log(self) -> None:
        """Empty a log that has grown: the automatic checkpoint never finishes while other processes go on writing."""
        try:
            size = os.stat(self.path + "-wal").st_size
        except OSError:
            return
        connection = self._connection
        if size <= WAL_LIMIT or connection is None:
            return
        try:
            # It holds the writer's lock while it waits for readers, so it must give up before other writers do.
            connection.execute(f"PRAGMA busy_timeout = {_CHECKPOINT_TIMEOUT_MS}").fetchall()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.OperationalError:
            return
        finally:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").fetchall()

    def _before_fork(self) -> None:
        # SQLite forbids a connection to cross a fork: the child would share the parent's record of its locks.
        if self._lock.acquire(timeout=_FORK_TIMEOUT_S):
            self._forking = True
            self._close()

    def _after_fork_in_parent(self) -> None:
        if self._forking:
            self._forking = False
            self._lock.release()

    def _after_fork_in_child(self) -> None:
        self._forking = False
        self._lock = _thread.RLock()
        self._lock_pid = os.getpid()


def _next_identifier(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) + 1 FROM parts").fetchone()[0])


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _escape(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


_WRITERS: weakref.WeakSet[StoreWriter] = weakref.WeakSet()
_ABANDONED: list[sqlite3.Connection] = []  # kept alive: collecting one closes it


def _before_fork() -> None:
    for writer in list(_WRITERS):
        writer._before_fork()


def _after_fork_in_parent() -> None:
    for writer in list(_WRITERS):
        writer._after_fork_in_parent()


def _after_fork_in_child() -> None:
    for writer in list(_WRITERS):
        writer._after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
