"""Who a batch says it comes from."""

from __future__ import annotations

import os
import platform
import uuid

import pytest

from autotrace.export.resource import ProcessResource


def test_the_resource_describes_this_process() -> None:
    resource = ProcessResource("orders", "1.2")()
    assert resource.service_name == "orders"
    assert resource.attributes["process.pid"] == os.getpid()
    assert resource.attributes["process.runtime.version"] == platform.python_version()
    assert resource.attributes["telemetry.sdk.version"] == "1.2"
    assert uuid.UUID(str(resource.attributes["service.instance.id"])).version == 4


def test_what_the_file_says_wins() -> None:
    assert ProcessResource("orders", "1.2", {"host.name": "web-1"})().attributes["host.name"] == "web-1"


def test_the_same_process_keeps_its_resource_and_another_pid_gets_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = ProcessResource("orders", "1.2")
    first = factory()
    assert factory() is first
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    second = factory().attributes
    assert second["process.pid"] == 4711
    assert second["service.instance.id"] != first.attributes["service.instance.id"]
