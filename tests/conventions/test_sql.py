"""What is said of a statement: its text without literals, and a few words of few values."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotrace.conventions.sql import describe


@pytest.mark.parametrize(
    ("statement", "summary", "text"),
    [
        ("SELECT * FROM orders WHERE id = 7", "SELECT orders", "SELECT * FROM orders WHERE id = ?"),
        ("select 'it''s', x'0f', 1.5e3 from a.b", "SELECT a.b", "select ?, ?, ? from a.b"),
        ("INSERT INTO orders VALUES (?, :b, $1, %s, %(c)s)", "INSERT orders", None),
        ("insert or replace into t2 values (1)", "INSERT t2", "insert or replace into t2 values (?)"),
        ("UPDATE OR IGNORE orders SET a = 1", "UPDATE orders", "UPDATE OR IGNORE orders SET a = ?"),
        ("DELETE FROM `order`", "DELETE order", "DELETE FROM `order`"),
        ('SELECT a FROM "my orders"', "SELECT my orders", 'SELECT a FROM "my orders"'),
        ("SELECT (SELECT a FROM inner_one) FROM outer_one", "SELECT outer_one", None),
        ("WITH x AS (SELECT a FROM y) INSERT INTO z SELECT * FROM x", "INSERT z", None),
        ("CREATE TABLE IF NOT EXISTS orders (id)", "CREATE orders", None),
        ("-- password 'x'\nSELECT 1", "SELECT", "SELECT ?"),
        ("SELECT $$secret$$, $t$secret$t$", "SELECT", "SELECT ?, ?"),
        ("BEGIN", "BEGIN", "BEGIN"),
        ("", "", ""),
        ("SELECT 'never ends", "SELECT", "SELECT ?"),
    ],
)
def test_a_statement_is_described(statement: str, summary: str, text: str | None) -> None:
    found = describe(statement)
    assert found.summary == summary
    assert found.text == (statement if text is None else text)


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=st.sampled_from("SELECT FROM'\"`()[]-*/;$?%\n1aé."), max_size=60))
def test_no_text_makes_it_fail(statement: str) -> None:
    assert isinstance(describe(statement).text, str)


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet="abcdefgh '", min_size=1))
def test_no_string_is_recorded(secret: str) -> None:
    quoted = secret.replace("'", "''")
    assert describe(f"SELECT * FROM t WHERE a = 'Z{quoted}' AND b = 1").text == "SELECT * FROM t WHERE a = ? AND b = ?"
