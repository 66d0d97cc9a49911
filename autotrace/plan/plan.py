"""The whole of what one process does: takes nothing, gives frozen data that every later stage reads."""

from __future__ import annotations

from typing import NamedTuple

from autotrace.plan.target import Origin, Target


class EndpointRule(NamedTuple):
    """One entry of `[[sampler.endpoints]]`; `rate` is a probability from 0 to 1, `slower_than_ns` in nanoseconds.

    Where `record` is false, nothing of its traces is recorded.
    """

    endpoint: str
    rate: float | None
    slower_than_ns: int | None
    origin: Origin
    record: bool = True


class SamplerSettings(NamedTuple):
    """`type` is always_on, always_off or probabilistic; `rate` is a probability from 0 to 1."""

    type: str = "always_on"
    rate: float = 1.0
    endpoints: tuple[EndpointRule, ...] = ()
    keep_errors: bool = True
    keep_slower_than_ns: int | None = None
    keep_ignore: tuple[str, ...] = ()


class PropagationSettings(NamedTuple):
    """Which families carry the context, and in which formats."""

    http: bool = True
    grpc: bool = True
    messaging: bool = True
    database: bool = False
    formats: tuple[str, ...] = ("tracecontext", "baggage", "x-trace")
    response: bool = False
    baggage_hosts: tuple[str, ...] = ()


class ExporterSettings(NamedTuple):
    """One entry of `[[exporters]]`; `endpoint` is a URL and may hold a password, a request may take `timeout_ns`."""

    type: str = "sqlite"
    endpoint: str = ""
    timeout_ns: int = 2_000_000_000

    def __repr__(self) -> str:
        return f"ExporterSettings({self.type!r}, timeout_ns={self.timeout_ns})"


class StoreSettings(NamedTuple):
    """Where the local store lies, relative to the plan's directory; None: `.autotrace/traces.db` in it."""

    path: str | None = None


class BufferSettings(NamedTuple):
    """How many finished spans one local root may hold, and bytes all of them together may hold."""

    spans_per_trace: int = 5000
    memory: int = 64 * 1024 * 1024


class Plan(NamedTuple):
    """A Config compiled for one process: every stage after `plan` reads this, and nothing of `config`.

    Without a config it has only what its process says of itself. The integrations are the same for all processes: see
    `autotrace.plan.integration`.
    """

    service_name: str
    targets: tuple[Target, ...] = ()
    config_file: str | None = None
    directory: str = "."
    how: str = "auto"
    sampler: SamplerSettings = SamplerSettings()
    propagation: PropagationSettings = PropagationSettings()
    exporters: tuple[ExporterSettings, ...] = (ExporterSettings(),)
    store: StoreSettings = StoreSettings()
    buffer: BufferSettings = BufferSettings()
    shutdown_timeout_ns: int = 2_000_000_000
    resource: tuple[tuple[str, str], ...] = ()
    is_shared: bool = False
    """Whether the file is for several programs, so that a target which this one never imports says nothing."""
