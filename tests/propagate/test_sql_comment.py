"""The comment behind a statement."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from test_formats import started

from autotrace.propagate.sql_comment import with_comment


@pytest.mark.parametrize(
    "statement", ["SELECT 1", "select 1 ;\n", " WITH a AS (SELECT 1) SELECT * FROM a", "SELECT 1 -- done"]
)
def test_a_commented_statement_still_runs(statement: str) -> None:
    span = started()
    text = with_comment(statement, span)
    assert f"/*trace_id='{span.root.trace_id:032x}',span_id='{span.span_id:016x}'*/" in text
    with closing(sqlite3.connect(":memory:")) as connection:
        assert connection.execute(text).fetchall() == [(1,)]


@pytest.mark.parametrize(
    "statement", ["PRAGMA user_version", "CREATE TABLE a (b)", "", "  ", "BEGIN", "EXPLAIN SELECT 1"]
)
def test_what_is_no_query_gets_no_comment(statement: str) -> None:
    assert with_comment(statement, started()) == statement


def test_a_comment_is_added_once() -> None:
    text = with_comment("SELECT 1", started())
    assert with_comment(text, started()) == text
