"""Declarative distributed tracing: a `tracing.toml` names what to trace, `python -m autotrace app.py` traces it.

Everything public is listed here; all other names may change without notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autotrace.declare.decorator import traced
    from autotrace.declare.service import service
    from autotrace.declare.trace_context import TraceContext
    from autotrace.installation import Installation, install

__version__ = "0.1.0"

__all__ = ["Installation", "TraceContext", "__version__", "install", "service", "traced"]

_PLACES = {
    "Installation": "autotrace.installation",
    "TraceContext": "autotrace.declare.trace_context",
    "install": "autotrace.installation",
    "service": "autotrace.declare.service",
    "traced": "autotrace.declare.decorator",
}


def __getattr__(name: str) -> Any:
    # Importing autotrace must not load the tracer: `python -m autotrace` decides first whether it is wanted at all.
    if name in _PLACES:
        from importlib import import_module

        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
