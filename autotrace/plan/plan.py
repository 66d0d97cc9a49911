"""The whole of what one process does: takes nothing, gives frozen data that every later stage reads."""

from __future__ import annotations

from typing import NamedTuple

from autotrace.plan.target import Origin, Target


class EndpointRule(NamedTuple):
    """One entry of `[[sampler.endpoints]]`; None where the sampler decides.

    `rate` is a probability from 0 to 1; `per_second` traces are sampled first; what is slower than `slower_than_ns`
    nanoseconds, or than the share `slower_than_quantile` (0 to 1) of its endpoint, is kept. Where `record` is false,
    nothing of its traces is recorded.
    """

    endpoint: str
    rate: float | None
    slower_than_ns: int | None
    origin: Origin
    record: bool = True
    per_second: float | None = None
    inbound: str | None = None
    slower_than_quantile: float | None = None
    errors: bool | None = None


class SamplerSettings(NamedTuple):
    """`type` is always_on, always_off, probabilistic, rate_limiting, adaptive or jaeger_remote; `inbound` trust, own or
    ignore; `rate` a probability from 0 to 1. What counts per second is a number of traces.
    """

    type: str = "always_on"
    rate: float = 1.0
    endpoints: tuple[EndpointRule, ...] = ()
    keep_errors: bool = True
    keep_slower_than_ns: int | None = None
    keep_ignore: tuple[str, ...] = ()
    keep_slower_than_quantile: float | None = None
    keep_tags: tuple[tuple[str, str | bool | int | float], ...] = ()
    keep_per_second: float = 100.0
    keep_background_per_second: float = 0.0
    inbound: str = "trust"
    per_second: float = 0.0
    target_per_second: float = 5.0
    min_rate: float = 0.00001
    min_per_second: float = 1 / 60
    server: str = "http://localhost:5778/sampling"
    poll_ns: int = 60_000_000_000

    def __repr__(self) -> str:
        # Without `server`, whose URL may hold a password.
        return f"SamplerSettings({self.type!r}, rate={self.rate!r})"


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
