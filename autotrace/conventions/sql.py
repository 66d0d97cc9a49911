"""SQL statements: takes one, gives its text without literals and what it does to which table.

A scanner, not a parser: it knows strings, quoted names, numbers, comments and words of every dialect, and never fails.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

TEXT_LIMIT = 4096

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*(?s:.*?)(?:\*/|\Z))
    | (?P<literal>[xXbBnNeE]?'(?:[^']|'')*(?:'|\Z)|\$(?P<tag>\w*)\$(?s:.*?)(?:\$(?P=tag)\$|\Z))
    | (?P<name>"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]\n]*(?:\]|\Z))
    | (?P<bind>[?:@$%]\(?\w+\)?s?|\?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<space>\s+)
    | (?P<other>.)
    """,
    re.VERBOSE,
)
_PLAIN_NAME = re.compile(r'["`\[][^\W\d][\w$.\- ]{0,63}["`\]]')
_BEFORE_TABLE = {"INSERT": "INTO", "REPLACE": "INTO", "DELETE": "FROM", "SELECT": "FROM", "MERGE": "INTO"}
_OBJECTS = frozenset({"TABLE", "INDEX", "VIEW", "TRIGGER"})
_BETWEEN = frozenset({"IF", "NOT", "EXISTS", "ONLY", "TEMP", "TEMPORARY", "UNIQUE", "VIRTUAL", "OR", "ROLLBACK"})
_CONFLICT = frozenset({"OR", "ROLLBACK", "ABORT", "REPLACE", "FAIL", "IGNORE", "ONLY"})
_MAIN = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE"})


class Statement(NamedTuple):
    """What is said of a statement: its text, what it does (upper case), to which table; "" where unknown.

    `summary` is the statement in a few words of few values: `INSERT orders`.
    """

    text: str
    operation: str
    collection: str
    summary: str


def describe(statement: str) -> Statement:
    """The description of a statement; a long one is cut before it is read."""
    return _describe(statement[:TEXT_LIMIT])


@lru_cache(maxsize=512)
def _describe(statement: str) -> Statement:
    parts: list[str] = []
    words: list[str] = []
    depth = 0
    for match in _TOKEN.finditer(statement):
        kind, token = match.lastgroup or "other", match[0]
        if kind in ("literal", "tag", "number"):
            token = "?"
        elif kind == "comment" or kind == "space":
            token = " "
        elif kind == "name" and not _PLAIN_NAME.fullmatch(token):
            token = "?"
        elif token in "()":
            depth += 1 if token == "(" else -1
        if depth == 0 and (kind in ("word", "name") or (token == "." and words)):
            words.append(token)
        parts.append(token)
    text = re.sub(r" {2,}", " ", "".join(parts)).strip()
    operation, collection = _summarize(_joined(words))
    return Statement(text, operation, collection, f"{operation} {collection}".strip())


def _joined(words: list[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        if word == "." or (joined and joined[-1].endswith(".")):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _summarize(words: list[str]) -> tuple[str, str]:
    if not words:
        return "", ""
    upper = [word.upper() for word in words]
    operation = upper[0]
    start = 0
    if operation == "WITH":
        start = next((index for index, word in enumerate(upper) if word in _MAIN), 0)
        operation = upper[start]
    return operation, _table(operation, words[start + 1 :], upper[start + 1 :])


def _table(operation: str, words: list[str], upper: list[str]) -> str:
    if operation == "UPDATE":
        found = next((index for index, word in enumerate(upper) if word not in _CONFLICT), None)
    elif operation in _BEFORE_TABLE:
        before = _BEFORE_TABLE[operation]
        found = upper.index(before) + 1 if before in upper else None
    elif operation in ("CREATE", "DROP", "ALTER", "TRUNCATE"):
        at = next((index + 1 for index, word in enumerate(upper) if word in _OBJECTS), None)
        found = None if at is None else next((i for i in range(at, len(upper)) if upper[i] not in _BETWEEN), None)
    else:
        found = None
    return words[found].strip('"`[]') if found is not None and found < len(words) else ""
