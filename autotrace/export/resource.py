"""Who recorded the spans: takes the service's name, gives the Resource of the running process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from autotrace.span.finished import AttributeValue, Resource


class ProcessResource:
    """Gives the Resource of this process, made when first asked for and again in a fork's child.

    `version` is autotrace's own; `attributes` are the file's and win over what is found (OpenTelemetry semantic
    conventions, "Resource: service, process, host, telemetry").
    """

    def __init__(self, service_name: str, version: str, attributes: Mapping[str, AttributeValue] | None = None) -> None:
        self._service_name = service_name
        self._version = version
        self._attributes = dict(attributes or {})
        self._pid = 0
        self._resource = Resource(service_name, {})

    def __call__(self) -> Resource:
        pid = os.getpid()
        if pid != self._pid:
            self._resource = Resource(self._service_name, self._describe(pid))
            self._pid = pid
        return self._resource

    def named(self, service_name: str, attributes: Mapping[str, AttributeValue]) -> Callable[[], Resource]:
        """Gives the Resource of a service inside this process: its name and `attributes` in place of the process's."""
        return lambda: Resource(service_name, {**self().attributes, "service.name": service_name, **attributes})

    def _describe(self, pid: int) -> dict[str, AttributeValue]:
        return {
            "service.name": self._service_name,
            "service.instance.id": _random_uuid(),
            "process.pid": pid,
            "process.runtime.name": sys.implementation.name,
            "process.runtime.version": ".".join(map(str, sys.version_info[:3])),
            "host.name": _host_name(),
            "telemetry.sdk.name": "autotrace",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.version": self._version,
            **self._attributes,
        }


def _random_uuid() -> str:
    """A UUID of version 4 (RFC 9562, section 5.4), without the import of `uuid`."""
    digits = f"{int.from_bytes(os.urandom(16), 'big') & ~(0xF << 76) & ~(0b11 << 62) | 4 << 76 | 0b10 << 62:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _host_name() -> str:
    # Not `socket.gethostname`: gevent must be able to patch `socket` before anybody imports it.
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
