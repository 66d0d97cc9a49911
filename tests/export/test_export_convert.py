"""What recorded spans become when they leave the process."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from autotrace import guard
from autotrace.export.convert import convert
from autotrace.span.clock import Clock
from autotrace.span.context import get_current
from autotrace.span.finished import FinishedEvent, FinishedLink, FinishedSpan
from autotrace.span.remote import RemoteParent
from autotrace.span.site import ShortSite, Site
from autotrace.span.span import LocalRoot, ShortSpan, Span
from autotrace.span.tracer import Tracer


class Recording:
    """A tracer that keeps everything, and what became of it."""

    def __init__(self) -> None:
        self.root: LocalRoot | None = None
        self.spans: list[Span] = []
        self.tracer = Tracer(lambda root: True, lambda root: True, self._deliver)

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        self.root = root
        self.spans += spans

    def site(self, name: str, kind: str = "internal") -> Site:
        return Site(self.tracer, name, kind)

    def converted(self) -> dict[str, FinishedSpan]:
        assert self.root is not None
        return {span.name: span for span in convert(self.root, self.spans)}


@pytest.fixture
def recording() -> Recording:
    return Recording()


def test_a_tree_keeps_its_parents_and_its_trace(recording: Recording) -> None:
    before = time.time_ns()
    with (
        recording.site("root").nullcontext(),
        recording.site("child").nullcontext(),
        recording.site("grandchild").nullcontext(),
    ):
        pass
    spans = recording.converted()
    root, child, grandchild = spans["root"], spans["child"], spans["grandchild"]
    assert (root.parent_id, child.parent_id, grandchild.parent_id) == (0, root.span_id, child.span_id)
    assert root.trace_id == child.trace_id == grandchild.trace_id != 0
    assert [span.local_root for span in (root, child, grandchild)] == [True, False, False]
    assert abs(root.start_ns - before) < 10**9
    assert root.start_ns <= child.start_ns
    assert child.start_ns + child.duration_ns <= root.start_ns + root.duration_ns


def test_the_parent_of_a_child_whose_parent_vanished_is_the_next_one_up(recording: Recording) -> None:
    with recording.site("root").nullcontext():
        with ShortSite(recording.tracer, "short", min_duration=10**12).nullcontext():
            short = get_current()
        assert isinstance(short, ShortSpan)
        assert short.vanished
        recording.tracer.start(recording.site("child"), Span, short).close()
    spans = recording.converted()
    assert set(spans) == {"root", "child"}
    assert spans["child"].parent_id == spans["root"].span_id


def test_a_remote_parent_is_the_parent_of_the_local_root(recording: Recording) -> None:
    recording.tracer.start_remote(recording.site("root"), Span, RemoteParent(5, 6, external_id="xyz-123")).close()
    root = recording.converted()["root"]
    assert (root.trace_id, root.parent_id, root.local_root) == (5, 6, True)
    assert root.attributes["autotrace.external_id"] == "xyz-123"


def test_an_exception_is_an_event_at_its_time(recording: Recording) -> None:
    with pytest.raises(ValueError, match="broken"), recording.site("root").nullcontext():
        raise ValueError("broken")
    root = recording.converted()["root"]
    assert (root.status, root.status_message) == ("error", "broken")
    (event,) = root.events
    assert event.name == "exception"
    assert root.start_ns <= event.time_ns <= root.start_ns + root.duration_ns


def test_the_root_carries_its_links_and_how_many_spans_it_lost(recording: Recording) -> None:
    span = recording.tracer.start(recording.site("root"), Span, None)
    span.root.links = (FinishedLink(1, 2, {}),)
    span.details().add_link(FinishedLink(3, 4, {}))
    span.root.dropped = 17
    span.close()
    root = recording.converted()["root"]
    assert root.links == [FinishedLink(1, 2, {}), FinishedLink(3, 4, {})]
    assert root.attributes["autotrace.dropped_spans"] == 17


def test_the_attributes_of_the_place_give_way_to_those_of_the_call(recording: Recording) -> None:
    site = Site(recording.tracer, "root", attributes={"autotrace.service": "Orders", "tier": "none"})
    span = recording.tracer.start(site, Span, None)
    span.details().attributes["tier"] = "gold"
    span.close()
    assert recording.converted()["root"].attributes == {"autotrace.service": "Orders", "tier": "gold"}


def test_a_span_has_at_most_128_attributes_and_the_first_stay(recording: Recording) -> None:
    span = recording.tracer.start(recording.site("root"), Span, None)
    span.details().attributes.update({f"key{number}": number for number in range(1000)})
    span.close()
    attributes = recording.converted()["root"].attributes
    assert len(attributes) == 128
    assert "key0" in attributes


def test_one_bad_span_costs_itself_only(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOTRACE_FAILURES")
    guard.failures.clear()
    with recording.site("root").nullcontext():
        with recording.site("bad").nullcontext():
            bad = get_current()
            assert isinstance(bad, Span)
            bad.details().add_event(FinishedEvent("poison", None, {}))  # type: ignore[arg-type]
        with recording.site("good").nullcontext():
            pass
    assert set(recording.converted()) == {"root", "good"}
    assert list(guard.failures.values()) == [1]
    guard.failures.clear()


def test_converting_twice_gives_the_same_ids(recording: Recording) -> None:
    with recording.site("root").nullcontext(), recording.site("child").nullcontext():
        pass
    assert recording.converted() == recording.converted()
    assert recording.spans[0].end <= Clock.now()


def test_spans_of_one_place_share_its_attributes_and_a_tag_changes_none_of_them(recording: Recording) -> None:
    site = Site(recording.tracer, "child", attributes={"code.function.name": "shop.child"})
    with recording.site("root").nullcontext():
        for number in range(3):
            span = recording.tracer.start(site, Span, get_current())
            if number == 1:
                detail = span.details()
                detail.attributes = {"order.id": 7}
            span.close()
    assert recording.root is not None
    first, tagged, last, _ = convert(recording.root, recording.spans)
    assert first.attributes is last.attributes is site.attributes
    assert tagged.attributes == {"code.function.name": "shop.child", "order.id": 7}
    assert site.attributes == {"code.function.name": "shop.child"}


def test_each_span_gets_an_id_of_its_own_and_keeps_one_that_was_handed_out(recording: Recording) -> None:
    with recording.site("root").nullcontext():
        for _ in range(1000):
            with recording.site("child").nullcontext():
                pass
    handed_out = recording.spans[17].span_id
    assert recording.root is not None
    identifiers = [span.span_id for span in convert(recording.root, recording.spans)]
    assert len({*identifiers, 0}) == 1002
    assert identifiers[17] == handed_out
