"""Declarative distributed tracing: a `tracing.toml` names what to trace, `python -m autotrace app.py` traces it.

Everything public is listed here; all other names may change without notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autotrace.installation import Installation, install

__version__ = "0.1.0"

__all__ = ["Installation", "__version__", "install"]


def __getattr__(name: str) -> Any:
    # Importing autotrace must not load the tracer: `python -m autotrace` decides first whether it is wanted at all.
    if name in ("Installation", "install"):
        from autotrace import installation

        return getattr(installation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
