"""OpenTelemetry's tracer provider, while the application sets none: takes names of tracers, gives ours.

The API's set-once stays unused, so that an application that sets a provider of its own is not refused. Its spans then become
part of our trace, and ours stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from opentelemetry.util._decorator import _agnosticcontextmanager

from autotrace import guard
from autotrace.span.clock import from_epoch
from autotrace.span.context import get_current
from autotrace.span.facade import Facade, started_facade
from autotrace.span.otel_values import text_of
from autotrace.span.site import Site
from autotrace.span.span import Span
from autotrace.span.tracer import Tracer


class FacadeTracer(trace.Tracer):
    """An `opentelemetry.trace.Tracer` whose spans are recorded by us."""

    def __init__(self, tracer: Tracer, scope: str) -> None:
        self._tracer = tracer
        self._scope = scope if isinstance(scope, str) else ""

    def start_span(
        self,
        name: str,
        context: context_api.Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Any = None,
        links: Any = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Facade:
        site = Site(self._tracer, text_of(name), kind.name.lower() if isinstance(kind, SpanKind) else "internal")
        span = self._tracer.start(site, Span, get_current() if context is None else context)
        span.details().scope = self._scope
        facade = started_facade(span, record_exception, set_status_on_exception)
        try:
            if attributes:
                facade.set_attributes(attributes)
            for link in filter(None, links or ()):
                facade.add_link(link.context, link.attributes)
        except BaseException as failure:
            guard.swallow(failure)
        if isinstance(start_time, int | float):
            span.start = from_epoch(int(start_time))
        return facade

    # The API's own, which also decorates coroutine functions.
    @_agnosticcontextmanager
    def start_as_current_span(  # type: ignore[override]  # the API's decorator has no type that can be written
        self,
        name: str,
        context: context_api.Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Any = None,
        links: Any = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[Facade]:
        span = self.start_span(name, context, kind, attributes, links, start_time)
        token = context_api.attach(trace.set_span_in_context(span))
        try:
            yield span
        except BaseException as error:
            try:
                span.fail(error, record_exception, set_status_on_exception)
            except BaseException as failure:
                guard.swallow(failure)
            raise
        finally:
            context_api.detach(token)
            if end_on_exit:
                span.end()


class Api:
    """Our place in the API's module, from `enter` to `leave`."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._saved: list[tuple[Any, str, Any]] = []

    def enter(self) -> None:
        """Answer for the API's tracers until the application sets a provider.

        Its provider stays the API's own proxy: libraries with tracing of their own (FastAPI) take that for "nobody asked",
        and would otherwise record every request a second time.
        """
        tracer = self._tracer

        def fallback(proxy: Any) -> trace.Tracer:
            provider = trace._TRACER_PROVIDER
            if provider is None:
                return FacadeTracer(tracer, proxy._instrumenting_module_name)
            return original.fget(proxy)  # type: ignore[no-any-return]  # the API's own property

        original = vars(trace.ProxyTracer)["_tracer"]
        self._put(trace.ProxyTracer, "_tracer", property(fallback))
        set_provider = trace._set_tracer_provider

        def adopt(tracer_provider: trace.TracerProvider, log: bool) -> None:
            set_provider(tracer_provider, log)
            if trace._TRACER_PROVIDER is tracer_provider and hasattr(tracer_provider, "add_span_processor"):
                from autotrace.span.adoption import Adoption  # needs the SDK, which the application has imported by now

                tracer_provider.add_span_processor(Adoption(tracer))

        self._put(trace, "_set_tracer_provider", adopt)

    def leave(self) -> None:
        """Put back what stood there."""
        while self._saved:
            holder, name, value = self._saved.pop()
            setattr(holder, name, value)

    def _put(self, holder: Any, name: str, value: Any) -> None:
        self._saved.append((holder, name, vars(holder)[name]))
        setattr(holder, name, value)
