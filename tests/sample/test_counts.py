"""What is told of endpoints: how many to a store, which rules met none, and by which reason."""

from __future__ import annotations

from deciding import Deciding, rule

from autotrace.plan.plan import SamplerSettings
from autotrace.sample.counts import OTHERS, most_seen, storable
from autotrace.sample.endpoint_sampler import KEEP
from autotrace.span.endpoint_counts import EndpointCounts, add_up
from autotrace.span.site import Site
from autotrace.span.span import Span

OFF = SamplerSettings(type="probabilistic", rate=0.0)


def test_a_store_is_told_of_the_two_hundred_that_were_seen_most_and_of_the_others_as_one() -> None:
    process = Deciding(OFF)
    for number in range(250):
        for _ in range(2 if number < 200 else 1):
            process.run(f"job {number}", error=OSError("down"))
    told = storable(process.sampler.counts())
    assert len(told) == 201
    assert {one.seen for one in told[:200]} == {2}
    assert told[200] == EndpointCounts(OTHERS, "", seen=50, errors=50)


def test_a_store_is_told_of_a_rule_without_a_hit_as_of_an_endpoint_that_was_seen_0_times() -> None:
    process = Deciding(OFF._replace(endpoints=(rule("work", 0.0), rule("wrok", 1.0))))
    process.run()
    unused = process.sampler.counts().unused
    assert [(one.origin, one.endpoint) for one in unused] == [("tracing.toml:9:1", "wrok")]
    met, missed = storable(process.sampler.counts())
    assert met.seen == 1
    assert missed == EndpointCounts(
        "wrok", '[[sampler.endpoints]] endpoint = "wrok", rate = 1 (tracing.toml:9:1)', seen=0
    )


def test_a_rule_that_was_met_before_a_fork_is_not_unused_in_the_child() -> None:
    process = Deciding(OFF._replace(endpoints=(rule("work", 0.0),)))
    process.run()
    process.sampler.reset()
    assert storable(process.sampler.counts()) == ()


def test_a_rule_that_records_nothing_is_met_and_counts_what_it_drops() -> None:
    process = Deciding(OFF._replace(endpoints=(rule("work", record=False),)))
    process.run()
    (told,) = storable(process.sampler.counts())
    assert (told.seen, told.dropped) == (1, 1)


def test_a_trace_that_failed_and_that_somebody_asked_for_is_one_that_was_requested() -> None:
    process = Deciding(OFF)
    span = process.tracer.start_remote(Site(process.tracer, "work"), Span, None)
    span.root.keep = span.root.error = True
    span.close()
    assert (process.counts().errors, process.counts().requested) == (0, 1)
    assert span.details().attributes[KEEP] == "requested"


def test_what_is_dropped_carries_no_reason() -> None:
    process = Deciding(OFF)
    assert process.run().span.detail is None


def test_counters_that_threads_have_torn_are_never_negative() -> None:
    assert EndpointCounts("work", "", seen=1, sampled=2).dropped == 0


def test_several_are_added_up_under_one_name() -> None:
    one, other = EndpointCounts("a", "x", 1, 2, 3, 4, 5, 6, 7, 8), EndpointCounts("b", "y", 1, 1, 1, 1, 1, 1, 1, 1)
    assert add_up("both", "z", (one, other)) == ("both", "z", 2, 3, 4, 5, 6, 7, 8, 9)
    assert most_seen((one, other._replace(seen=5)))[0].endpoint == "b"
