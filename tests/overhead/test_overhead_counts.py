"""The counting of spans from a sample, and what many processes say together."""

from __future__ import annotations

from recording import Recording

from autotrace.overhead.counts import OTHERS, Counts
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.store.overhead import NOTHING, STAGES, Cost, Overhead, total
from autotrace.store.overhead_text import from_text, to_text


def trace(*names: str) -> tuple[LocalRoot, list[Span]]:
    """An ended local root, the last of the names, and the spans below it."""
    recording = Recording()
    site = {name: Site(recording.tracer, name) for name in names}
    with recording.span(names[-1]) as root:
        for name in names[:-1]:
            with site[name].nullcontext():
                pass
    return root.root, sorted(recording.spans(), key=lambda span: span.root.span is span)


def counted(counts: Counts, *traces: tuple[LocalRoot, list[Span]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for root, spans in traces:
        if counts.is_due():
            counts.add(root, spans, exported=True)
    for (_, name, _), count in counts.recorded.items():
        found[name] = found.get(name, 0) + count
    return found


def test_traces_that_come_in_turns_are_counted_alike() -> None:
    turns = [trace("a", "one"), trace("b", "two")] * 10_000
    found = counted(Counts(), *turns)
    assert 8500 < found["one"] < 11_500
    assert 8500 < found["two"] < 11_500
    assert 19_500 < found["one"] + found["two"] < 20_500


def test_of_a_large_trace_each_place_is_counted_by_its_part_and_the_root_once() -> None:
    found = counted(Counts(), *[trace(*["a", "b", "b", "b"] * 100, "root")] * 100)
    assert found["root"] == 100
    assert 8000 < found["a"] < 12_000
    assert 28_000 < found["b"] < 32_000


def test_names_without_end_are_counted_together() -> None:
    counts = Counts()
    for number in range(300):
        counts.is_due()
        counts.add(*trace(f"GET /{number}"), exported=True)
    found = counted(counts)
    assert len(found) == 201
    assert found[OTHERS] >= 100


def test_requests_without_a_route_are_one_endpoint_whatever_their_path() -> None:
    counts, recording = Counts(), Recording()
    for number in range(100):
        span = recording.tracer.start(Site(recording.tracer, "GET", "server"), Span, None)
        span.details().attributes["url.path"] = f"/{number}"
        span.close()
        if counts.is_due():
            counts.add(span.root, [span], exported=True)
    assert {endpoint for endpoint, _, _ in counts.recorded} == {"GET"}


def test_an_overhead_is_read_as_it_was_written() -> None:
    cost = Cost("work", "shop.work", 3, (1, 2, 3, 4, 5))
    overhead = Overhead(1000, (1, 2, 3, 4, 5), (cost,), (cost,), 7, 8)
    assert from_text(to_text(overhead)) == overhead


def test_what_another_version_has_written_is_nothing() -> None:
    assert [from_text(text) for text in ("", "{}", "[]", "1", '{"stages": {}}')] == [None] * 5


def test_several_processes_are_one() -> None:
    one = Overhead(1000, (1, 2, 3, 4, 5), (Cost("work", "", 3, (1, 0, 0, 0, 0)),), (), 7, 8)
    both = total([one, one])
    assert both == Overhead(2000, (2, 4, 6, 8, 10), (Cost("work", "", 6, (2, 0, 0, 0, 0)),), (), 14, 16)
    assert both.share == 0.015
    assert total([]).stages == NOTHING
    assert len(STAGES) == 5
