"""Twenty thousand orders through real servers, one in a hundred sampled: whatever fails is kept, whole."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from autotrace.store.stored import StoredSpan

from .failing_orders import failure_of
from .shop_run import Outcome, failing, shop

COUNT = 20_000
RATE = 0.01
WHOLE = [
    ("shop", "server", "POST /orders/{number}"),
    ("shop", "internal", "Orders.place"),
    ("shop", "producer", "publish orders"),
    ("shop", "client", "LPUSH"),
    ("worker", "consumer", "process orders"),
    ("worker", "internal", "Payments.handle"),
    ("worker", "internal", "Payments.charge"),
]
PARENTS = [None, WHOLE[0], WHOLE[1], WHOLE[2], WHOLE[2], WHOLE[4], WHOLE[5]]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return shop(tmp_path_factory.mktemp("shop"), COUNT)


def _key(span: StoredSpan) -> tuple[str, str, str]:
    return span.service, span.kind, span.name


def tree(spans: list[StoredSpan]) -> Counter[object]:
    """Each span with its parent; a caller's span, which is not in the store, is no parent."""
    keys = {span.span_id: _key(span) for span in spans}
    return Counter((_key(span), keys.get(span.parent_id or "")) for span in spans)


EXPECTED: Counter[object] = Counter(zip(WHOLE, PARENTS, strict=True))


def test_each_order_is_answered(outcome: Outcome) -> None:
    failed = [number for number in failing(COUNT) if getattr(failure_of(number), "where", "") == "server"]
    assert len(outcome.load.statuses) == COUNT
    assert sorted(number for number, status in outcome.load.statuses.items() if status != 202) == failed


def test_each_failing_trace_is_whole(outcome: Outcome) -> None:
    broken = {number: tree(outcome.orders.get(number, [])) for number in failing(COUNT)}
    assert len(broken) == COUNT * 0.005
    assert {number: found for number, found in broken.items() if found != EXPECTED} == {}


def test_the_error_is_where_it_was_raised_and_above_it(outcome: Outcome) -> None:
    for number in failing(COUNT):
        wrong = {span.name for span in outcome.orders[number] if span.status == "error"}
        failure = failure_of(number)
        assert failure is not None
        of_server, of_worker = {"POST /orders/{number}", "Orders.place"}, {"Payments.handle", "Payments.charge"}
        assert wrong >= (of_server if failure.where == "server" else of_worker)
        assert not wrong & (of_worker if failure.where == "server" else of_server)


def test_one_healthy_trace_in_a_hundred_is_kept_and_whole(outcome: Outcome) -> None:
    healthy = COUNT - len(failing(COUNT))
    kept = {number: spans for number, spans in outcome.orders.items() if failure_of(number) is None}
    assert abs(len(kept) - healthy * RATE) <= 3 * math.sqrt(healthy * RATE * (1 - RATE))
    assert {number: found for number, spans in kept.items() if (found := tree(spans)) != EXPECTED} == {}


def test_nothing_else_is_in_the_store(outcome: Outcome) -> None:
    assert [[span.name for span in spans] for spans in outcome.others] == []
