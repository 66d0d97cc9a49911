import json
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from autotrace.errors import StoreError
from autotrace.span.endpoint_counts import EndpointCounts
from autotrace.span.finished import FinishedEvent, FinishedLink, FinishedSpan, Resource
from autotrace.store.location import locate
from autotrace.store.read import StoreReader
from autotrace.store.run import Run
from autotrace.store.write import StoreWriter

SHOP = Resource("shop", {"process.pid": 1})
START = 1_700_000_000_000_000_000


def span(number=1, trace=1, parent=0, **changes):
    one = FinishedSpan(
        trace, number, parent, f"call {number}", "internal", START + number, 10, "unset", "", {}, (), (), "autotrace",
        not parent,
    )  # fmt: skip
    return one._replace(**changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".autotrace" / "traces.db"


@pytest.fixture
def writer(path):
    writer = StoreWriter(path)
    yield writer
    writer.close()


def stored(path, trace=f"{1:032x}"):
    with StoreReader(path) as reader:
        return reader.trace(trace)


def run_python(code, *arguments):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_a_span_comes_back_as_it_went_in(path, writer):
    event = FinishedEvent("exception", START + 5, {"exception.type": "KeyError"})
    link = FinishedLink(2**127, 2**63, {"a": 1})
    sent = span(
        2**64 - 1, 2**128 - 1, 7, start_ns=START, kind="client", status="error", status_message="no",
        events=[event], links=[link],
        attributes={"text": "größer 注文 \x00", "list": ["a", "b"], "on": True, "n": 3, "big": 2**70, "x": 0.5},
    )  # fmt: skip
    writer.deliver(SHOP, [sent])
    (got,) = stored(path, "f" * 32)
    assert (got.trace_id, got.span_id, got.parent_id) == ("f" * 32, "f" * 16, f"{7:016x}")
    assert (got.service, got.name, got.kind, got.scope, got.local_root) == (
        "shop",
        sent.name,
        "client",
        "autotrace",
        False,
    )
    assert (got.start_ns, got.duration_ns, got.status, got.status_message) == (sent.start_ns, 10, "error", "no")
    assert got.attributes == sent.attributes
    assert (got.events[0].name, got.events[0].time_ns, got.events[0].attributes) == event
    assert (got.links[0].trace_id, got.links[0].span_id) == (f"{2**127:032x}", f"{2**63:016x}")


def test_a_long_trace_comes_back_in_order_with_what_its_spans_share_and_what_they_do_not(path, writer):
    shared = {"code.function.name": "shop.step"}
    sent = [span(1)]
    for number in range(2, 1000):
        own = {"events": [FinishedEvent("tick", START, {"n": number})]} if number % 100 == 0 else {}
        attributes = {"n": number} if number % 3 == 0 else shared
        sent.append(span(number, parent=1, name="step", attributes=attributes, **own))
    writer.deliver(SHOP, sent)
    got = stored(path)
    assert [(one.span_id, one.start_ns, one.duration_ns) for one in got] == [
        (f"{one.span_id:016x}", one.start_ns, one.duration_ns) for one in sent
    ]
    assert [one.attributes for one in got] == [one.attributes for one in sent]
    assert [[event.attributes for event in one.events] for one in got] == [
        [event.attributes for event in one.events] for one in sent
    ]
    assert sum(one.parent_id is None for one in got) == 1


@pytest.mark.parametrize(
    ("poison", "kept"),
    [
        ({"name": "\udc80"}, {"name": "\\udc80"}),
        ({"attributes": {"\ud800": "\udfff", "ok": 1}}, {"attributes": {"\\ud800": "\\udfff", "ok": 1}}),
        ({"attributes": {"x": float("nan"), "y": float("-inf")}}, {"attributes": {"x": "NaN", "y": "-Infinity"}}),
        ({"start_ns": 2**70}, {"start_ns": 2**63 - 1}),
        ({"duration_ns": -(2**70)}, {"duration_ns": 0}),
        ({"attributes": {"x": object()}}, {"attributes": {"x": "<object>"}}),
        ({"attributes": {"x": b"\xff"}}, {"attributes": {"x": "\\xff"}}),
        ({"attributes": {"x": 10**5000}}, {"attributes": {"x": hex(10**5000)}}),
    ],
    ids=["name", "keys", "not a number", "late", "backwards", "object", "bytes", "long integer"],
)
def test_what_cannot_be_stored_is_made_storable_and_its_neighbours_are_untouched(path, writer, poison, kept):
    writer.deliver(SHOP, [span(1), span(2, parent=1, **poison), span(3, parent=1)])
    got = {one.span_id: one for one in stored(path)}
    assert len(got) == 3
    (changed,) = kept
    assert getattr(got[f"{2:016x}"], changed) == kept[changed]
    assert got[f"{1:016x}"].name == "call 1"
    assert writer.refused == 0


def test_a_poisoned_span_costs_itself_only(path, writer):
    writer.deliver(SHOP, [span(1), span(2, events=[None]), span(3, parent=1)])
    assert [one.name for one in stored(path)] == ["call 1", "call 3"]
    assert writer.refused == 1
    with StoreReader(path) as reader:
        assert reader.traces()[0].spans == 2


def test_a_poisoned_resource_loses_nothing(path, writer):
    writer.deliver(Resource("sh\udc80p", {"x": float("nan")}), [span()])
    assert stored(path)[0].service == "sh\\udc80p"


def test_traces_are_listed_newest_first_with_their_whole_extent(path, writer):
    writer.deliver(
        SHOP, [span(1, trace=1), span(2, trace=2), span(3, trace=2, parent=2, status="error", duration_ns=100)]
    )
    writer.deliver(Resource("bank", {}), [span(9, trace=2, parent=3, local_root=True, start_ns=START + 50)])
    with StoreReader(path) as reader:
        newest, oldest = reader.traces()
    assert (newest.trace_id, newest.endpoint, newest.services) == (f"{2:032x}", "call 2", ("shop", "bank"))
    assert (newest.start_ns, newest.duration_ns) == (START + 2, 101)
    assert (newest.spans, newest.errors, newest.status) == (3, 1, "error")
    assert (oldest.spans, oldest.errors, oldest.status) == (1, 0, "ok")


def test_the_root_names_the_trace_even_when_its_child_started_on_an_earlier_clock(path, writer):
    writer.deliver(SHOP, [span(9, parent=1, local_root=True, start_ns=START - 10)])
    writer.deliver(SHOP, [span(1)])
    with StoreReader(path) as reader:
        assert reader.traces()[0].endpoint == "call 1"
        assert reader.traces(endpoint="call [0-3]")
        assert not reader.traces(endpoint="call 9")


def test_a_prefix_that_names_two_traces_is_refused(path, writer):
    writer.deliver(SHOP, [span(1, trace=0xA1 << 120), span(2, trace=0xA2 << 120)])
    with StoreReader(path) as reader:
        assert len(reader.find("a")) == 2
        assert len(reader.trace("a2")) == 1
        with pytest.raises(StoreError, match="'a' names 2 traces"):
            reader.trace("a")


def test_the_folder_is_private_and_ignored_by_git(path, writer):
    writer.deliver(SHOP, [span()])
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (path.parent / ".gitignore").read_text() == "*\n"


def test_a_run_replaces_its_own_row(path, writer):
    run = Run(pid=7, service="shop", started_ns=5, command="app.py \udc80", rate=0.5, rule="here", unmatched=("a:b",))
    writer.record_run(run)
    writer.record_run(Run(pid=7, service="shop", started_ns=5, command="app.py", roots_seen=3))
    writer.record_run(Run(pid=8, service="shop", started_ns=6, command="app.py", unmatched=("a:b", "c:d")))
    with StoreReader(path) as reader:
        latest, first = reader.runs()
    assert latest.unmatched == ("a:b", "c:d")
    assert (first.pid, first.roots_seen) == (7, 3)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot make the store's directory: .*AUTOTRACE_STORE"):
        StoreWriter(tmp_path / "file" / "traces.db").deliver(SHOP, [span()])
    (tmp_path / "folder" / "traces.db").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot write to the store"):
        StoreWriter(tmp_path / "folder" / "traces.db").deliver(SHOP, [span()])


def test_the_database_of_another_program_is_left_as_it_was(tmp_path):
    path = tmp_path / "app.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE orders (id)")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="database of another program"):
        StoreWriter(path).deliver(SHOP, [span()])
    with pytest.raises(StoreError, match="database of another program"):
        StoreReader(path)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version_says_so(path, writer):
    writer.deliver(SHOP, [span()])
    writer.close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreError, match="version 99, this autotrace reads 2; upgrade"):
        StoreReader(path)


def test_a_store_of_the_version_before_is_read_as_it_is_and_brought_up_to_date_by_a_writer(path, writer):
    writer.deliver(SHOP, [span()])
    writer.record_run(Run(pid=7, service="shop", started_ns=5, command="app.py"))
    writer.close()
    older = sqlite3.connect(path)
    for column in ("endpoints", "overhead", "dropped", "lost"):
        older.execute(f"ALTER TABLE runs DROP COLUMN {column}")
    older.execute("DROP TABLE heartbeats")
    older.execute("PRAGMA user_version = 1")
    older.close()
    with StoreReader(path) as reader:
        assert reader.runs() == [Run(pid=7, service="shop", started_ns=5, command="app.py")]
    newer = Run(
        pid=8,
        service="shop",
        started_ns=6,
        command="app.py",
        overhead="{}",
        dropped=3,
        lost=4,
        endpoints=(EndpointCounts("GET /", "all", 3),),
    )
    writer.record_run(newer)
    with StoreReader(path) as reader:
        assert reader.runs() == [newer, Run(pid=7, service="shop", started_ns=5, command="app.py")]
        assert reader._query("SELECT count(*) FROM heartbeats") == [(0,)]


def test_a_store_removed_under_the_writer_is_made_again(path, writer):
    writer.deliver(SHOP, [span(1)])
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    writer.deliver(SHOP, [span(2)])
    assert [one.name for one in stored(path)] == ["call 2"]


def test_a_reader_holds_nothing_that_keeps_the_log_growing(path, writer):
    writer.deliver(SHOP, [span()])
    with StoreReader(path) as reader:
        assert reader.traces()
        assert reader.trace("0" * 31 + "1")
        assert not reader._connection.in_transaction
        writer.close()
        checkpoint = sqlite3.connect(path)
        assert checkpoint.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        checkpoint.close()


def test_our_own_calls_never_go_through_the_function_that_is_traced(path, monkeypatch):
    def traced(*arguments, **names):
        raise AssertionError("sqlite3.connect was called")

    monkeypatch.setattr(sqlite3, "connect", traced)
    writer = StoreWriter(path)
    writer.deliver(SHOP, [span()])
    writer.close()
    assert stored(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_of_a_fork_without_hooks_writes_though_a_thread_of_the_parent_was_writing(path):
    code = """
        import ctypes, os, signal, sys
        import autotrace.store.write as write
        sys.path.insert(0, sys.argv[2])
        from test_store import SHOP, span
        writer = write.StoreWriter(sys.argv[1])
        with writer._lock:
            pid = ctypes.PyDLL(None).fork()
            if pid == 0:
                signal.alarm(10)
                writer.deliver(SHOP, [span(1)])
                os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    """
    done = run_python(code, path, Path(__file__).parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert [one.name for one in stored(path)] == ["call 1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("hooks", ["kept", "removed"])
def test_parent_and_forked_child_both_write_and_none_shares_a_connection(path, hooks):
    # Removed: as uWSGI forks, without Python's hooks.
    code = """
        import os, sys
        import autotrace.store.write as write
        sys.path.insert(0, sys.argv[3])
        from test_store import SHOP, span
        if sys.argv[2] == "removed":
            write._WRITERS.clear()
        writer = write.StoreWriter(sys.argv[1])
        if sys.argv[2] == "removed":
            write._WRITERS.clear()
        writer.deliver(SHOP, [span(1)])
        mine = writer._connection
        pid = os.fork()
        if pid == 0:
            writer.deliver(SHOP, [span(2)])
            assert writer._connection is not mine
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        writer.deliver(SHOP, [span(3)])
        writer.close()
    """
    done = run_python(code, path, hooks, Path(__file__).parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert [one.name for one in stored(path)] == ["call 1", "call 2", "call 3"]


def test_processes_that_create_one_store_at_the_same_moment_all_succeed(path):
    code = """
        import sys
        sys.path.insert(0, sys.argv[2])
        from load import Resource, StoreWriter, batch
        StoreWriter(sys.argv[1]).deliver(Resource("load", {}), batch(1))
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", textwrap.dedent(code), str(path), str(Path(__file__).parent)]
    creators = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) for _ in range(6)]
    assert [creator.communicate(timeout=60)[1] for creator in creators] == [""] * 6
    with StoreReader(path) as reader:
        assert reader.trace_count() == 6 * 40


def test_four_writing_processes_and_an_open_reader_lose_nothing():
    script = Path(__file__).with_name("load.py")
    done = subprocess.run(
        [sys.executable, str(script), "--processes", "4", "--seconds", "3"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["delivered"] > 1000


def test_the_store_lies_beside_the_config_unless_told_otherwise(tmp_path):
    assert Path(locate(None, str(tmp_path), {})) == tmp_path / ".autotrace" / "traces.db"
    assert Path(locate("a/b.db", str(tmp_path), {})) == tmp_path / "a" / "b.db"
    assert Path(locate("/var/b.db", str(tmp_path), {})) == Path("/var/b.db")
    assert Path(locate("a.db", str(tmp_path), {"AUTOTRACE_STORE": str(tmp_path / "c.db")})) == tmp_path / "c.db"
    assert Path(locate(str(tmp_path), "/", {})) == tmp_path / "traces.db"


def test_a_signal_handler_that_writes_in_the_middle_of_a_write_is_refused_at_once(path, writer):
    refused = []

    class Interrupted(list):
        def __iter__(self):
            with pytest.raises(StoreError, match="this very thread is writing") as error:
                writer.write_keeps([1])
            refused.append(error)
            return super().__iter__()

    writer.deliver(SHOP, Interrupted([span()]))
    assert len(refused) == 1
    assert [one.name for one in stored(path)] == ["call 1"]


def test_what_is_kept_is_heard_also_in_a_store_that_was_made_anew(path, writer):
    other = StoreWriter(path)
    for trace_id in range(1, 6):
        other.write_keeps([trace_id])
    assert sorted(writer.read_keeps()) == [1, 2, 3, 4, 5]
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    other.write_keeps([6])
    assert writer.read_keeps() == [6]
    other.close()
