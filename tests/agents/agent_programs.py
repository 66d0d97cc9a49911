"""The programs of the tests: each initialises a tracing agent as its users do, and asks a server once, in a function."""

from __future__ import annotations

IMPORT = "import requests\n"
WORK = """

def work(address):
    return requests.get(address, timeout=5).status_code

"""
PLAIN = "print(work(sys.argv[1]))\n"

SENTRY = """
import sentry_sdk
from sentry_sdk.transport import Transport

class Nowhere(Transport):
    def capture_envelope(self, envelope):
        print("envelope", [item.type for item in envelope.items])

sentry_sdk.init(dsn="http://public@127.0.0.1:9/1", transport=Nowhere, traces_sample_rate=1OPTIONS)
"""
SENTRY_CALL = """with sentry_sdk.start_transaction(op="task", name="job"):
    print(work(sys.argv[1]))
"""

OPENTELEMETRY = """
from opentelemetry.instrumentation.requests import RequestsInstrumentor
PROVIDER
RequestsInstrumentor().instrument()
"""
PROVIDER = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
trace.set_tracer_provider(TracerProvider())
trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))
"""
EXPORTED = PLAIN + "print([span.name for span in exporter.get_finished_spans()])\n"

DDTRACE_PATCH = """
import ddtrace
ddtrace.patch(requests=True)
"""
DDTRACE_AUTO = "\nimport ddtrace.auto\n"
DDTRACE_CALL = """from ddtrace.trace import tracer
with tracer.trace("job") as root:
    print(work(sys.argv[1]))
print(root.name, root.error)
"""


def program(agent: str, call: str = PLAIN, agent_first: bool = True) -> str:
    """The agent before the library that it patches, or after it."""
    parts = (agent, IMPORT) if agent_first else (IMPORT, agent)
    return "import sys\n" + "".join(parts) + WORK + call


# Importing every integration that Sentry finds takes seconds: one order does, the other leaves them out.
PROGRAMS = {
    "sentry, then requests": program(SENTRY.replace("OPTIONS", ""), SENTRY_CALL),
    "requests, then sentry": program(
        SENTRY.replace("OPTIONS", ", auto_enabling_integrations=False"), SENTRY_CALL, agent_first=False
    ),
    "opentelemetry without a provider": program(OPENTELEMETRY.replace("PROVIDER", "")),
    "opentelemetry with a provider": program(OPENTELEMETRY.replace("PROVIDER", PROVIDER), EXPORTED, agent_first=False),
    "ddtrace.auto, then requests": program(DDTRACE_AUTO, DDTRACE_CALL),
    "requests, then ddtrace.patch": program(DDTRACE_PATCH, DDTRACE_CALL, agent_first=False),
}

# The header by which an agent shows, without autotrace, that it was at work; OpenTelemetry's API alone sends none.
OWN_HEADERS = {
    name: "sentry-trace" if "sentry" in name else "x-datadog-trace-id" if "ddtrace" in name else "traceparent"
    for name in PROGRAMS
    if name != "opentelemetry without a provider"
}
