"""autotrace: the functions of the shop are targets, and what is kept goes to the default store, in the folder.

Modes: recorded, unsampled (rate 0: recorded, then dropped), record_false (`record = false` for every endpoint).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from autotrace import install
from benchmarks.apps.tracers import Tracing

_MODES: dict[str, dict[str, Any]] = {
    "recorded": {},
    "unsampled": {"rate": 0.0},
    "record_false": {"endpoints": [{"endpoint": "*", "record": False}]},
}


def start(mode: str, folder: Path) -> Tracing:
    store = folder / "traces.db"
    # In the configuration: a variable more in the environment costs each call of requests 50,000 instructions, untraced too.
    installed = install({**configuration(mode), "store": {"path": str(store)}})

    def count() -> int:
        command = [sys.executable, "-m", "benchmarks.apps.kept", str(store)]  # a query in this process would be traced
        return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    return Tracing(flush=installed.flush, spans=count)


def configuration(mode: str) -> dict[str, Any]:
    """What a user would write into the file."""
    targets = ["benchmarks.apps.pricing:price_order", "benchmarks.apps.clients:*.call_ten"]
    return {
        "service_name": "shop",
        "targets": [{"at": target} for target in targets],
        "sampler": _MODES[mode],
    }
