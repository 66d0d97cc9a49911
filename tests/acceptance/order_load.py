"""The shop's customers: takes how many orders, sends them over kept connections, gives what was answered to each."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

CONNECTIONS = 4
BACKLOG = 400
SEED = 5


class Load(NamedTuple):
    """Statuses by order number, and how long it took."""

    statuses: dict[int, int]
    seconds: float


def send(port: int, count: int, backlog: Callable[[], int]) -> Load:
    """Send orders 0 to `count`; never more than about `BACKLOG` wait for the worker."""
    statuses: dict[int, int] = {}
    begun = time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        parts = [range(first, count, CONNECTIONS) for first in range(CONNECTIONS)]
        list(pool.map(lambda numbers: _customer(port, numbers, backlog, statuses), parts))
    return Load(statuses, time.monotonic() - begun)


def trace_id_of(number: int) -> str:
    """Every second order comes from a caller that has a trace and leaves the decision to the shop; "" for the others.

    The same trace ids in every run, so that chance decides on the other half only.
    """
    return f"{random.Random(number * SEED).getrandbits(128):032x}" if number % 2 else ""


def _customer(port: int, numbers: range, backlog: Callable[[], int], statuses: dict[int, int]) -> None:
    connection = socket.create_connection(("127.0.0.1", port))
    try:
        for turn, number in enumerate(numbers):
            if turn % 50 == 0:
                while backlog() > BACKLOG:
                    time.sleep(0.02)
            connection.sendall(_request(number))
            statuses[number] = _status(connection)
            if statuses[number] == 500:
                # uvicorn closes the connection of a request that raised.
                connection.close()
                connection = socket.create_connection(("127.0.0.1", port))
    finally:
        connection.close()


def _request(number: int) -> bytes:
    trace_id = trace_id_of(number)
    ids = f"X-Trace-ID: {trace_id}\r\nX-Span-ID: {number + 1:016x}\r\n" if trace_id else ""
    return f"POST /orders/{number} HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n{ids}\r\n".encode()


def _status(connection: socket.socket) -> int:
    """Read one answer; the shop says how long it is."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _some(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += _some(connection)
    return int(head.split(b" ", 2)[1])


def _some(connection: socket.socket) -> bytes:
    found = connection.recv(65536)
    if not found:
        raise ConnectionError("the shop has closed the connection")
    return found
