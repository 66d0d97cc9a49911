"""Rates that follow the load, and the target that processes share: simulated seconds of Poisson arrivals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from deciding import Deciding, rule
from simulated_load import SECOND, Kept, Load, Phase, per_second

from autotrace.plan.plan import SamplerSettings

TARGET = 100.0
ADAPTIVE = SamplerSettings(type="adaptive", rate=0.1, target_per_second=TARGET)
ONE = {"a": 1.0}
EVEN = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}
UNEVEN = {"a": 0.6, "b": 0.25, "c": 0.12, "d": 0.03}
# Each comes half as often as the one before; the last twice a minute under the lowest load.
ENDPOINTS = {f"GET /{number}": 0.5**number for number in range(14)}
TOLERANCE = 0.15


def settled(kept: Sequence[Kept], change: float) -> float:
    """The mean of the seconds 10 to 40 after a change."""
    return per_second(kept, change + 10, change + 40)


@pytest.mark.parametrize("workers", [ONE, EVEN, UNEVEN])
def test_ten_times_and_a_tenth_of_the_load_keep_the_target(workers: Mapping[str, float]) -> None:
    loads = (300, 3000, 300)
    kept = Load(ADAPTIVE, ENDPOINTS).run(Phase(40, load, workers) for load in loads)
    assert [settled(kept, change) for change in (0, 40, 80)] == pytest.approx([TARGET] * 3, rel=TOLERANCE)


@pytest.mark.parametrize("four", [EVEN, UNEVEN])
def test_one_four_and_one_process_keep_the_target(four: Mapping[str, float]) -> None:
    kept = Load(ADAPTIVE, ENDPOINTS).run(Phase(40, 1000, workers) for workers in (ONE, four, ONE))
    assert [settled(kept, change) for change in (0, 40, 80)] == pytest.approx([TARGET] * 3, rel=TOLERANCE)


def test_a_load_below_the_target_is_kept_whole() -> None:
    load = Load(ADAPTIVE, ENDPOINTS)
    kept = load.run([Phase(40, 40, UNEVEN)])
    asked = sum(budget.asked for worker in load._workers.values() for budget in worker.sampler.budgets.values())
    assert len(kept) >= 0.9 * asked


def test_a_leap_keeps_a_few_times_the_target_in_its_first_second_and_no_more() -> None:
    kept = Load(ADAPTIVE, {"work": 1.0}).run([Phase(20, 100, ONE), Phase(20, 10_000, ONE)])
    assert per_second(kept, 20, 21) <= 10 * TARGET
    assert per_second(kept, 22, 25) == pytest.approx(TARGET, rel=0.3)


def test_a_burst_is_kept_as_far_as_the_target_goes() -> None:
    process = Deciding(ADAPTIVE._replace(target_per_second=20.0))
    for second in range(1, 21):
        process.now += 5 * SECOND
        for _ in range(20):
            process.run()
        assert len(process.kept) >= 16 * (second - 2)


def test_endpoints_share_the_target_evenly_and_rare_ones_leave_the_rest_to_the_others() -> None:
    kept = Load(ADAPTIVE, {"often": 0.69, "too": 0.3, "rare": 0.01}).run([Phase(40, 1000, ONE)])
    found = Counter(one.endpoint for one in kept if one.at >= 10)
    assert found["rare"] / 30 == pytest.approx(10, rel=0.15)
    assert [found["often"] / 30, found["too"] / 30] == pytest.approx([45, 45], rel=0.15)


def test_each_endpoint_keeps_its_least_number_whatever_the_target() -> None:
    settings = ADAPTIVE._replace(target_per_second=0.5, min_per_second=0.1)
    kept = Load(settings, {f"GET /{number}": 1.0 for number in range(20)}).run([Phase(100, 200, ONE)])
    found = Counter(one.endpoint for one in kept)
    assert len(found) == 20
    assert min(found.values()) >= 9
    assert per_second(kept, 10, 100) <= 2.5


def test_each_endpoint_keeps_its_least_share_whatever_the_target() -> None:
    settings = ADAPTIVE._replace(target_per_second=1.0, min_rate=0.05)
    kept = Load(settings, {"work": 1.0}).run([Phase(40, 1000, ONE)])
    assert settled(kept, 0) == pytest.approx(50, rel=TOLERANCE)


def test_the_first_root_is_kept_whatever_its_rate() -> None:
    process = Deciding(ADAPTIVE._replace(rate=0.0, min_rate=0.0))
    process.run("one")
    process.run("one")
    process.run("two")
    assert process.kept == ["one", "two"]


def test_after_a_fork_the_first_root_is_kept_again() -> None:
    process = Deciding(ADAPTIVE._replace(rate=0.0, min_rate=0.0))
    process.run()
    process.sampler.reset()
    process.run()
    assert process.kept == ["work", "work"]


def test_a_rule_with_a_rate_of_its_own_takes_nothing_from_the_target() -> None:
    process = Deciding(ADAPTIVE._replace(target_per_second=10.0, endpoints=(rule("other", 1.0),)))
    for _ in range(3000):
        process.now += SECOND // 100
        process.run()
        process.run("other")
    assert process.counts("other").sampled == 3000
    assert process.counts().sampled == pytest.approx(300, rel=0.2)


def test_what_is_remembered_of_100_000_endpoints_is_bounded() -> None:
    process = Deciding(ADAPTIVE)
    for number in range(10**5):
        process.now += SECOND // 2000
        process.run(f"GET /{number}")
    assert process.sampler.adaptive is not None
    assert len(process.sampler.adaptive._endpoints) <= 1001
    # All that came late are one endpoint.
    assert len(process.kept) <= 1.5 * TARGET * 50 + 1001


def test_a_pause_does_not_keep_more_afterwards_than_a_leap() -> None:
    load = Load(ADAPTIVE, {"work": 1.0})
    kept = load.run([Phase(20, 3000, ONE), Phase(60, 0.001, ONE), Phase(20, 3000, ONE)])
    assert per_second(kept, 80, 81) <= 10 * TARGET
    assert per_second(kept, 85, 100) == pytest.approx(TARGET, rel=TOLERANCE)
