"""The writer's lock of the store: takes a connection, gives it back inside a write transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

BUSY_TIMEOUT_MS = 5000
_PAUSE_MS = 5


def begin(connection: sqlite3.Connection) -> None:
    """`BEGIN IMMEDIATE`, waiting up to 5 s for other writers. Raises sqlite3.OperationalError after that.

    IMMEDIATE: a transaction that reads first and then writes fails at once when another process wrote meanwhile.
    Not SQLite's own waiting: it asks ever more seldom, so the longest waiter loses to every newcomer; of 12 processes
    that wrote as fast as they could, one waited in vain for its 5 s.
    """
    connection.execute("PRAGMA busy_timeout = 0").fetchall()
    try:
        wait_for(lambda: connection.execute("BEGIN IMMEDIATE"))
    finally:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").fetchall()


def wait_for(attempt: Callable[[], object]) -> None:
    """Repeat what fails because the store is locked; raises its last error after 5 s, and any other at once."""
    # Counted, not timed: a test of the program may have stopped the clock.
    for _ in range(BUSY_TIMEOUT_MS // _PAUSE_MS):
        try:
            attempt()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):  # Python 3.10 has no error codes
                raise
            time.sleep(_PAUSE_MS / 1000)
        else:
            return
    attempt()
