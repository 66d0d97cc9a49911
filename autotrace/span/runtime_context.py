"""OpenTelemetry's runtime context, on our context variable: takes contexts that are attached, gives what is current.

Sharing one variable is what makes a traced call cheap and still right whenever somebody asks OpenTelemetry what is current:
its `Context` is built then, from the span that is there.
"""

from __future__ import annotations

from contextvars import Token
from typing import Any, cast

from opentelemetry import context as api
from opentelemetry.context.context import Context, _RuntimeContext
from opentelemetry.trace.propagation import _SPAN_KEY
from opentelemetry.trace.span import NonRecordingSpan
from opentelemetry.trace.span import Span as ApiSpan

from autotrace.span import tracer
from autotrace.span.context import current
from autotrace.span.detail import Detail
from autotrace.span.facade import Facade, facade_of
from autotrace.span.remote import RemoteParent
from autotrace.span.span import Span
from autotrace.span.tracer import Lineage
from autotrace.span.unrecorded import Unrecorded

_UNRECORDED_KEY = "autotrace-unrecorded"


class SharedRuntimeContext(_RuntimeContext):
    """Stands in OpenTelemetry's slot; tokens of the one that stood there before are still taken back by it."""

    def __init__(self, replaced: _RuntimeContext) -> None:
        self.replaced = replaced

    def attach(self, context: Context) -> Token[Any]:
        return current.set(context)

    def get_current(self) -> Context:
        value = current.get()
        if isinstance(value, Span):
            detail = value.detail
            # Asked for several times in a request: FastAPI looks for what is said to it there.
            found = detail.context if isinstance(detail, Detail) else None
            return found if type(found) is Context else context_of(value)
        if isinstance(value, Unrecorded):
            return context_without_span(value)
        return cast(Context, value) if value is not None else Context()

    def detach(self, token: Token[Any]) -> None:
        if token.var is not current:
            self.replaced.detach(token)
            return
        try:
            current.reset(token)
        except ValueError:
            # A generator that another task closes: this context never had the value, so there is nothing to restore
            # (opentelemetry-python issue 2606 logs an error for each).
            return


def take_slot() -> None:
    """Put our runtime context into the API's slot, and carry over what is current there."""
    replaced = api._RUNTIME_CONTEXT
    if isinstance(replaced, SharedRuntimeContext):
        return
    before = replaced.get_current()
    api._RUNTIME_CONTEXT = SharedRuntimeContext(replaced)
    if before and current.get() is None:
        current.set(before)
    tracer.read_foreign_context = parent_in


def leave_slot() -> None:
    """Give the slot back to what stood there."""
    ours = api._RUNTIME_CONTEXT
    if isinstance(ours, SharedRuntimeContext):
        api._RUNTIME_CONTEXT = ours.replaced


def context_of(span: Span) -> Context:
    """The context in which `span` is current: what was attached around it (baggage, say), and its facade."""
    detail = span.details()
    if not isinstance(detail.context, Context):
        below = span.parent
        base = context_of(below) if isinstance(below, Span) else below
        if base is None and span.root.remote is None:
            detail.context = Context({_SPAN_KEY: facade_of(span)})
        else:
            inherited = base if isinstance(base, Context) else remote_context(span)
            detail.context = Context({**inherited, _SPAN_KEY: facade_of(span)})
    return detail.context


def context_without_span(unrecorded: Unrecorded) -> Context:
    """The context below a local root that is not recorded: the application's own, with a mark that we find again."""
    below = unrecorded.parent
    base = below if isinstance(below, Context) else remote_context(unrecorded.root.span)
    return Context({**base, _UNRECORDED_KEY: unrecorded})


def remote_context(span: Span) -> Context:
    """What came over the wire beside the parent: its baggage."""
    remote = span.root.remote
    if remote is None or not remote.baggage:
        return Context()
    from opentelemetry.baggage.propagation import W3CBaggagePropagator  # only for a request that carries baggage

    return W3CBaggagePropagator().extract({"baggage": remote.baggage}, Context())


def parent_in(context: object) -> Lineage:
    """The parent that an OpenTelemetry context names: a span of ours, or the identity of one that is not."""
    found = cast(Context, context).get(_SPAN_KEY)
    if found is None:
        unrecorded = cast(Context, context).get(_UNRECORDED_KEY)
        return unrecorded if isinstance(unrecorded, Unrecorded) else None
    if isinstance(found, Facade):
        return found.record
    record = getattr(found, "_autotrace_record", None)
    if isinstance(record, Span):
        return record
    if not isinstance(found, ApiSpan):
        return None
    identity = found.get_span_context()
    if not identity.is_valid:
        return None
    sampled = identity.trace_flags.sampled if identity.is_remote or isinstance(found, NonRecordingSpan) else None
    return RemoteParent(identity.trace_id, identity.span_id, sampled, identity.trace_state.to_header())
