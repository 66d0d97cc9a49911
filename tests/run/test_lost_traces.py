"""What was kept and never came to an exporter is said at the end of the program, and by its row in the store."""

from __future__ import annotations

import json
import re
from pathlib import Path

from autotrace.store.read import StoreReader

from .program import run, write

APP = """
def item(number):
    return number

def order(number):
    for one in range(50):
        item(one)
    raise ValueError("no stock")

def main():
    for number in range(400):
        try:
            order(number)
        except ValueError:
            pass

main()
"""
TRACING = """
service_name = "shop"

[[targets]]
at = "app:order"
[[targets]]
at = "app:item"

[sampler]
rate = 0
[sampler.keep]
per_second = 1e9
"""
SMALL = '[buffer]\nmemory = "128KB"\n'
NOWHERE = '[[exporters]]\ntype = "otlp"\nendpoint = "http://127.0.0.1:9/v1/traces"\ntimeout = "200ms"\n'
FULL = re.compile(
    r"autotrace: ([\d,]+) traces, ([\d,]+) spans in all, were kept but never exported: the queue was full "
    r'\(\[buffer\] memory = "128KB", and at most 100,000 spans\)\n'
)


def test_kept_traces_that_a_full_queue_dropped_are_said_where_nobody_asked(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=TRACING + SMALL)
    said = FULL.fullmatch(run(tmp_path, "app.py").stderr)
    assert said is not None
    traces, spans = (int(number.replace(",", "")) for number in said.groups())
    with StoreReader(tmp_path / ".autotrace" / "traces.db") as reader:
        assert (reader.trace_count() + traces, spans) == (400, traces * 51)
        (row,) = reader.runs()
    assert (row.roots_kept, row.dropped, row.lost) == (400, spans, 0)


def test_a_list_of_fewer_traces_than_were_kept_says_what_is_missing(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=TRACING + SMALL)
    run(tmp_path, "app.py")
    listed = run(tmp_path, "traces")
    assert re.search(r"^[\d,]+ spans were kept, but never exported: .*`app.py` ", listed.stdout, re.MULTILINE), (
        listed.stdout
    )
    json.loads(run(tmp_path, "traces", "--format", "json").stdout)


def test_spans_that_an_exporter_failed_to_take_are_said_with_its_name(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=TRACING + NOWHERE)
    assert "autotrace: 20,400 spans were kept, but the exporter otlp failed to take them\n" in run(
        tmp_path, "app.py"
    ).stderr.replace("\r\n", "\n")
    with StoreReader(tmp_path / ".autotrace" / "traces.db") as reader:
        (row,) = reader.runs()
    assert (row.dropped, row.lost) == (0, 20_400)


def test_a_program_that_loses_nothing_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, app=APP, tracing=TRACING)
    assert run(tmp_path, "app.py").stderr == ""


def test_a_forks_child_that_loses_spans_leaves_it_to_its_row(tmp_path: Path) -> None:
    app = APP.replace("\nmain()\n", "\nimport os\nif os.fork() == 0:\n    main()\n    raise SystemExit\nos.wait()\n")
    write(tmp_path, app=app, tracing=TRACING + SMALL)
    assert run(tmp_path, "app.py").stderr == ""
    with StoreReader(tmp_path / ".autotrace" / "traces.db") as reader:
        assert sorted(row.dropped > 0 for row in reader.runs()) == [False, True]
