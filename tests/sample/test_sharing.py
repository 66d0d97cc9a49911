"""What processes share in a second: each takes its part of the load for its part of the budget."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest
from deciding import rule
from simulated_load import SECOND, Board, Load, Phase, per_second

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.limiter import Limiter
from autotrace.sample.sampler import Sampler
from autotrace.sample.samplers import Samplers
from autotrace.sample.sharing import Sharing
from autotrace.span.service import Service

LIMITING = SamplerSettings(type="rate_limiting", per_second=20)


class Process:
    """One budget, and what it was given."""

    def __init__(self, board: Board, name: str) -> None:
        self.asked = 0
        self.fraction = 1.0
        self.now = 0
        self._board = board
        self._name = name
        self.sharing = Sharing(self, lambda: {"shop": self}, lambda: self.now)

    def share(self, fraction: float) -> None:
        self.fraction = fraction

    def beat(self, started_ns: int, now_ns: int, roots: Mapping[str, float]) -> Mapping[str, tuple[int, float]]:
        return self._board.beat(self._name, now_ns, roots)

    def decide(self, roots: int) -> None:
        """A second with so many roots."""
        self.now += SECOND
        self.asked += roots
        self.sharing.beat()


def fractions(*loads: int, seconds: int = 20) -> list[float]:
    board = Board()
    processes = [Process(board, str(number)) for number in range(len(loads))]
    for _ in range(seconds):
        for process, load in zip(processes, loads, strict=True):
            process.decide(load)
    return [process.fraction for process in processes]


def test_a_process_alone_has_all() -> None:
    assert fractions(100) == [1.0]


def test_equal_processes_have_equal_parts() -> None:
    assert fractions(100, 100, 100, 100) == pytest.approx([0.25] * 4, rel=0.01)


def test_unequal_processes_have_parts_of_their_size() -> None:
    assert fractions(600, 300, 100) == pytest.approx([0.6, 0.3, 0.1], abs=0.01)


def test_the_parts_are_the_whole() -> None:
    for loads in ((1, 1), (1000, 1), (1, 2, 3, 4, 5, 6)):
        assert sum(fractions(*loads)) == pytest.approx(1.0, abs=0.01)


def test_a_process_without_a_root_takes_nothing() -> None:
    assert fractions(5, 0, 0, 0) == [1.0] * 4


def test_processes_that_have_become_idle_leave_nearly_all_to_the_one_that_works() -> None:
    board = Board()
    processes = [Process(board, str(number)) for number in range(4)]
    for second in range(60):
        for number, process in enumerate(processes):
            process.decide(5 if number == 0 or second < 10 else 0)
    assert processes[0].fraction >= 0.9


def test_idle_processes_have_equal_parts() -> None:
    board = Board()
    one, two = Process(board, "one"), Process(board, "two")
    for second in range(500):
        one.decide(second < 5)
        two.decide(second < 5)
    assert [one.fraction, two.fraction] == pytest.approx([0.5, 0.5], abs=0.15)


def test_a_process_that_is_gone_is_forgotten_within_five_seconds() -> None:
    board = Board()
    stays, ends = Process(board, "stays"), Process(board, "ends")
    for _ in range(10):
        stays.decide(100)
        ends.decide(900)
    assert stays.fraction == pytest.approx(0.1, abs=0.01)
    for _ in range(5):
        stays.decide(100)
    assert stays.fraction == 1.0


def test_a_process_speaks_once_a_second_however_often_it_is_asked_to() -> None:
    process = Process(Board(), "one")
    process.decide(100)
    told = []
    process.beat = lambda started_ns, now_ns, roots: told.append(now_ns) or {"shop": (1, 1.0)}  # type: ignore[method-assign, func-returns-value]  # append gives None
    for _ in range(50):
        process.now += SECOND // 10
        process.sharing.beat()
    assert len(told) == 5


def test_where_nothing_can_be_said_a_process_counts_itself_alone() -> None:
    board = Board()
    processes = [Process(board, "one"), Process(board, "two")]
    for _ in range(5):
        for process in processes:
            process.decide(100)
    board.is_broken = True
    for process in processes:
        with pytest.raises(OSError, match="no journal"):
            process.decide(100)
    assert [process.fraction for process in processes] == [1.0, 1.0]
    board.is_broken = False
    for _ in range(11):
        for process in processes:
            process.decide(100)
    assert processes[1].fraction == pytest.approx(0.5, abs=0.01)


def test_a_process_that_could_say_nothing_tries_again_after_ten_seconds() -> None:
    board = Board()
    process = Process(board, "one")
    board.is_broken = True
    failed = []
    for second in range(25):
        try:
            process.decide(100)
        except OSError:
            failed.append(second)
    assert failed == [0, 10, 20]


def test_a_fork_that_nobody_told_us_of_counts_its_own_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(Board(), "child")
    for _ in range(5):
        process.decide(100)
    started = process.sharing._started_ns
    monkeypatch.setattr(os, "getpid", lambda: -1)
    told: list[Mapping[str, float]] = []
    process.beat = lambda started_ns, now_ns, roots: told.append(roots) or {"shop": (1, 1.0)}  # type: ignore[method-assign, func-returns-value]  # append gives None
    process.decide(7)
    assert told == [{"shop": 7.0}]
    assert process.sharing._started_ns > started


def test_counters_that_a_fork_has_reset_are_counted_from_zero() -> None:
    process = Process(Board(), "child")
    process.decide(100)
    process.asked = 0
    process.decide(40)
    assert 40 < process.sharing._roots["shop"] < 100


def test_a_clock_that_is_set_back_does_not_silence_a_process() -> None:
    process = Process(Board(), "one")
    process.decide(100)
    process.now -= 1000 * SECOND
    told = []
    process.beat = lambda started_ns, now_ns, roots: told.append(now_ns) or {"shop": (1, 1.0)}  # type: ignore[method-assign, func-returns-value]  # append gives None
    process.decide(100)
    process.decide(100)
    assert len(told) == 2


@pytest.mark.parametrize("shares", [{"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 0.7, "b": 0.2, "c": 0.1}])
def test_rate_limiting_holds_for_all_processes_together(shares: Mapping[str, float]) -> None:
    kept = Load(LIMITING, {"one": 1.0, "two": 1.0}).run([Phase(40, 600, shares)])
    assert per_second(kept, 10, 40) == pytest.approx(20, rel=0.1)


def test_a_rules_budget_is_shared_by_those_whom_it_concerns() -> None:
    settings = SamplerSettings(type="adaptive", endpoints=(rule("pay", per_second=5.0), rule("ship", per_second=3.0)))
    assert set(Samplers(Sampler(settings), "shop").budgets()) == {"shop", "shop pay", "shop ship"}


def test_a_service_with_a_sampler_of_its_own_shares_under_its_own_name() -> None:
    samplers = Samplers(Sampler(LIMITING), "shop")
    samplers.add(Service("payments"), LIMITING)
    budgets = samplers.budgets()
    assert set(budgets) == {"shop", "payments"}
    assert budgets["shop"] is not budgets["payments"]


@pytest.mark.parametrize("kind", ["always_on", "always_off", "probabilistic", "jaeger_remote"])
def test_a_sampler_that_counts_nothing_per_second_shares_nothing(kind: str) -> None:
    assert Samplers(Sampler(SamplerSettings(type=kind, rate=0.5)), "shop").budgets() == {}


def test_where_nothing_is_shared_nothing_is_said() -> None:
    told: list[int] = []
    process = Process(Board(), "one")
    Sharing(process, dict, lambda: 0).beat()
    Sharing(process, lambda: {"shop": Limiter(1)}, lambda: 0).beat()
    assert told == []
