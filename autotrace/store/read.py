"""Reads the local store: takes filters or an id, gives summaries of traces, spans and runs."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from autotrace.errors import StoreError
from autotrace.span.endpoint_counts import EndpointCounts
from autotrace.store.row import RECORD
from autotrace.store.run import Run
from autotrace.store.schema import open_readable
from autotrace.store.stored import StoredEvent, StoredLink, StoredSpan, TraceSummary

# The root's name rides behind its rank in one min(): a second GROUP BY and its join would double the time of a list.
_SUMMARIES = """
SELECT trace_id, start_ns, end_ns, spans, errors, substr(ranked_name, 21) AS root_name FROM (
  SELECT trace_id, min(start_ns) AS start_ns, max(end_ns) AS end_ns, sum(spans) AS spans, sum(errors) AS errors,
    min(printf('%020d', root_order) || root_name) AS ranked_name
  FROM parts GROUP BY trace_id
)
"""

_SERVICES = """
SELECT parts.trace_id, service FROM parts JOIN resources ON resources.id = parts.resource
WHERE parts.trace_id IN ({marks}) GROUP BY parts.trace_id, service ORDER BY min(parts.start_ns)
"""

_SPANS = """
SELECT trace_id, service, records, descriptions FROM parts JOIN spans ON spans.id = parts.id
JOIN resources ON resources.id = parts.resource WHERE trace_id = ? ORDER BY parts.id
"""

_HEX = frozenset("0123456789abcdef")


class StoreReader:
    """A read-only view of the store; every method is one or two whole queries, and no transaction stays open between.

    Raises StoreError when there is no store at `path` or it cannot be read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._connection = open_readable(self.path)

    def __enter__(self) -> StoreReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def traces(
        self,
        service: str | None = None,
        endpoint: str | None = None,
        error: bool = False,
        min_duration_ns: int | None = None,
        limit: int = 20,
    ) -> list[TraceSummary]:
        """Summaries, newest first; `endpoint` is a glob on the root's name, `service` any service that took part."""
        conditions: list[str] = []
        values: list[str | int] = []
        if service is not None:
            conditions.append(
                "trace_id IN (SELECT trace_id FROM parts JOIN resources ON resources.id = resource WHERE service = ?)"
            )
            values.append(service)
        if endpoint is not None:
            conditions.append("root_name GLOB ?")
            values.append(endpoint.replace("[!", "[^"))
        if error:
            conditions.append("errors > 0")
        if min_duration_ns is not None:
            conditions.append("end_ns - start_ns >= ?")
            values.append(min_duration_ns)
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        return self._summaries(f"{where}ORDER BY start_ns DESC, trace_id LIMIT ?", [*values, limit])

    def summaries(self, trace_ids: Sequence[str]) -> list[TraceSummary]:
        """Summaries of these traces (32 hex digits each), newest first."""
        marks = ",".join("?" * len(trace_ids))
        return self._summaries(
            f"WHERE trace_id IN ({marks}) ORDER BY start_ns DESC, trace_id", [bytes.fromhex(item) for item in trace_ids]
        )

    def find(self, identifier: str, limit: int = 20) -> list[str]:
        """Ids of the traces that a prefix of an id, or an external id, names; newest first."""
        where = "external_id = ?"
        values: list[str | bytes | int] = [identifier]
        digits = identifier.replace("-", "").lower()
        if digits and len(digits) <= 32 and _HEX.issuperset(digits):
            where += " OR trace_id BETWEEN ? AND ?"
            values += [bytes.fromhex(digits.ljust(32, "0")), bytes.fromhex(digits.ljust(32, "f"))]
        rows = self._query(
            f"SELECT trace_id FROM parts WHERE {where} GROUP BY trace_id ORDER BY min(start_ns) DESC LIMIT ?",
            [*values, limit],
        )
        return [trace_id.hex() for (trace_id,) in rows]

    def trace(self, identifier: str) -> list[StoredSpan]:
        """The spans of the one trace that a prefix or an external id names, by start; empty when there is none.

        Raises StoreError when it names more than one.
        """
        found = self.find(identifier)
        if len(found) > 1:
            raise StoreError(f"{identifier!r} names {len(found)} traces: {', '.join(found)}; give more digits")
        if not found:
            return []
        parts = self._query(_SPANS, [bytes.fromhex(found[0])])
        spans = [span for part in parts for span in _spans(part)]
        return sorted(spans, key=lambda span: span.start_ns)

    def last_trace_id(self, error: bool = False) -> str | None:
        """The newest trace's id, or the newest one with an error."""
        newest = self.traces(error=error, limit=1)
        return newest[0].trace_id if newest else None

    def trace_count(self) -> int:
        """How many traces the store holds."""
        return int(self._query("SELECT count(DISTINCT trace_id) FROM parts")[0][0])

    def runs(self, limit: int = 20) -> list[Run]:
        """What the processes said of themselves, the latest start first."""
        present = {row[1] for row in self._query("PRAGMA table_info(runs)")}
        fields = [field for field in Run._fields if field in present]  # a store of an older version has fewer
        rows = self._query(f"SELECT {', '.join(fields)} FROM runs ORDER BY started_ns DESC, id DESC LIMIT ?", [limit])
        return [_run(dict(zip(fields, row, strict=True))) for row in rows]

    def _summaries(self, tail: str, values: Sequence[Any]) -> list[TraceSummary]:
        rows = self._query(_SUMMARIES + tail, values)
        identifiers = [row[0] for row in rows]
        services: dict[bytes, list[str]] = {identifier: [] for identifier in identifiers}
        for trace_id, service in self._query(_SERVICES.format(marks=",".join("?" * len(rows))), identifiers):
            services[trace_id].append(service)
        return [_summary(row, tuple(services[row[0]])) for row in rows]

    def _query(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._connection.execute(statement, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot read the store: {error}") from error


def _run(row: dict[str, Any]) -> Run:
    row["unmatched"] = tuple(json.loads(row["unmatched"]))
    row["endpoints"] = tuple(EndpointCounts(*counts) for counts in json.loads(row.get("endpoints", "[]")))
    return Run(**row)


def _summary(row: tuple[Any, ...], services: tuple[str, ...]) -> TraceSummary:
    trace_id, start_ns, end_ns, spans, errors, root_name = row
    return TraceSummary(
        trace_id=trace_id.hex(),
        start_ns=start_ns,
        duration_ns=end_ns - start_ns,
        services=services,
        endpoint=root_name,
        spans=spans,
        errors=errors,
        status="error" if errors else "ok",
    )


def _spans(row: tuple[Any, ...]) -> Iterator[StoredSpan]:
    trace_id, service, records, texts = row
    descriptions = json.loads(texts)
    for span_id, parent_id, start_ns, duration_ns, place in RECORD.iter_unpack(records):
        name, kind, status, message, scope, local_root, attributes, *rest = descriptions[place]
        events, links = rest or ((), ())
        yield StoredSpan(
            trace_id=trace_id.hex(),
            span_id=f"{span_id:016x}",
            parent_id=f"{parent_id:016x}" if parent_id else None,
            service=service,
            name=name,
            kind=kind,
            start_ns=start_ns,
            duration_ns=duration_ns,
            status=status,
            status_message=message,
            attributes=attributes,
            events=tuple(StoredEvent(**event) for event in events),
            links=tuple(StoredLink(**link) for link in links),
            scope=scope,
            local_root=local_root,
        )
