"""Tracing of a server's process: takes the peer from BENCHMARKS_PEER, gives its `Tracing`, before the shop is imported.

A server of autotrace is started by `python -m autotrace`, as users do; it needs nothing here, and is "bare" to this module.
"""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.apps.tracers import start

tracing = start(os.environ["BENCHMARKS_PEER"], "recorded", Path.cwd())

from benchmarks.apps import pricing  # noqa: E402 - after the tracer has begun

pricing.price_order = tracing.function(pricing.price_order)
