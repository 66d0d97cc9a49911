"""autotrace: a dict as its config, the functions woven when their module is imported, the store in a folder of the run.

Modes: recorded, unsampled (rate 0), record_false (`record = false` for the endpoint), otlp (an exporter whose requests are
not sent), waiting (nothing is exported).
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import autotrace
from autotrace.errors import ConfigError
from autotrace.export.pipeline import Pipeline
from autotrace.runtime import Runtime
from autotrace.span.span import LocalRoot, Span
from benchmarks.encoding import ATTRIBUTES, SPANS, SPANS_OF_A_TRACE
from benchmarks.peer import SERVICE, Peer, UnavailableError

_FUNCTIONS = "benchmarks.functions"
_SAMPLERS: dict[str, dict[str, Any]] = {
    "unsampled": {"rate": 0},
    "record_false": {"endpoints": [{"endpoint": "*", "record": False}]},
}
_EXPORTERS: dict[str, list[dict[str, Any]]] = {
    "otlp": [{"type": "otlp", "endpoint": "http://127.0.0.1:4318/v1/traces"}],
}


def start(mode: str, folder: Path) -> Peer:
    """The functions, woven. Raises UnavailableError."""
    if mode == "waiting":
        setattr(Pipeline, "_start", lambda pipeline: None)  # noqa: B010 - mypy; without its thread nothing is exported
    posted = _silence_http() if mode == "otlp" else None
    try:
        installation = autotrace.install(_config(mode, folder))
    except ConfigError as error:
        raise UnavailableError(f"autotrace has no {mode} yet: {error}") from error
    assert _FUNCTIONS not in sys.modules, "they are loaded, and can no longer be woven"
    runtime = installation._runtime
    pipeline = runtime.outgoing.export.pipeline
    functions = import_module(_FUNCTIONS)
    size = (lambda: posted[0]) if posted is not None else lambda: _size_of_store(folder / "traces.db")
    return Peer(
        root=functions.root,
        async_root=functions.async_root,
        sync=functions.sync,
        tagged=functions.tagged,
        outer=functions.outer,
        coroutine=functions.coroutine,
        asking=functions.asking,
        plain=functions.plain,
        current_name=_current_name,
        settle=installation.flush,
        exported=lambda: pipeline.exported,
        generator=functions.generator,
        encode=_Encoding(runtime, functions, size),
    )


def _config(mode: str, folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = {
        "service_name": SERVICE,
        "services": [
            {"at": f"{_FUNCTIONS}:tagged", "tags": {"kind": "order.kind"}},
            {"at": _FUNCTIONS, "methods": ["*", "!plain", "!tagged"]},
        ],
        "store": {"path": str(folder / "traces.db")},
        "shutdown": {"timeout": "60s"},
    }
    if mode in _SAMPLERS:
        config["sampler"] = _SAMPLERS[mode]
    if mode in _EXPORTERS:
        config["exporters"] = _EXPORTERS[mode]
    return config


def _current_name() -> str:
    from opentelemetry import trace  # an application's own question, which autotrace answers

    return str(getattr(trace.get_current_span(), "name", ""))


def _silence_http() -> list[int]:
    """Let requests end before the network; how many bytes they had, in a list of one."""
    try:
        from autotrace.export.http_delivery import HttpDelivery
    except ImportError as error:
        raise UnavailableError("autotrace has no OTLP exporter yet") from error
    posted = [0]

    def exchange(delivery: HttpDelivery, body: bytes, deadline: int) -> None:
        posted[0] += len(body)

    setattr(HttpDelivery, "_exchange", exchange)  # noqa: B010 - mypy
    return posted


class _Encoding:
    """What the export thread does, done by the calling thread: the way of 500 spans from the queue to the transport."""

    def __init__(self, runtime: Runtime, functions: Any, size: Callable[[], int]) -> None:
        self._runtime = runtime
        self._functions = functions
        self._size = size

    def __call__(self, attributes: int) -> Callable[[], Callable[[], int]]:
        """Makes 500 spans each time, as their ids are made when they are exported."""
        given = dict(list(ATTRIBUTES.items())[:attributes])
        return lambda: self._prepare(given)

    def _prepare(self, given: dict[str, str | int | float | bool]) -> Callable[[], int]:
        pipeline = self._runtime.outgoing.export.pipeline
        pipeline.before_fork()  # stops the thread
        for root, spans in self._record(given):
            pipeline.queue.put(root, spans)

        def work() -> int:
            before = self._size()
            pipeline._export_batch()
            return self._size() - before

        return work

    def _record(self, given: dict[str, str | int | float | bool]) -> list[tuple[LocalRoot, Sequence[Span]]]:
        recorded: list[tuple[LocalRoot, Sequence[Span]]] = []
        tracer = self._runtime.tracer
        deliver, tracer.deliver = tracer.deliver, lambda root, spans: recorded.append((root, spans))

        def tag() -> None:
            from opentelemetry import trace

            if given:
                trace.get_current_span().set_attributes(given)

        def work() -> None:
            tag()
            for _ in range(SPANS_OF_A_TRACE - 1):
                self._functions.asking(tag)

        try:
            for _ in range(SPANS // SPANS_OF_A_TRACE):
                self._functions.root(work)
        finally:
            tracer.deliver = deliver
        return recorded


def _size_of_store(file: Path) -> int:
    """The bytes of a database, those in its log included."""
    with closing(sqlite3.connect(file)) as connection:
        pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages * size)
