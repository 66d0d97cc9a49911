"""The SQL comment: takes a statement and a span, gives the statement with the trace's ids behind it.

Only statements that read or change rows get one: a `CREATE` keeps its text in the catalogue, a `PRAGMA` is no query.
The trace's id comes first, so that a database's statement digest cuts the part that changes most often last.
"""

from __future__ import annotations

import re

from autotrace.span.span import Span

_COMMENTED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "MERGE"})
_FIRST_WORD = re.compile(r"[\s(]*([A-Za-z]+)")


def with_comment(statement: str, span: Span) -> str:
    """`statement` with `/*trace_id='…',span_id='…'*/`, before its last semicolon, or unchanged where that would harm."""
    word = _FIRST_WORD.match(statement)
    if word is None or word[1].upper() not in _COMMENTED or "/*trace_id=" in statement:
        return statement
    cut = len(statement.rstrip("; \t\r\n"))
    # Behind `-- remark` the comment must begin a line of its own, or the server takes it for a part of the remark.
    space = "\n" if "--" in statement or "#" in statement else " "
    comment = f"/*trace_id='{span.root.trace_id:032x}',span_id='{span.span_id:016x}'*/"
    return f"{statement[:cut]}{space}{comment}{statement[cut:]}"
