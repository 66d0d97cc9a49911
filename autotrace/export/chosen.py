"""Which exporters a plan asks for: takes their settings and the local store's writer, gives one exporter for each."""

from __future__ import annotations

from collections.abc import Iterable

from autotrace.export.exporter import Exporter
from autotrace.plan.plan import ExporterSettings


def choose(settings: Iterable[ExporterSettings], store: Exporter) -> tuple[Exporter, ...]:
    """The exporters in the order of the file; what is written twice is made once."""
    return tuple(_make(one, store) for one in dict.fromkeys(settings))


def _make(settings: ExporterSettings, store: Exporter) -> Exporter:
    if settings.type == "jaeger":
        from autotrace.export.jaeger import JaegerExporter  # only where it is configured

        return JaegerExporter(settings.endpoint, settings.timeout_ns)
    if settings.type == "otlp":
        from autotrace.export.otlp_exporter import OtlpExporter  # likewise

        return OtlpExporter(settings.endpoint, settings.timeout_ns)
    return store
