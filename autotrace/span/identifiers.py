"""Trace and span ids: takes nothing, gives integers seeded by the operating system, never the global `random`."""

from __future__ import annotations

import os
import struct
from _random import Random  # without the 5 ms of `random`, which adds what is not needed for bits


class _Generator:
    """Random ids of one process; a forked child that shares the state would repeat its parent's ids."""

    def __init__(self) -> None:
        self.reseed()

    def reseed(self) -> None:
        self._random = Random(int.from_bytes(os.urandom(32), "little"))
        self._pid = os.getpid()

    def bits(self, size: int) -> int:
        # uWSGI forks without Python's hooks, so the pid is compared too.
        if self._pid != os.getpid():
            self.reseed()
        return self._random.getrandbits(size) or self.bits(size)

    def many(self, count: int) -> tuple[int, ...]:
        """`count` numbers of 64 bits, all of them in one draw."""
        if self._pid != os.getpid():
            self.reseed()
        numbers = struct.unpack(f"{count}Q", self._random.getrandbits(64 * count).to_bytes(8 * count, "little"))
        return tuple(number or self.bits(64) for number in numbers) if 0 in numbers else numbers


_generator = _Generator()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_generator.reseed)


def new_trace_id() -> int:
    """A trace id: 128 random bits, never 0 (W3C Trace Context, section 3.2.2.3)."""
    return _generator.bits(128)


def new_span_id() -> int:
    """A span id: 64 random bits, never 0 (W3C Trace Context, section 3.2.2.4)."""
    return _generator.bits(64)


def new_span_ids(count: int) -> tuple[int, ...]:
    """As many span ids, for a small part of the price of one by one."""
    return _generator.many(count)
