"""The shop's database: a small SQLite table in memory, opened by the first query of the process."""

from __future__ import annotations

import sqlite3
from functools import cache

_SELECT = "SELECT name, price FROM articles WHERE id = ?"


@cache
def connection() -> sqlite3.Connection:
    opened = sqlite3.connect(":memory:", check_same_thread=False)
    opened.execute("CREATE TABLE articles (id INTEGER PRIMARY KEY, name TEXT, price INTEGER)")
    opened.executemany("INSERT INTO articles VALUES (?, ?, ?)", [(n, f"article {n}", 100 + n) for n in range(100)])
    opened.commit()
    return opened


def find_article(article_id: int) -> tuple[str, int]:
    cursor = connection().cursor()
    cursor.execute(_SELECT, (article_id,))
    row: tuple[str, int] = cursor.fetchone()
    cursor.close()
    return row
