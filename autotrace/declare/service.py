"""`@service`: takes a class, gives the same class; the spans of its traced methods are those of a service of that name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload
from weakref import WeakKeyDictionary

from autotrace import guard
from autotrace.declare.declaration import Declaration
from autotrace.declare.decorator import declaration_of, function_in
from autotrace.errors import ConfigError
from autotrace.hook.declared import meeting
from autotrace.span.service import Service

if TYPE_CHECKING:
    from autotrace.plan.service import ServiceSettings
    from autotrace.runtime import Runtime

_Class = TypeVar("_Class", bound=type)

_OFF = ("off", "0", "false", "no")


class ServiceDeclaration:
    """One class's service, and the config that was given for it."""

    def __init__(self, name: str, config: Mapping[str, Any] | None) -> None:
        self.service = Service(name)
        self.config = config
        self._settings: ServiceSettings | None = None

    def put_into(self, tracing: Runtime) -> None:
        """Tell tracing of the service. Raises ConfigError with every mistake of its config."""
        if self.config is None and self.service.name == tracing.plan.service_name:
            return
        tracing.add_service(self.service, self._read())

    def _read(self) -> ServiceSettings:
        from autotrace.plan.service import ServiceSettings, settings_of

        if self._settings is None and self.config is not None:
            from autotrace.installation import plan_of_mapping

            plan = plan_of_mapping(self.config, _origin(self.service.name))
            self._settings = settings_of(plan, self.config.keys())
        return self._settings or ServiceSettings()


_DECLARED: WeakKeyDictionary[type, ServiceDeclaration] = WeakKeyDictionary()


@overload
def service(kind: _Class, /) -> _Class: ...


@overload
def service(*, name: str | None = None, tracing: Mapping[str, Any] | None = None) -> Callable[[_Class], _Class]: ...


def service(kind: Any = None, /, *, name: str | None = None, tracing: Mapping[str, Any] | None = None) -> Any:
    """Make a class a service: the spans of its methods below `@traced` go by the class's name, or by `name`.

    `tracing` is a config as a file would say it. In a program that is not traced yet it installs tracing with that config,
    for all of the process. Beside the config of the process it says for this class only: `service_name` and `resource`,
    the `sampler` where a span of this class is the local root, and `exporters`, which replace the process's.
    Raises ConfigError with every mistake of the config, unless it says `on_config_error = "run_untraced"`.
    """
    if kind is None:
        return lambda decorated: _declare(decorated, name, tracing)
    return _declare(kind, name, tracing)


def _declare(kind: Any, name: str | None, config: Mapping[str, Any] | None) -> Any:
    if not isinstance(kind, type):
        return kind
    given = config.get("service_name") if isinstance(config, Mapping) else None
    declaration = ServiceDeclaration(name or (given if isinstance(given, str) and given else kind.__name__), config)
    try:
        _put_in(declaration)
    except ConfigError as error:
        if not isinstance(config, Mapping) or config.get("on_config_error") != "run_untraced":
            raise
        sys.stderr.write(f"autotrace: {error}\nautotrace: {kind.__qualname__} runs UNTRACED, as on_config_error asks\n")
        return kind
    except BaseException as failure:
        guard.swallow(failure)
    _DECLARED[kind] = declaration
    for attribute, value in list(vars(kind).items()):
        _belong(kind, attribute, value, declaration.service)
    return kind


def _put_in(declaration: ServiceDeclaration) -> None:
    if meeting.tracing is None and declaration.config is not None and not _is_unwanted():
        from autotrace.installation import install_config

        install_config(declaration.config, declaration.service.name, _origin(declaration.service.name))
    if meeting.tracing is not None:
        declaration.put_into(meeting.tracing)


def _belong(kind: type, attribute: str, value: object, service: Service) -> None:
    function = function_in(value)
    if function is None:
        return
    try:
        declaration = declaration_of(function) or Declaration(None, {}, "internal")
        declaration.belong(function, service)
        if declaration.waiting is not None:
            from autotrace.declare.wrapper import wrapped  # wrapt, only for what cannot be given other code

            setattr(kind, attribute, wrapped(value, declaration.waiting))
            declaration.waiting = None
    except BaseException as failure:
        guard.swallow(failure)


def _is_unwanted() -> bool:
    """Whether tracing is switched off, or a test run has only imported the class."""
    return os.environ.get("AUTOTRACE", "").strip().lower() in _OFF or "_pytest.config" in sys.modules


def _origin(name: str) -> str:
    return f"@service of {name}"


def _arrived(tracing: Runtime) -> None:
    for declaration in list(_DECLARED.values()):
        try:
            declaration.put_into(tracing)
        except BaseException as failure:
            guard.swallow(failure)


meeting.tell(_arrived)
