"""From a checked config to the plan of one process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from autotrace.config.units import duration_ns, quantile, size_bytes
from autotrace.plan.plan import (
    BufferSettings,
    EndpointRule,
    ExporterSettings,
    Plan,
    PropagationSettings,
    SamplerSettings,
    StoreSettings,
)
from autotrace.plan.target import Origin, Target

if TYPE_CHECKING:
    from autotrace.config.load import Loaded
    from autotrace.config.model import Exporter, Service, TargetEntry
    from autotrace.config.sampler import Endpoint, Sampler


def build(loaded: Loaded, service_name: str = "python", directory: str = ".") -> Plan:
    """The plan of a config; `service_name` and the working `directory` hold where the config says nothing."""
    model = loaded.model
    folder = str(loaded.path.parent) if loaded.path else directory
    return Plan(
        service_name=model.service_name or service_name,
        targets=tuple(target for _, target in user_targets(loaded)),
        config_file=str(loaded.path) if loaded.path else None,
        directory=folder,
        how=model.how,
        sampler=_sampler(model.sampler, loaded),
        propagation=PropagationSettings(
            http=model.propagation.http,
            grpc=model.propagation.grpc,
            messaging=model.propagation.messaging,
            database=model.propagation.database,
            formats=model.propagation.formats,
            response=model.propagation.response,
            baggage_hosts=model.propagation.baggage_hosts,
        ),
        exporters=tuple(map(_exporter, model.exporters)) or (ExporterSettings(),),
        store=StoreSettings(model.store.path),
        buffer=BufferSettings(model.buffer.spans_per_trace, size_bytes(model.buffer.memory)),
        shutdown_timeout_ns=duration_ns(model.shutdown.timeout),
        resource=tuple(model.resource.items()),
        is_shared=bool(model.processes),
    )


def user_targets(loaded: Loaded) -> Iterator[tuple[tuple[str, int], Target]]:
    """The targets of the file in its order, each with the key path of its entry; a service gives one per name."""
    for index, service in enumerate(loaded.model.services):
        for target in _service_targets(service, _origin(loaded, "services", index), loaded.model.how):
            yield ("services", index), target
    for index, entry in enumerate(loaded.model.targets):
        yield ("targets", index), _target(entry, _origin(loaded, "targets", index), loaded.model.how)


def _service_targets(service: Service, origin: Origin, how: str) -> Iterator[Target]:
    module, included, excluded = _service_names(service)
    for qualname in included:
        yield Target(
            module=module,
            qualname=qualname,
            origin=origin,
            exclude=excluded,
            tags=tuple(service.tags.items()),
            span=service.span,
            service=service.name,
            how=service.how or how,
            min_duration_ns=duration_ns(service.min_duration) if service.min_duration else 0,
            evaluate=service.evaluate,
        )


def _service_names(service: Service) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The module, the qualified names that are included, and those that are excluded."""
    module, _, name = service.at.partition(":")
    methods = service.methods
    if methods is None:
        if name and not _names_class(name):
            return module, (name,), ()
        methods = ("*", "!_*") if name else ("*",)
    prefix = f"{name}." if name else ""
    included = tuple(prefix + method for method in methods if not method.startswith("!"))
    return module, included, tuple(prefix + method[1:] for method in methods if method.startswith("!"))


def _names_class(name: str) -> bool:
    first_letter = next((character for character in name.rpartition(".")[2] if character.isalpha()), "")
    return first_letter.isupper()


def _target(entry: TargetEntry, origin: Origin, how: str) -> Target:
    module, _, qualname = entry.at.partition(":")
    return Target(
        module=module,
        qualname=qualname,
        origin=origin,
        convention=entry.convention,
        fields=tuple((entry.model_extra or {}).items()),
        tags=tuple(entry.tags.items()),
        span=entry.span,
        how=entry.how or how,
        min_duration_ns=duration_ns(entry.min_duration) if entry.min_duration else 0,
        evaluate=entry.evaluate,
    )


_FIRST_RATES = {"always_off": 0.0, "rate_limiting": 0.0, "adaptive": 0.1, "jaeger_remote": 0.001}


def _sampler(sampler: Sampler, loaded: Loaded) -> SamplerSettings:
    kind = sampler.type or ("always_on" if sampler.rate is None else "probabilistic")
    keep = sampler.keep
    given = {
        name: value
        for name in ("per_second", "target_per_second", "min_rate", "min_per_second", "server")
        if (value := getattr(sampler, name)) is not None
    }
    return SamplerSettings(
        type=kind,
        rate=_FIRST_RATES.get(kind, 1.0) if sampler.rate is None else sampler.rate,
        endpoints=tuple(_rule(endpoint, loaded, index) for index, endpoint in enumerate(sampler.endpoints)),
        keep_errors=keep.errors,
        keep_slower_than_ns=_threshold_ns(keep.slower_than),
        keep_slower_than_quantile=_threshold_quantile(keep.slower_than),
        keep_ignore=keep.ignore,
        keep_tags=tuple(keep.tags.items()),
        keep_per_second=keep.per_second,
        keep_background_per_second=keep.background_per_second,
        inbound=sampler.inbound,
        poll_ns=duration_ns(sampler.poll or "60s"),
        **given,
    )


def _rule(endpoint: Endpoint, loaded: Loaded, index: int) -> EndpointRule:
    place = loaded.place(("sampler", "endpoints", index, "endpoint"))
    return EndpointRule(
        endpoint=endpoint.endpoint,
        rate=endpoint.rate,
        slower_than_ns=_threshold_ns(endpoint.slower_than),
        origin=Origin(loaded.file, place.line, place.column),
        record=endpoint.record,
        per_second=endpoint.per_second,
        inbound=endpoint.inbound,
        slower_than_quantile=_threshold_quantile(endpoint.slower_than),
        errors=endpoint.errors,
    )


def _exporter(entry: Exporter) -> ExporterSettings:
    return ExporterSettings(entry.type, entry.endpoint or "", duration_ns(entry.timeout or "2s"))


def _threshold_ns(threshold: str | None) -> int | None:
    return None if threshold is None or quantile(threshold) is not None else duration_ns(threshold)


def _threshold_quantile(threshold: str | None) -> float | None:
    return None if threshold is None else quantile(threshold)


def _origin(loaded: Loaded, section: str, index: int) -> Origin:
    place = loaded.place((section, index, "at"))
    return Origin(loaded.file, place.line, place.column)
