"""What a later release will understand: data, from which an entry is deleted when its feature is built.

A key path is written with dots; `[]` stands for each element of an array (`exporters[].headers`).
"""

from __future__ import annotations

PLANNED_KEYS = frozenset(
    {
        "spool",
        "logging",
        "allow_python",
        "services[].record",
        "targets[].record",
        "store.max_age",
        "store.max_size",
        "exporters[].headers",
        "exporters[].path",
    }
)

PLANNED_VALUES: dict[str, frozenset[str]] = {
    "exporters[].type": frozenset({"zipkin", "file", "console"}),
    "propagation.formats[]": frozenset({"b3", "b3multi", "jaeger"}),
    "targets[].as": frozenset({"rpc.client", "rpc.server"}),
}

PLANNED_FIELD_PREFIX = "python:"
"""A field of this form will name Python code (`allow_python = true`)."""
