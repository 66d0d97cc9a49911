"""Decisions after the end (R45): each local root by itself, bounded while it is open, and remembered for what comes late."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import pytest

from autotrace.span.remote import RemoteParent
from autotrace.span.site import Site
from autotrace.span.span import LocalRoot, Span
from autotrace.span.tracer import Tracer

LIMIT = 5000


class Kept:
    """A tracer that keeps errors, and what else was sampled; deliveries as names, in their order."""

    def __init__(self, sampled: bool = False) -> None:
        self.deliveries: list[list[str]] = []
        self.refused = 0
        self.tracer = Tracer(
            lambda root: sampled,
            lambda root: root.sampled or root.error or root.keep,
            self._deliver,
            dropped=self._drop,
        )

    def _deliver(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        self.deliveries.append([span.name for span in spans])

    def _drop(self, root: LocalRoot, spans: Sequence[Span]) -> None:
        self.refused += len(spans)

    def root(self, name: str = "request", remote: RemoteParent | None = None) -> Span:
        return self.tracer.start_remote(Site(self.tracer, name, "server"), Span, remote)

    def child(self, above: Span, name: str = "child") -> Span:
        return self.tracer.start(Site(self.tracer, name), Span, above)


def test_of_a_hundred_thousand_open_at_once_each_is_decided_by_itself() -> None:
    kept = Kept()
    remote = RemoteParent(1, 1, None)  # all of them of one trace: the decision belongs to the local root
    opened = [kept.root(f"request {number}", remote) for number in range(100_000)]
    for span in opened:
        kept.child(span).close()
    for number, span in enumerate(opened):
        span.close(ValueError("failed") if number % 1000 == 0 else None)
    assert kept.deliveries == [["child", f"request {number}"] for number in range(0, 100_000, 1000)]
    assert kept.refused == 2 * (100_000 - 100)


def test_what_was_decided_on_is_freed_while_the_others_are_open() -> None:
    kept = Kept()
    opened = [kept.root() for _ in range(10_000)]
    for span in opened:
        kept.child(span).close()
    del span
    for _ in range(9_000):
        opened.pop().close()
    gc.collect()
    assert sum(type(one) is Span and one.root.tracer is kept.tracer for one in gc.get_objects()) == 2_000
    for span in opened:
        span.close()


@pytest.mark.parametrize("fails", [False, True])
def test_a_late_child_follows_the_decision(fails: bool) -> None:
    kept = Kept()
    root = kept.root()
    late = kept.child(root, "late")
    root.close(ValueError("failed") if fails else None)
    late.close()
    assert (kept.deliveries, kept.refused) == (([["request"], ["late"]], 0) if fails else ([], 2))


def test_an_error_of_a_late_child_does_not_keep_what_is_gone() -> None:
    kept = Kept()
    root = kept.root()
    late = kept.child(root, "late")
    root.close()
    late.close(ValueError("failed"))
    assert (kept.deliveries, kept.refused) == ([], 2)


def test_a_local_root_that_never_ends_is_exported_in_chunks() -> None:
    kept = Kept(sampled=True)
    root = kept.root("loop")
    for number in range(3 * LIMIT):
        kept.child(root, f"step {number}").__exit__(None, None, None)
        assert len(root.root.finished) <= LIMIT
    assert [len(names) for names in kept.deliveries] == [LIMIT + 1, LIMIT + 1]
    root.close()
    delivered = [name for names in kept.deliveries for name in names]
    assert delivered == [*(f"step {number}" for number in range(3 * LIMIT)), "loop"]


def test_one_that_is_not_sampled_is_bounded_and_counts_what_it_has_lost() -> None:
    kept = Kept()
    root = kept.root("loop")
    failed = kept.child(root, "failed")
    failed.details().status = "error"
    failed.__exit__(None, None, None)
    for number in range(3 * LIMIT):
        kept.child(root, f"step {number}").__exit__(None, None, None)
        assert len(root.root.finished) <= LIMIT
    root.root.keep = True
    root.close()
    (delivered,) = kept.deliveries
    assert root.root.dropped + len(delivered) == 3 * LIMIT + 2
    assert delivered[-2:] == [f"step {3 * LIMIT - 1}", "loop"]
    assert "failed" in delivered


def test_from_its_first_error_on_it_is_exported_in_chunks() -> None:
    kept = Kept()
    root = kept.root("loop")
    for number in range(3 * LIMIT):
        failed = number == 2 * LIMIT
        step, error = kept.child(root, f"step {number}"), ValueError("failed") if failed else None
        step.__exit__(None if error is None else ValueError, error, None)
    root.close()
    delivered = [name for names in kept.deliveries for name in names]
    assert len(delivered) + root.root.dropped == 3 * LIMIT + 1
    assert {f"step {number}" for number in range(2 * LIMIT, 3 * LIMIT)} <= set(delivered)
