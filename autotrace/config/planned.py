"""What a later release will understand: data, from which an entry is deleted when its feature is built.

A key path is written with dots; `[]` stands for each element of an array (`sampler.endpoints[].inbound`).
"""

from __future__ import annotations

PLANNED_KEYS = frozenset(
    {
        "spool",
        "logging",
        "allow_python",
        "services[].record",
        "targets[].record",
        "sampler.target_per_second",
        "sampler.per_second",
        "sampler.min_rate",
        "sampler.min_per_second",
        "sampler.inbound",
        "sampler.endpoints[].inbound",
        "sampler.endpoints[].per_second",
        "sampler.endpoints[].target_per_second",
        "sampler.keep.tags",
        "sampler.keep.per_second",
        "store.max_age",
        "store.max_size",
        "exporters[].headers",
        "exporters[].path",
    }
)

PLANNED_VALUES: dict[str, frozenset[str]] = {
    "sampler.type": frozenset({"rate_limiting", "adaptive", "jaeger_remote"}),
    "exporters[].type": frozenset({"zipkin", "file", "console"}),
    "propagation.formats[]": frozenset({"b3", "b3multi", "jaeger"}),
    "targets[].as": frozenset({"rpc.client", "rpc.server"}),
}

PLANNED_FIELD_PREFIX = "python:"
"""A field of this form will name Python code (`allow_python = true`)."""
