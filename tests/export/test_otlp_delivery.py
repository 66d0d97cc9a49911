"""How spans come to a receiver of OTLP over HTTP, with a real server, and what a bad span costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jaeger_sink import JaegerSink, sink
from otlp_messages import SHOP, attributes_of, decode, spans_of
from test_otlp_messages import finished

from autotrace.errors import ExportError
from autotrace.export.chosen import choose
from autotrace.export.otlp_exporter import OtlpExporter, traces_url
from autotrace.plan.plan import ExporterSettings
from autotrace.span.finished import FinishedSpan, Resource

ROOT = Path(__file__).parents[2]
SECOND = 10**9


def endpoint(receiver: JaegerSink) -> str:
    return f"http://127.0.0.1:{receiver.port}"


def delivered(receiver: JaegerSink, spans: list[FinishedSpan], resource: Resource = SHOP) -> OtlpExporter:
    exporter = OtlpExporter(endpoint(receiver), 5 * SECOND)
    exporter.deliver(resource, spans)
    exporter.close()
    return exporter


def received(receiver: JaegerSink) -> list[Any]:
    return [span for body in receiver.bodies for span in spans_of(decode(body))]


def test_a_batch_arrives_as_one_request_by_scope() -> None:
    with sink(200) as receiver:
        resource = Resource("shop", {"telemetry.sdk.version": "1.2"})
        delivered(receiver, [finished(name="a"), finished(name="b", scope="x"), finished(name="c")], resource)
    line, headers = receiver.requests[0]
    assert line == "POST /v1/traces HTTP/1.1"
    assert headers["Content-Type"] == "application/x-protobuf"
    (found,) = decode(receiver.bodies[0]).resource_spans
    assert attributes_of(found.resource.attributes) == {"service.name": "shop", "telemetry.sdk.version": "1.2"}
    assert [
        (scope.scope.name, scope.scope.version, [span.name for span in scope.spans]) for scope in found.scope_spans
    ] == [
        ("autotrace", "1.2", ["a", "c"]),
        ("x", "", ["b"]),
    ]


def test_a_batch_too_large_for_one_request_is_sent_in_several() -> None:
    spans = [finished(name=str(number), attributes={"text": "x" * 60_000}) for number in range(40)]
    with sink() as receiver:
        delivered(receiver, spans)
    assert [span.name for span in received(receiver)] == [str(number) for number in range(40)]
    assert len(receiver.bodies) == 3
    assert max(map(len, receiver.bodies)) < 1.1 * 1024 * 1024


def test_a_span_larger_than_a_request_goes_alone() -> None:
    large = {f"key{number}": "x" * 60_000 for number in range(40)}
    with sink() as receiver:
        delivered(receiver, [finished(name="a"), finished(name="large", attributes=large), finished(name="b")])
    assert [[span.name for span in spans_of(decode(body))] for body in receiver.bodies] == [["a"], ["large"], ["b"]]


def test_nothing_is_sent_for_no_spans() -> None:
    with sink() as receiver:
        delivered(receiver, [])
    assert receiver.bodies == []


class Unreadable(dict[str, Any]):
    """Attributes that cannot be read."""

    def items(self) -> Any:
        raise OSError


def test_a_broken_span_costs_itself_only() -> None:
    broken = [
        finished(attributes=Unreadable(a=1)),
        finished(start_ns=None),
        finished(events=7),
        finished(status="what"),
    ]
    with sink() as receiver:
        exporter = delivered(receiver, [finished(name="a"), *broken, finished(name="b")])
    assert [span.name for span in received(receiver)] == ["a", "b"]
    assert exporter.refused == len(broken)


def test_a_number_that_does_not_fit_becomes_the_nearest_that_does() -> None:
    with sink() as receiver:
        delivered(receiver, [finished(start_ns=-5, duration_ns=7), finished(start_ns=2**70), finished(scope=["odd"])])
    first, second, third = received(receiver)
    assert (first.start_time_unix_nano, first.end_time_unix_nano) == (0, 7)
    assert second.start_time_unix_nano == 2**63 - 1
    assert third.name == "create_order"


@pytest.mark.parametrize("status", [400, 404, 429, 503])
def test_an_answer_that_is_no_2xx_is_a_failure_that_names_it(status: int) -> None:
    with sink(status) as receiver:
        exporter = OtlpExporter(endpoint(receiver), SECOND)
        with pytest.raises(ExportError, match=f"^127.0.0.1:{receiver.port} answered {status} "):
            exporter.deliver(SHOP, [finished()])
        exporter.close()


@pytest.mark.parametrize(
    ("given", "posted"),
    [
        ("", "http://localhost:4318/v1/traces"),
        ("http://collector:4318", "http://collector:4318/v1/traces"),
        ("http://collector:4318/", "http://collector:4318/v1/traces"),
        ("https://me:secret@collector?tenant=7", "https://me:secret@collector/v1/traces?tenant=7"),
        ("http://collector/api/otlp", "http://collector/api/otlp"),
    ],
)
def test_an_endpoint_that_names_only_a_host_gets_the_path_of_otlp(given: str, posted: str) -> None:
    assert traces_url(given) == posted


def test_the_exporter_is_made_once_and_only_where_it_is_configured() -> None:
    settings = ExporterSettings("otlp", "http://127.0.0.1:1")
    made = choose([settings, ExporterSettings(), settings], store := OtlpExporter("", SECOND))
    assert [type(one) for one in made] == [OtlpExporter, OtlpExporter]
    assert made[1] is store


def test_protobuf_is_not_loaded() -> None:
    program = "import sys, autotrace.export.otlp_exporter; print([name for name in sys.modules if 'google' in name])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_program_exports_to_otlp(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "def create(number):\n    return charge(number)\n\ndef charge(number):\n    return number\n"
    )
    with sink() as receiver:
        (tmp_path / "tracing.toml").write_text(
            f'service_name = "order-service"\n[[services]]\nat = "shop"\ntags = {{ number = "number" }}\n'
            f'[[exporters]]\ntype = "otlp"\nendpoint = "{endpoint(receiver)}"\n'
        )
        (tmp_path / "app.py").write_text("import shop\nshop.create(7)\n")
        done = subprocess.run(
            [sys.executable, "-m", "autotrace", "app.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "AUTOTRACE_FAILURES": "raise"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
        (resource,) = decode(receiver.bodies[0]).resource_spans
        charge, create = received(receiver)
    described = attributes_of(resource.resource.attributes)
    assert (described["service.name"], described["telemetry.sdk.name"]) == ("order-service", "autotrace")
    assert resource.scope_spans[0].scope.version == described["telemetry.sdk.version"]
    assert (create.name, charge.name) == ("create", "charge")
    assert (charge.trace_id, charge.parent_span_id) == (create.trace_id, create.span_id)
    assert attributes_of(charge.attributes)["number"] == 7
    assert create.start_time_unix_nano <= charge.start_time_unix_nano <= charge.end_time_unix_nano
