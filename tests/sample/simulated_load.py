"""Processes of one service under a simulated load: takes phases, gives when each kept trace began and what it was."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.sampler import Sampler
from autotrace.sample.sharing import Sharing
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer

SECOND = 1_000_000_000
_START = 1000 * SECOND


class Phase(NamedTuple):
    """So many requests a second for so long; `workers` says how they are divided, by the names of the processes."""

    seconds: float
    per_second: float
    workers: Mapping[str, float]


class Kept(NamedTuple):
    """A trace that was sampled: when it began, in seconds, by which worker, of which endpoint."""

    at: float
    worker: str
    endpoint: str


class Board:
    """A journal in memory; who has not written for four seconds is gone."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], tuple[int, float]] = {}
        self.is_broken = False

    def beat(self, worker: str, now_ns: int, roots: Mapping[str, float]) -> dict[str, tuple[int, float]]:
        if self.is_broken:
            raise OSError("no journal")
        self._rows.update({(name, worker): (now_ns, rate) for name, rate in roots.items()})
        self._rows = {key: row for key, row in self._rows.items() if now_ns - row[0] <= 4 * SECOND}
        return {name: self._sum(name) for name in roots}

    def _sum(self, budget: str) -> tuple[int, float]:
        found = [rate for (name, _), (_, rate) in self._rows.items() if name == budget]
        return len(found), sum(found)


class _Seat(NamedTuple):
    board: Board
    worker: str

    def beat(self, started_ns: int, now_ns: int, roots: Mapping[str, float]) -> Mapping[str, tuple[int, float]]:
        return self.board.beat(self.worker, now_ns, roots)


class Load:
    """The processes, their journal, and the one clock of them all."""

    def __init__(self, settings: SamplerSettings, endpoints: Mapping[str, float], seed: int = 20) -> None:
        self.now = _START
        self.board = Board()
        self._settings = settings
        self._names, self._weights = list(endpoints), list(endpoints.values())
        self._random = random.Random(seed)
        self._workers: dict[str, Worker] = {}

    def run(self, phases: Iterable[Phase]) -> list[Kept]:
        """What is kept, in order."""
        return list(self._run(phases))

    def _run(self, phases: Iterable[Phase]) -> Iterator[Kept]:
        ends = 0.0
        for phase in phases:
            begins, ends = ends, ends + phase.seconds
            self._workers = {name: self._workers.get(name) or Worker(self, name) for name in phase.workers}
            yield from self._phase(phase, begins, ends)

    def _phase(self, phase: Phase, begins: float, ends: float) -> Iterator[Kept]:
        names, weights = list(phase.workers), list(phase.workers.values())
        at = begins
        while (at := at + self._random.expovariate(phase.per_second)) < ends:
            self.now = _START + round(at * SECOND)
            for worker in self._workers.values():
                worker.turn()
            name = self._random.choices(names, weights)[0]
            endpoint = self._random.choices(self._names, self._weights)[0]
            if self._workers[name].decide(endpoint, self._random.getrandbits(128)):
                yield Kept(at, name, endpoint)


class Worker:
    """A process: its sampler, and what its export thread does every second from its first root on."""

    def __init__(self, load: Load, name: str) -> None:
        self._load = load
        self.sampler = Sampler(load._settings, lambda: load.now)
        self.sharing = Sharing(_Seat(load.board, name), lambda: self.sampler.budgets, lambda: load.now)
        self._tracer = Tracer(self.sampler.decide, self.sampler.ended, lambda root, spans: None)
        self._roots: dict[str, LocalRoot] = {}
        self._next = 0

    def decide(self, endpoint: str, trace_id: int) -> bool:
        root = self._roots.get(endpoint)
        if root is None:
            root = self._roots[endpoint] = self._tracer.start(Site(self._tracer, endpoint), Span, None).root
            self._next = self._next or self._load.now + SECOND
        root.trace_number, root.trace_state = trace_id, ""
        return self.sampler.decide(root)

    def turn(self) -> None:
        if self._next and self._load.now >= self._next:
            self._next += SECOND
            self.sharing.beat()


def per_second(kept: Sequence[Kept], begins: float, ends: float) -> float:
    """How many were kept in a second, between two moments."""
    return sum(begins <= one.at < ends for one in kept) / (ends - begins)
