"""What is current: one context variable that holds a span of ours, an OpenTelemetry context, or None.

It is the same variable that OpenTelemetry's runtime context reads (see `autotrace.span.runtime_context`), so that both
libraries always agree on what is current, and a copied context carries both.
"""

from __future__ import annotations

from contextvars import ContextVar

current: ContextVar[object] = ContextVar("autotrace_current", default=None)

get_current = current.get
set_current = current.set
