"""autotrace: a dict as its config, the functions woven when their module is imported, the store in a folder of the run.

Modes: recorded, unsampled (rate 0), record_false (`record = false` for the endpoint), otlp (an exporter whose requests are
not sent), waiting (nothing is exported).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import autotrace
from autotrace.errors import ConfigError
from autotrace.export.pipeline import Pipeline
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
    if mode == "otlp":
        _silence_http()
    try:
        installation = autotrace.install(_config(mode, folder))
    except ConfigError as error:
        raise UnavailableError(f"autotrace has no {mode} yet: {error}") from error
    pipeline: Pipeline = installation._runtime._pipeline
    functions = import_module(_FUNCTIONS)
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
        encode=_encode,
    )


def _config(mode: str, folder: Path) -> dict[str, Any]:
    config: dict[str, Any] = {
        "service_name": SERVICE,
        "services": [
            {"at": f"{_FUNCTIONS}:tagged", "tags": {"kind": "order.kind"}},
            {"at": _FUNCTIONS, "methods": ["*", "!plain", "!tagged"]},
        ],
        "store": {"path": str(folder / "traces.db")},
    }
    if mode in _SAMPLERS:
        config["sampler"] = _SAMPLERS[mode]
    if mode in _EXPORTERS:
        config["exporters"] = _EXPORTERS[mode]
    return config


def _current_name() -> str:
    from opentelemetry import trace  # an application's own question, which autotrace answers

    return str(getattr(trace.get_current_span(), "name", ""))


def _silence_http() -> None:
    raise UnavailableError("autotrace has no OTLP exporter yet")


def _encode(attributes: int) -> Callable[[], int]:
    raise UnavailableError("autotrace has no OTLP exporter yet")
