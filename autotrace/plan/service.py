"""What code says of one service of its own: takes the plan of its config, gives the parts that hold for a service."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from autotrace.plan.plan import ExporterSettings, Plan, SamplerSettings


class ServiceSettings(NamedTuple):
    """None for what is the process's; all else of a config (targets, propagation, the store) is always the process's."""

    resource: tuple[tuple[str, str], ...] = ()
    sampler: SamplerSettings | None = None
    exporters: tuple[ExporterSettings, ...] | None = None


def settings_of(plan: Plan, given: Collection[str]) -> ServiceSettings:
    """The settings of a service whose config has the top-level keys `given`."""
    return ServiceSettings(
        plan.resource,
        plan.sampler if "sampler" in given else None,
        plan.exporters if "exporters" in given else None,
    )
