"""So many traces a second, and what a rate adds to them: exact numbers over simulated minutes."""

from __future__ import annotations

import random

import pytest
from deciding import SECOND, Deciding, rule

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.limiter import Limiter
from autotrace.span.remote import RemoteParent

MINUTE = 60 * SECOND
OFF = SamplerSettings(type="always_off")


def let_through(limiter: Limiter, asked_per_second: int, seconds: int, begins: int = 0) -> int:
    step = SECOND // asked_per_second
    return sum(limiter.take(begins * SECOND + number * step) for number in range(asked_per_second * seconds))


@pytest.mark.parametrize(("limit", "minutes", "passed"), [(10, 2, 1209), (1, 2, 120), (0.5, 2, 60), (1 / 60, 10, 10)])
def test_a_limit_lets_exactly_so_many_through(limit: float, minutes: int, passed: int) -> None:
    # Those that may come at once, after the pause before the first, are one second's.
    assert let_through(Limiter(limit), 100, minutes * 60) == passed


def test_what_stays_below_the_limit_goes_through() -> None:
    assert let_through(Limiter(10), 10, 60) == 600


def test_after_a_pause_one_seconds_number_goes_through_at_once() -> None:
    limiter = Limiter(10)
    assert sum(limiter.take(MINUTE) for _ in range(100)) == 10
    assert sum(limiter.take(2 * MINUTE) for _ in range(100)) == 10


def test_no_limit_of_zero_lets_anything_through() -> None:
    assert let_through(Limiter(0), 10, 60) == 0


def test_a_part_of_the_limit_lets_its_part_through() -> None:
    limiter = Limiter(10)
    limiter.share(0.3)
    assert let_through(limiter, 100, 60) == pytest.approx(180, abs=3)


def test_a_larger_part_does_not_wait_until_the_smaller_one_would_have_let_one_through() -> None:
    limiter = Limiter(10)
    limiter.share(0.0001)
    assert let_through(limiter, 100, 10) == 1
    limiter.share(1.0)
    assert let_through(limiter, 100, 10, begins=10) == pytest.approx(100, abs=11)


def test_a_limiter_counts_what_it_was_asked_until_it_begins_anew() -> None:
    limiter = Limiter(1)
    let_through(limiter, 100, 1)
    assert limiter.asked == 100
    limiter.reset()
    assert (limiter.asked, limiter.take(0)) == (0, True)


def test_rate_limiting_keeps_so_many_of_all_endpoints_together() -> None:
    process = Deciding(SamplerSettings(type="rate_limiting", per_second=10))
    for number in range(6000):
        process.now += SECOND // 100
        process.run(f"GET /{number % 20}")
    assert len(process.kept) == pytest.approx(600, abs=10)


def test_a_reservoir_comes_first_and_the_rate_decides_on_the_others() -> None:
    process = Deciding(OFF._replace(endpoints=(rule("work", 0.1, per_second=5.0),)))
    numbers = random.Random(5)
    for _ in range(6000):
        process.now += SECOND // 100
        process.run(remote=RemoteParent(numbers.getrandbits(128), 1))
    # 5 of each 100 first, a tenth of the other 95; 3 sigma of that tenth.
    assert len(process.kept) == pytest.approx(304 + 5696 * 0.1, abs=3 * (5696 * 0.09) ** 0.5)


def test_a_reservoir_alone_keeps_so_many_and_no_more() -> None:
    process = Deciding(SamplerSettings(endpoints=(rule("work", per_second=5.0),)))
    for _ in range(6000):
        process.now += SECOND // 100
        process.run()
    assert process.counts().sampled == 304


@pytest.mark.parametrize(
    "settings",
    [SamplerSettings(type="rate_limiting", per_second=0.1), OFF._replace(endpoints=(rule("work", per_second=0.1),))],
)
def test_after_a_fork_the_first_root_is_kept_again(settings: SamplerSettings) -> None:
    process = Deciding(settings)
    process.run()
    process.run()
    process.sampler.reset()
    process.run()
    assert len(process.kept) == 2


def test_a_rule_has_one_reservoir_for_all_its_endpoints() -> None:
    process = Deciding(OFF._replace(endpoints=(rule("GET *", per_second=5.0),)))
    for number in range(6000):
        process.now += SECOND // 100
        process.run(f"GET /{number % 20}")
    assert len(process.kept) == pytest.approx(300, abs=5)


def test_a_rule_that_leaves_the_choice_draws_from_the_samplers_reservoir() -> None:
    settings = SamplerSettings(type="rate_limiting", per_second=10, endpoints=(rule("slow", slower_than_ns=MINUTE),))
    process = Deciding(settings)
    for number in range(6000):
        process.now += SECOND // 100
        process.run("slow" if number % 2 else "work")
    assert len(process.kept) == pytest.approx(600, abs=10)


def test_only_what_a_rate_chose_says_how_many_it_stands_for() -> None:
    process = Deciding(OFF._replace(endpoints=(rule("work", 0.5, per_second=1.0),)))
    roots = [process.run(remote=RemoteParent((1 << 64) | low, 1)) for low in (1, 2**55, 1)]
    assert [root.sampled for root in roots] == [True, True, False]
    assert [root.trace_state for root in roots] == ["", "ot=th:8", ""]


@pytest.mark.parametrize("limit", [1e-310, 1e-300, 1e12, 1e300])
def test_a_limit_beyond_all_measure_is_one_all_the_same(limit: float) -> None:
    passed = let_through(Limiter(limit), 100, 60)
    assert passed == (1 if limit < 1 else 6000)
