"""Long runs in one process: takes a variant and how many requests, gives the memory after a tenth of them and after all."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
LIMIT = 10_000_000
"""How many bytes nine tenths of the requests may add."""

TARGETS = """
[buffer]
memory = "{memory}"

[[targets]]
at = "soaked_shop:application"
as = "http.server"
protocol = "wsgi"

[[targets]]
at = "soaked_shop:found"
as = "http.route"
route = "route"
"""
SAMPLER = """
[sampler]
type = "probabilistic"
rate = {rate}

[sampler.keep]
errors = true
"""
RULE = """
[[sampler.endpoints]]
endpoint = "{endpoint}"
rate = 0.5
"""


class Variant(NamedTuple):
    """Where spans go (`sink`: "store", "refused" or "hanging"), how many are sampled, over how many endpoints and rules;
    `memory` is what may wait: full after a tenth of the requests, or what waits would grow with the speed of the machine."""

    sink: str = "store"
    exporter: str = "otlp"
    rate: float = 0.01
    endpoints: int = 1
    rules: int = 0
    memory: str = "16MB"


VARIANTS = {
    "errors kept, the rest lingers": Variant(),
    "all kept": Variant(rate=1.0),
    "OTLP refused": Variant("refused", rate=1.0),
    "OTLP hangs": Variant("hanging", rate=1.0),
    "Jaeger refused": Variant("refused", "jaeger", rate=1.0),
    "Jaeger hangs, the rest lingers": Variant("hanging", "jaeger"),
    "10,000 endpoints": Variant(endpoints=10_000),
    "10,000 endpoints, 500 rules, OTLP refused": Variant("refused", endpoints=10_000, rules=500),
}


class Memory(NamedTuple):
    """Bytes after a tenth of the requests and after all, and how long all took."""

    early: int
    late: int
    seconds: float

    @property
    def growth(self) -> int:
        """How many bytes came with the other nine tenths."""
        return self.late - self.early


def soak(variant: Variant, count: int, folder: Path, early: int = 0) -> Memory:
    """Let the shop serve `count` requests, and look first after `early` of them, else after a tenth."""
    with _sink(variant.sink) as port:
        (folder / "tracing.toml").write_text(_config(variant, port))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AUTOTRACE", "OTEL_"))}
        environment = {**kept, "PYTHONPATH": str(ROOT), "AUTOTRACE_STORE": str(folder / "traces.db")}
        command = [sys.executable, "-m", "autotrace", "--config", str(folder / "tracing.toml")]
        begun = time.monotonic()
        outcome = subprocess.run(
            [*command, str(FOLDER / "soaked_shop.py"), str(count), str(variant.endpoints), str(early or count // 10)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=900,
        )
        seconds = time.monotonic() - begun
    assert outcome.returncode == 0, outcome.stderr
    early, late = map(int, outcome.stdout.split())
    return Memory(early, late, seconds)


def _config(variant: Variant, port: int) -> str:
    rules = (RULE.format(endpoint=f"GET /shops/{number}*/orders") for number in range(variant.rules))
    parts = [TARGETS.format(memory=variant.memory), SAMPLER.format(rate=variant.rate), *rules]
    if variant.sink != "store":
        path = "/api/traces" if variant.exporter == "jaeger" else ""
        parts.append(f'\n[[exporters]]\ntype = "{variant.exporter}"\nendpoint = "http://127.0.0.1:{port}{path}"\n')
    return "".join(parts)


@contextmanager
def _sink(kind: str) -> Iterator[int]:
    """The port of a collector that nobody listens on, or that takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "hanging":
            listener.listen(64)
        yield listener.getsockname()[1]
