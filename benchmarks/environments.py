"""The environments of the peers: takes the table of versions, gives an interpreter for each, under `.benchmarks/`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDER = CHECKOUT / ".benchmarks"

PROGRAM = (
    "flask==3.1.3",
    "fastapi==0.165.0",
    "uvicorn==0.54.0",
    "gunicorn==27.0.1",
    "requests==2.34.2",
    "httpx==0.28.1",
    "redis==8.1.0",
)
"""What the measured programs import; in every environment."""

_CONTRIB = ("flask", "fastapi", "requests", "httpx", "sqlite3", "redis")


def _sdk(version: str) -> tuple[str, ...]:
    packages = ("api", "sdk", "exporter-otlp-proto-http")
    return tuple(f"opentelemetry-{package}=={version}" for package in packages)


PEERS: dict[str, tuple[str, ...]] = {
    "bare": (),
    "autotrace": ("-e", str(CHECKOUT)),
    "opentelemetry": _sdk("1.45.2"),
    "contrib": (
        *_sdk("1.45.1"),  # for its 0.66b1: there is no 0.66b2 of every instrumentation
        "opentelemetry-exporter-otlp==1.45.1",
        "opentelemetry-distro==0.66b1",
        *(f"opentelemetry-instrumentation-{library}==0.66b1" for library in _CONTRIB),
    ),
    "ddtrace": ("ddtrace==4.16.0",),
    "newrelic": ("newrelic==14.1.0",),
    "sentry": ("sentry-sdk==2.75.0",),
    "elastic": ("elastic-apm==6.26.2",),
    "logfire": (f"logfire[{','.join(_CONTRIB)}]==5.2.0",),
}
"""What each peer's environment holds besides `PROGRAM`."""

TITLES = {
    "bare": "untraced",
    "autotrace": "autotrace",
    "opentelemetry": "OpenTelemetry SDK",
    "contrib": "opentelemetry-instrument",
    "ddtrace": "Datadog",
    "newrelic": "New Relic",
    "sentry": "Sentry",
    "elastic": "Elastic APM",
    "logfire": "Logfire",
}


def python(peer: str) -> Path:
    """The interpreter of a peer's environment."""
    return FOLDER / peer / "bin" / "python"


def is_installed(peer: str) -> bool:
    """Whether the environment holds what the table says now."""
    stamp = FOLDER / peer / "installed.json"
    return python(peer).exists() and stamp.exists() and json.loads(stamp.read_text()) == _wanted(peer)


def missing(peers: Sequence[str]) -> list[str]:
    """Those of `peers` that have to be installed before they can be measured."""
    return [peer for peer in peers if not is_installed(peer)]


def install(peer: str, say: Callable[[str], None]) -> None:
    """Make the environment of a peer anew. Raises CalledProcessError where pip fails, which has said why on stderr."""
    folder = FOLDER / peer
    say(f"install {peer}: {' '.join(PEERS[peer]) or 'the programs alone'}")
    shutil.rmtree(folder, ignore_errors=True)
    packages = [*PROGRAM, *PEERS[peer]]
    uv = shutil.which("uv")
    if uv is not None:
        _run([uv, "venv", "-q", "--python", sys.executable, str(folder)])
        _run([uv, "pip", "install", "-q", "--python", str(python(peer)), *packages])
    else:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python(peer)), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages])
    (folder / "installed.json").write_text(json.dumps(_wanted(peer)))


def versions(peer: str) -> str:
    """What a peer's environment holds beside the programs (those, for the untraced one), as the results name it."""
    packages = PROGRAM if peer == "bare" else [package for package in PEERS[peer] if "==" in package]
    return ", ".join(package.replace("==", " ") for package in packages) or "this checkout"


def _wanted(peer: str) -> list[str]:
    return [sys.version, *PROGRAM, *PEERS[peer]]


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)
