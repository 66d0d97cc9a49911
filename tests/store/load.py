"""Writers against one store with a reader open: takes a number of processes and seconds, says what was lost.

The whole of the promise: `python tests/store/load.py --processes 12 --seconds 60`; exits 1 when a span is lost or the
log grows beyond 20 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autotrace.span.finished import FinishedSpan, Resource
from autotrace.store.read import StoreReader
from autotrace.store.row import RECORD
from autotrace.store.write import StoreWriter

MOST_WAL_BYTES = 20 * 1024 * 1024
TRACES, SPANS = 40, 5


def span(trace_id: int, span_id: int, parent_id: int, start_ns: int) -> FinishedSpan:
    attributes = {"http.request.method": "GET", "order.text": "x" * 200}
    return FinishedSpan(
        trace_id, span_id, parent_id, "GET /orders/{id}", "internal", start_ns, 1000, "unset", "", attributes, (), (),
        "autotrace", not parent_id,
    )  # fmt: skip


def batch(start_ns: int) -> list[FinishedSpan]:
    spans = []
    for _ in range(TRACES):
        trace_id, root = random.getrandbits(128), random.getrandbits(63)
        for number in range(SPANS):
            spans.append(span(trace_id, root + number, root if number else 0, start_ns + number))
    return spans


def write(store: str, seconds: float) -> None:
    writer = StoreWriter(store)
    resource = Resource("load", {"process.pid": os.getpid()})
    delivered = slowest = 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        spans = batch(time.time_ns())
        before = time.monotonic()
        writer.deliver(resource, spans)
        slowest = max(slowest, time.monotonic() - before)
        delivered += len(spans)
        time.sleep(0.02)
    writer.close()
    print(json.dumps({"delivered": int(delivered), "slowest": slowest}))


def measure(store: str, processes: int, seconds: float) -> dict[str, float]:
    command = [sys.executable, __file__, "--write", store, "--seconds", str(seconds)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    log, most, reader, seen = Path(store + "-wal"), 0, None, 0
    while any(writer.poll() is None for writer in writers):
        time.sleep(0.05)
        most = max(most, log.stat().st_size) if log.exists() else most
        if reader is None and Path(store).exists() and seconds:
            try:
                reader = StoreReader(store)
            except Exception:  # the tables are not there yet
                continue
        if reader is not None:
            seen = max(seen, len(reader.traces(limit=5)))
    results = [json.loads(writer.communicate()[0] or "{}") for writer in writers]
    if reader is not None:
        reader.close()
    with StoreReader(store) as last:
        stored = last._query("SELECT sum(length(records)) FROM spans")[0][0] // RECORD.size
        parts = last._query("SELECT sum(spans) FROM parts")[0][0]
    delivered = sum(result.get("delivered", 0) for result in results)
    return {
        "delivered": delivered, "lost": delivered - stored, "lost from parts": delivered - parts, "seen": seen,
        "failed": sum(writer.returncode != 0 for writer in writers), "most WAL bytes": most,
        "slowest write": max((result.get("slowest", 0) for result in results), default=0),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--write", metavar="STORE")
    options = parser.parse_args()
    if options.write:
        write(options.write, options.seconds)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        result = measure(os.path.join(folder, "traces.db"), options.processes, options.seconds)
    print(json.dumps(result, indent=2))
    return int(
        bool(
            result["lost"] or result["lost from parts"] or result["failed"] or result["most WAL bytes"] > MOST_WAL_BYTES
        )
    )


if __name__ == "__main__":
    sys.exit(main())
