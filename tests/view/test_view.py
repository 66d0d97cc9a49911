import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from autotrace.view.terminal import draw_waterfall
from autotrace.view.text import fit, format_duration, printable, width
from autotrace.view.tree import build_forest, draw_tree, walk

TREE = """\
POST /orders [order-service] server
├─ OrderService.create_order
│  ├─ INSERT orders client
│  └─ POST client error
│     └─ POST /pay [payment-service] server error
└─ render"""


def test_the_tree_says_service_where_it_changes_kind_and_error(spans):
    assert draw_tree(spans) == TREE


def test_the_tree_does_not_depend_on_the_order_of_the_spans(spans):
    shuffled = list(spans)
    random.Random(7).shuffle(shuffled)
    assert draw_tree(shuffled) == TREE


def test_a_span_whose_parent_is_not_in_the_store_is_a_marked_root(spans):
    without = [span for span in spans if span.name != "POST"]
    assert draw_tree(without).endswith("POST /pay [payment-service] server error (parent not in the store)")


def test_spans_that_are_one_anothers_parents_are_each_drawn_once(spans):
    one, two, alone = spans[0], spans[1], spans[2]
    ring = [
        replace(one, parent_id=two.span_id),
        replace(two, parent_id=one.span_id),
        replace(alone, parent_id=alone.span_id),
    ]
    drawn = [branch.node.span.name for branch in walk(build_forest(ring))]
    assert sorted(drawn) == sorted([one.name, two.name, alone.name])


def test_a_span_id_stored_twice_is_drawn_twice_with_its_children_once(spans):
    assert len(draw_tree([*spans, spans[0]]).splitlines()) == len(spans) + 1


def test_a_trace_deeper_than_pythons_stack_is_drawn(spans):
    deep = [
        replace(spans[0], span_id=f"{n + 1:016x}", parent_id=f"{n:016x}" if n else None, start_ns=n)
        for n in range(3000)
    ]
    assert len(draw_tree(deep).splitlines()) == 3000
    assert len(draw_waterfall(deep, 100).splitlines()) == 3003


def test_the_waterfall_at_width_100_is_as_written_down(spans, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        drawn = draw_waterfall(spans, columns=100)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert drawn + "\n" == Path(__file__).with_name("golden_waterfall.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_every_line_fits_the_width(spans, columns):
    wide = [replace(span, name=span.name + " 注文" * 20, status_message="x" * 500, events=()) for span in spans]
    assert max(width(line) for line in draw_waterfall(wide, columns, tags=True).splitlines()[1:]) <= columns


def test_tags_stand_below_their_span(spans):
    assert 'order_type = "gold"' in draw_waterfall(spans, 100, tags=True)
    assert "order_type" not in draw_waterfall(spans, 100)


def test_colour_only_when_asked(spans):
    assert "\x1b[" not in draw_waterfall(spans, 100)
    assert "\x1b[31m" in draw_waterfall(spans, 100, colour=True)


def test_a_name_cannot_move_the_cursor(spans):
    assert "\x1b" not in draw_waterfall([replace(spans[0], name="\x1b[2J\nPOST", service="\r")], 100)
    assert printable("a\x1b\ud800b") == "a\\x1b\\ud800b"


def test_a_trace_of_no_length_is_drawn(spans):
    assert "100 %" in draw_waterfall([replace(spans[0], duration_ns=0)], 100)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0 ns"), (999, "999 ns"), (1_000, "1.00 us"), (999_999, "1.00 ms"), (12_340_000, "12.3 ms"),
        (812_000_000, "812 ms"), (1_250_000_000, "1.25 s"), (200_000_000_000, "3 min 20 s"),
    ],
)  # fmt: skip
def test_a_duration_has_three_digits_and_a_unit(nanoseconds, text):
    assert format_duration(nanoseconds) == text


def test_text_is_cut_by_columns_not_by_characters():
    assert fit("注文注文", 5) == "注文…"
    assert fit("ab", 4) == "ab  "
