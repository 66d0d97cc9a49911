"""`autotrace traces` and `autotrace show`, each run as a process of its own."""

import json
import os
import subprocess
import sys

import pytest
from stories import PAYMENTS, finished

from autotrace.store.run import Run
from autotrace.store.write import StoreWriter

COMMAND = """
import argparse, importlib, sys
module = importlib.import_module("autotrace.cli." + sys.argv[1])
parser = argparse.ArgumentParser()
module.add_arguments(parser)
sys.exit(module.run(parser.parse_args(sys.argv[2:])))
"""


def run(*arguments, cwd=None, check=True, **environment):
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AUTOTRACE")}
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        cwd=cwd,
        env={**inherited, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "100", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    if check:
        assert done.returncode == 0, done.stderr
    return done


def run_of(**values):
    return Run(**{"pid": 42, "service": "shop", "started_ns": 1, "command": "app.py", **values})


def test_traces_lists_id_endpoint_and_services(store):
    line = run("traces", "--store", store, COLUMNS="140").stdout.splitlines()[1]
    assert "4bf92f3577b34da6a3ce929d0e0e4736" in line
    assert "POST /orders [order-service, payment-service]" in line


def test_traces_as_json_is_a_list_of_traces(store):
    (trace,) = json.loads(run("traces", "--format", "json", "--store", store).stdout)
    assert trace == {
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "start_ns": 1_700_000_000_000_000_000, "duration_ns": 100_000_000,
        "services": ["order-service", "payment-service"], "endpoint": "POST /orders", "spans": 6, "errors": 2,
        "status": "error",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        (("--service", "payment-service"), 1), (("--service", "other"), 0), (("--endpoint", "POST *"), 1),
        (("--endpoint", "GET *"), 0), (("--error",), 1), (("--min-duration", "100ms"), 1), (("--min-duration", "1s"), 0),
    ],
)  # fmt: skip
def test_traces_are_chosen_by_filters(store, filters, count):
    done = run("traces", *filters, "--format", "json", "--store", store)
    assert len(json.loads(done.stdout)) == count
    assert ("No trace matches" in done.stderr) == (count == 0)


def test_a_duration_without_a_unit_is_refused_with_what_would_be_right(store):
    done = run("traces", "--min-duration", "500", "--store", store, check=False)
    assert done.returncode == 2
    assert "'500' is no duration; write 500ms" in done.stderr


def test_show_draws_the_newest_trace(store):
    assert "└─ POST /pay" in run("show", "--store", store).stdout


def test_show_takes_a_prefix_and_draws_the_tree_alone(store):
    out = run("show", "4bf9", "--tree", "--store", store).stdout
    assert out.startswith("POST /orders [order-service] server\n├─ ")


def test_show_as_json_is_a_list_of_spans(store):
    spans = json.loads(run("show", "4BF92F35-77b3", "--format", "json", "--store", store).stdout)
    root = spans[0]
    assert {key: root[key] for key in ("span_id", "parent_id", "service", "name", "kind", "status")} == {
        "span_id": "0000000000000001", "parent_id": None, "service": "order-service", "name": "POST /orders",
        "kind": "server", "status": "unset",
    }  # fmt: skip
    assert set(root) == {
        "trace_id", "span_id", "parent_id", "service", "name", "kind", "start_ns", "duration_ns", "status", "attributes",
        "events", "status_message", "links", "scope",
    }  # fmt: skip
    assert {span["parent_id"] for span in spans if span["name"] == "POST /pay"} == {"0000000000000004"}


def test_show_finds_an_external_id_and_the_last_error(store):
    writer = StoreWriter(store)
    writer.deliver(
        PAYMENTS,
        [finished(9, 0, "process", at=5000, trace=7, attributes={"autotrace.external_id": "xyz-123"}, root=True)],
    )
    writer.close()
    assert run("show", "xyz-123", "--tree", "--store", store).stdout == "process [payment-service]\n"
    assert run("show", "--tree", "--store", store).stdout == "process [payment-service]\n"
    assert run("show", "--last-error", "--tree", "--store", store).stdout.startswith("POST /orders")


def test_an_ambiguous_prefix_lists_the_candidates(store):
    writer = StoreWriter(store)
    writer.deliver(PAYMENTS, [finished(9, 0, "other", trace=0x4BF9 << 112, root=True)])
    writer.close()
    done = run("show", "4bf9", "--store", store, check=False)
    assert done.returncode == 1
    assert "'4bf9' names 2 traces" in done.stderr
    assert "4bf90000000000000000000000000000" in done.stderr
    assert "4bf92f3577b34da6a3ce929d0e0e4736" in done.stderr


def test_an_unknown_id_says_what_to_do(store):
    done = run("show", "ffff", "--store", store, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "No trace id starts with 'ffff'" in done.stderr


def test_without_a_store_it_says_how_to_get_one(tmp_path):
    done = run("traces", cwd=tmp_path)
    assert "No run yet" in done.stdout
    assert "python -m autotrace app.py" in done.stdout
    done = run("show", cwd=tmp_path, check=False)
    assert done.returncode == 1
    assert "No run yet" in done.stderr


def test_a_store_where_nothing_matched_names_the_targets(empty):
    path = empty(run_of(unmatched=("shop:Ordr.create (did you mean Order.create?)",)))
    out = run("traces", "--store", path).stdout
    assert "Nothing was traced: `app.py` (pid 42, shop) ran, but no traced place was called." in out
    assert "shop:Ordr.create (did you mean Order.create?)" in out


def test_a_store_where_all_was_sampled_out_says_seen_kept_rate_and_rule(empty):
    path = empty(run_of(roots_seen=30, rate=0.01, rule="[sampler] rate = 0.01"))
    done = run("show", "--store", path, check=False)
    assert "30 seen, 0 kept (rate 0.01, by [sampler] rate = 0.01)" in done.stderr


def test_an_empty_store_of_traces_that_were_lost_on_the_way_says_so(empty):
    path = empty(run_of(roots_seen=9, roots_kept=7, dropped=171_234, lost=12), run_of(pid=43, started_ns=2))
    assert run("traces", "--store", path).stdout.splitlines() == [
        f"No trace in {path}, though 7 of 9 were kept:",
        "171,234 spans were kept, but never exported: too many waited ([buffer] memory), or the program ended "
        "([shutdown] timeout); last in `app.py` (pid 42, shop).",
        "12 spans were kept, but not taken by an exporter that failed; last in `app.py` (pid 42, shop).",
    ]


def test_the_store_is_found_beside_the_config_from_a_folder_below(store):
    (store.parent.parent / "tracing.toml").write_text('service_name = "shop"\n')
    below = store.parent.parent / "a" / "b"
    below.mkdir(parents=True)
    assert "POST /orders" in run("show", "--tree", cwd=below).stdout


def test_the_store_is_found_where_the_config_and_the_environment_say(store, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    config = other / "tracing.toml"
    config.write_text('[store]\npath = "${PLACE}/traces.db"\n')
    done = run("show", "--tree", cwd=other, PLACE=str(store.parent))
    assert done.stdout.startswith("POST /orders")
    assert (
        run("show", "--tree", cwd=tmp_path, AUTOTRACE_CONFIG=str(config), PLACE=str(store.parent)).stdout == done.stdout
    )
    assert run("show", "--tree", cwd=other, AUTOTRACE_STORE=str(store)).stdout == done.stdout


def test_a_file_that_is_no_store_is_one_sentence(tmp_path):
    (tmp_path / "traces.db").write_bytes(b"hello" * 1000)
    done = run("traces", "--store", tmp_path / "traces.db", check=False)
    assert done.returncode == 1
    assert "not a store of autotrace" in done.stderr


def test_a_reader_that_went_away_is_no_error(store):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "show", "--store", str(store)],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_terminal_that_cannot_say_box_characters_gets_plain_ones(store):
    out = run("show", "--tree", "--store", store, PYTHONIOENCODING="ascii").stdout
    assert "|- OrderService.create_order" in out


def test_looking_imports_neither_opentelemetry_nor_pydantic(store):
    script = (
        "import runpy, sys\nsys.argv = ['x', 'show', '--store', sys.argv[1]]\n"
        f"try:\n    exec({COMMAND!r})\nexcept SystemExit:\n    pass\n"
        "assert not {'opentelemetry', 'pydantic', 'wrapt', 'asyncio'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, str(store)],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
    )
