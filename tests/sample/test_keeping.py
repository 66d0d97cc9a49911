"""What is kept although sampling alone would drop it, and how much of it."""

from __future__ import annotations

import random

import pytest
from deciding import SECOND, Deciding, rule

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.durations import Durations
from autotrace.span.finished import AttributeScalar
from autotrace.span.site import Site
from autotrace.span.span import Span

OFF = SamplerSettings(type="always_off")


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_the_threshold_of_a_percentile_is_within_a_bucket_of_it(share: float) -> None:
    durations, numbers = Durations(share), random.Random(3)
    taken = [round(numbers.lognormvariate(13, 1)) for _ in range(10_000)]
    for duration in taken:
        durations.add(duration)
    taken.sort()
    assert taken[round(len(taken) * share)] / 1.06 < durations.threshold < taken[round(len(taken) * share)] * 1.06


def test_a_percentile_says_nothing_before_it_knows_enough() -> None:
    durations = Durations(0.999)
    for _ in range(999):
        durations.add(1000)
    assert durations.threshold == 0
    for _ in range(300):
        durations.add(1000)
    assert durations.threshold > 1000


def test_a_percentile_forgets_what_was_long_ago() -> None:
    durations = Durations(0.99)
    for _ in range(40_000):
        durations.add(1_000_000)
    for _ in range(100_000):
        durations.add(1000)
    assert 1000 < durations.threshold < 1100


def test_the_histogram_of_an_endpoint_is_bounded() -> None:
    durations, numbers = Durations(0.99), random.Random(5)
    for _ in range(100_000):
        durations.add(round(10 ** numbers.uniform(0, 14)))
    assert len(durations._buckets) < 800


def test_the_slowest_hundredth_of_each_endpoint_is_kept() -> None:
    process, numbers = Deciding(OFF._replace(keep_slower_than_quantile=0.99)), random.Random(7)
    for _ in range(20_000):
        process.now += SECOND // 10
        process.run("quick", round(numbers.lognormvariate(10, 0.5)))
        process.run("slow", round(numbers.lognormvariate(17, 0.5)))
    assert process.counts("quick").slow == pytest.approx(200, rel=0.4)
    assert process.counts("slow").slow == pytest.approx(200, rel=0.4)


def test_an_endpoint_may_have_a_percentile_of_its_own() -> None:
    process = Deciding(OFF._replace(endpoints=(rule("slow", slower_than_quantile=0.5),)))
    for number in range(1000):
        process.now += SECOND
        process.run("slow", 10**6 + number * 1000)
        process.run("other", 10**6 + number * 1000)
    assert process.counts("slow").slow > 400
    assert process.counts("other").slow == 0


def test_an_endpoints_own_duration_takes_the_place_of_the_common_percentile() -> None:
    process = Deciding(OFF._replace(keep_slower_than_quantile=0.5, endpoints=(rule("a", slower_than_ns=10**9),)))
    for number in range(1000):
        process.run("a", 10**6 + number * 1000)
    assert process.counts("a").slow == 0


def test_the_errors_of_an_endpoint_may_be_left_out() -> None:
    process = Deciding(OFF._replace(endpoints=(rule("flaky", errors=False),)))
    process.run("flaky", error=OSError("again"))
    process.run("work", error=OSError("again"))
    assert process.kept == ["work"]


@pytest.mark.parametrize(
    ("wanted", "tag", "kept"),
    [
        ("gold", "gold", True),
        ("gold", "silver", False),
        ("g*", "gold", True),
        ("g?ld", "gold", True),
        ("1", 1, False),
        (1, 1, True),
        (1, 1.0, True),
        (1, True, False),
        (True, True, True),
        (True, 1, False),
        (0.5, 0.5, True),
        ("gold", ["gold"], False),
    ],
)
def test_a_trace_with_a_tag_that_is_wanted_is_kept(wanted: AttributeScalar, tag: AttributeScalar, kept: bool) -> None:
    process = Deciding(OFF._replace(keep_tags=(("tier", wanted), ("other", "x"))))
    process.run(tier=tag)
    assert bool(process.kept) is kept
    assert process.counts().tagged == kept


def test_a_tag_of_a_span_below_keeps_the_whole_trace() -> None:
    process = Deciding(OFF._replace(keep_tags=(("tier", "gold"),)))
    root = process.tracer.start_remote(Site(process.tracer, "work"), Span, None)
    child = process.tracer.start(Site(process.tracer, "work"), Span, root)
    child.details().attributes["tier"] = "gold"
    child.close()
    root.close()
    assert process.kept == ["work"]


def test_no_more_than_so_many_in_a_second_are_kept_of_an_endpoint() -> None:
    process = Deciding(OFF._replace(keep_per_second=10))
    for _ in range(50):
        for number in range(100):
            process.run("work", error=OSError("down"))
            process.run("other", error=OSError("down") if number == 0 else None)
            process.now += SECOND // 100
    assert process.counts().errors == pytest.approx(500, abs=11)
    assert process.counts().limited == 5000 - process.counts().errors
    assert process.counts("other").errors == 50


def test_above_the_limit_sampling_still_decides() -> None:
    process = Deciding(SamplerSettings(type="probabilistic", rate=0.5, keep_per_second=0))
    for _ in range(1000):
        process.run(error=OSError("down"))
    counts = process.counts()
    assert counts.errors == 0
    assert 400 < counts.sampled < 600
    assert counts.limited == 1000 - counts.sampled


def test_what_was_asked_for_is_kept_above_the_limit() -> None:
    process = Deciding(OFF._replace(keep_per_second=0))
    span = process.tracer.start_remote(Site(process.tracer, "work"), Span, None)
    span.root.keep = True
    span.close()
    assert (process.kept, process.counts().requested) == (["work"], 1)


def test_some_traces_are_kept_to_compare_the_others_with() -> None:
    process = Deciding(OFF._replace(keep_background_per_second=2))
    for _ in range(1000):
        process.run("often")
        process.now += SECOND // 100
    process.run("once")
    assert process.counts("often").background == pytest.approx(20, abs=3)
    assert process.counts("once").background == 1


def test_every_reason_is_counted_by_itself() -> None:
    process = Deciding(
        OFF._replace(keep_slower_than_ns=10**6, keep_tags=(("tier", "gold"),), keep_background_per_second=0.001)
    )
    process.run()
    process.run()
    process.run(error=OSError("down"))
    process.run(duration=2 * 10**6)
    process.run(tier="gold")
    counts = process.counts()
    assert (counts.seen, counts.kept, counts.dropped) == (5, 4, 1)
    assert (counts.background, counts.errors, counts.slow, counts.tagged) == (1, 1, 1, 1)


def overflowing(process: Deciding, **tags: AttributeScalar) -> None:
    """A local root with so many children that the first, which has the tags, is given up or delivered before the end."""
    site = Site(process.tracer, "work", "server")
    root = process.tracer.start_remote(site, Span, None)
    for number in range(40):
        child = process.tracer.start(site, Span, root)
        if number == 0:
            child.details().attributes.update(tags)
            if not tags:
                child.fail(OSError("down"))
        child.close()
    root.close()


def test_a_tag_early_in_a_trace_that_overflows_keeps_it() -> None:
    process = Deciding(OFF._replace(keep_tags=(("tier", "gold"),)), limit=10)
    overflowing(process, tier="gold")
    overflowing(process, tier="silver")
    assert (process.counts().seen, process.counts().tagged) == (2, 1)


def test_an_error_early_in_a_trace_that_overflows_keeps_it_where_errors_count() -> None:
    process = Deciding(OFF, limit=10)
    overflowing(process)
    assert process.counts().errors == 1


def test_an_error_that_does_not_count_is_no_reason_to_export_a_trace_that_overflows() -> None:
    process = Deciding(OFF._replace(endpoints=(rule("work", errors=False),)), limit=10)
    overflowing(process)
    assert (process.kept, process.counts().dropped) == ([], 1)
