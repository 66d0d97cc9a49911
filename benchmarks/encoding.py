"""What encoding costs: takes a peer, gives nanoseconds of CPU and bytes per span of 500 finished ones."""

from __future__ import annotations

import gc
import time
from statistics import median

from benchmarks.peer import Peer, UnavailableError

SPANS = 500
SPANS_OF_A_TRACE = 10
ATTRIBUTES: dict[str, str | int | float | bool] = {
    "http.request.method": "POST",
    "http.response.status_code": 201,
    "url.path": "/orders/4711",
    "order.total": 19.95,
    "order.express": True,
}


def encode(peer: Peer, attributes: int, seconds: float) -> dict[str, float]:
    """Encode 500 spans again and again; `cpu` is the median of the calling thread's time per span."""
    if peer.encode is None:
        raise UnavailableError("it has no encoder that can be called alone")
    prepare = peer.encode(attributes)
    prepare()()
    times: list[int] = []
    size = 0
    deadline = time.perf_counter_ns() + int(seconds * 1e9)
    while time.perf_counter_ns() < deadline or len(times) < 3:
        work = prepare()
        gc.collect()
        start = time.thread_time_ns()
        size = work()
        times.append(time.thread_time_ns() - start)
    return {"cpu": median(times) / SPANS, "bytes": size / SPANS}
