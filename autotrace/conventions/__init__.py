"""Semantic families as code: takes a target and the function that it matched, gives what wraps the function.

A convention turns the fields of a call into a span with the name, kind, attributes and status that OpenTelemetry gives to
its family. Which function of which library is such a call, and where its fields are, is data: see `autotrace.integrations`.
"""

from __future__ import annotations

import importlib
from typing import Any

from autotrace.conventions.around import Wrapper
from autotrace.conventions.environment import Environment, Place
from autotrace.plan.target import Target

__all__ = ["Environment", "Wrapper", "build"]

_MODULES = {
    "function": "function",
    "http.client": "http_client",
    "http.route": "http_route",
    "http.server": "http_server",
    "messaging.send": "messaging_send",
    "messaging.process": "messaging_process",
    "messaging.poll": "messaging_poll",
    "handoff": "handoff",
    "db.query": "db_query",
    "db.connection": "db_connection",
}


def load_all() -> None:
    """Import every convention, which `build` does one by one."""
    for name in _MODULES.values():
        importlib.import_module(f"{__name__}.{name}")


def build(original: Any, target: Target, module: str, qualname: str, environment: Environment) -> Wrapper | None:
    """What wraps `original`, which `target` matched at `module:qualname`; None where it cannot be traced.

    Its arguments are wrapt's: the wrapped callable, the instance it is bound to or None, the arguments as tuple and dict.
    """
    convention = importlib.import_module(f"{__name__}.{_MODULES[target.convention]}")
    wrapper: Wrapper | None = convention.build(Place(target, module, qualname, original, environment))
    return wrapper
