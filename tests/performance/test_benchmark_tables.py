"""The arithmetic of the benchmark's tables."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from benchmarks.chart import draw
from benchmarks.ratios import Measured
from benchmarks.sample import Goal, Sample
from benchmarks.tables import amount, goals_table, section_table

REFERENCE = ("opentelemetry", "recorded")


def samples(peer: str, *values: float, case: str = "sync", mode: str = "recorded") -> list[Sample]:
    return [Sample("A", case, peer, mode, number, value, "ns") for number, value in enumerate(values)]


def section(*goals: Goal) -> Any:
    return SimpleNamespace(
        NAME="A", TITLE="A call", NOTE="How.", REFERENCE=REFERENCE, CASES={"sync": "a call"}, GOALS=goals
    )


def test_a_ratio_is_the_median_of_the_ratios_of_each_round() -> None:
    # The machine was ten times slower in the second round, and hit the peer alone in the third.
    measured = Measured([*samples("opentelemetry", 100, 1000, 100), *samples("autotrace", 4, 40, 50)], REFERENCE, {})

    assert measured.ratio("sync", "autotrace", "recorded") == 0.04


def test_a_round_without_the_reference_does_not_count() -> None:
    measured = Measured([*samples("opentelemetry", 100), *samples("autotrace", 4, 90, 90)], REFERENCE, {})

    assert measured.ratio("sync", "autotrace", "recorded") == 0.04


def test_a_case_may_be_compared_with_another_one() -> None:
    reference = [*samples("opentelemetry", 100), *samples("opentelemetry", 200, case="tagged")]
    measured = Measured([*reference, *samples("autotrace", 5, case="tagged")], REFERENCE, {"tagged": "sync"})

    assert measured.ratio("tagged", "autotrace", "recorded") == 0.05


def test_a_goal_is_met_or_not_or_was_not_measured() -> None:
    measured = Measured(
        [*samples("opentelemetry", 100), *samples("autotrace", 4), *samples("sentry", 59)], REFERENCE, {}
    )
    goals = Goal("reached", "sync", 0.04), Goal("missed", "sync", 0.03), Goal("absent", "async", 0.05)

    lines = goals_table([section(*goals)], {"A": measured}).splitlines()[-3:]

    assert lines == [
        "| A reached | ≤ 0.04 | 0.040 | yes | 0.59 (Sentry) |",
        "| A missed | ≤ 0.03 | 0.040 | **no** | 0.59 (Sentry) |",
        "| A absent | ≤ 0.05 | - | - | - |",
    ]


def test_a_table_has_a_row_for_each_peer_and_mode() -> None:
    measured = Measured(
        [*samples("opentelemetry", 25_000, 25_000), *samples("autotrace", 50, mode="record_false")], REFERENCE, {}
    )

    lines = section_table(section(), measured).splitlines()[-2:]

    assert lines == [
        "| OpenTelemetry SDK, recorded | **1.00** 25.0 µs ± 0% |",
        "| autotrace, record false | **0.0020** 50.0 ns ± 0% |",
    ]


def test_an_amount_has_three_digits_and_the_unit_that_suits_it() -> None:
    assert [
        amount(485, "ns"),
        amount(25_300, "ns"),
        amount(1_143, "us"),
        amount(2630, "bytes"),
        amount(812.4, "1/s"),
    ] == [
        "485 ns",
        "25.3 µs",
        "1.14 ms",
        "2,630 B",
        "812 1/s",
    ]


def test_the_chart_has_a_bar_for_each_peer_that_records() -> None:
    measured = Measured(
        [*samples("opentelemetry", 100), *samples("autotrace", 4), *samples("autotrace", 1, mode="unsampled")],
        REFERENCE,
        {},
    )

    bars = ElementTree.fromstring(draw({"A": measured})).findall("{http://www.w3.org/2000/svg}rect")

    assert [bar.get("class") for bar in bars] == ["ours", "peer"]
