"""Markdown tables: takes sections and what was measured, gives text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.environments import TITLES
from benchmarks.ratios import Figure, Measured
from benchmarks.section import Section

_NONE = "-"
_STEPS = {"ns": (("ns", 1.0), ("µs", 1e3), ("ms", 1e6)), "us": (("µs", 1.0), ("ms", 1e3)), "bytes": (("B", 1.0),)}


def goals_table(sections: Sequence[Section], measured: Mapping[str, Measured]) -> str:
    """What autotrace is to reach, what it reaches, and whether that is enough."""
    lines = ["## Goals", "", "| | goal | reached | met | best peer |", "|---|---|---|---|---|"]
    for section in sections:
        found = measured[section.NAME]
        for goal in section.GOALS:
            reached = found.ratio(goal.case, "autotrace", goal.mode)
            met = _NONE if reached is None else "yes" if reached <= goal.limit else "**no**"
            best = _best_peer(found, goal.case, goal.mode)
            lines.append(f"| {section.NAME} {goal.title} | ≤ {goal.limit:g} | {ratio_text(reached)} | {met} | {best} |")
    return "\n".join(lines)


def section_table(section: Section, measured: Measured) -> str:
    """A row for each peer and mode, a column for each case: ratio, median, spread."""
    known = measured.cases()
    cases = [case for case in section.CASES if case in known]
    reference, mode = section.REFERENCE
    lines = [
        f"## {section.NAME}. {section.TITLE}",
        "",
        f"{section.NOTE} {TITLES[reference]}, {mode}, is 1.0.",
        "",
        "| | " + " | ".join(section.CASES[case] for case in cases) + " |",
        "|---|" + "---|" * len(cases),
    ]
    for peer, own_mode in measured.rows():
        cells = [_cell(measured, case, peer, own_mode) for case in cases]
        lines.append(f"| {TITLES[peer]}, {own_mode.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def amount(value: float, unit: str) -> str:
    """A value with its unit, in three digits: `485 ns`, `25.3 µs`, `176 B`."""
    for name, size in reversed(_STEPS.get(unit, ((unit, 1.0),))):
        if abs(value) >= size or size == 1.0:
            scaled = value / size
            digits = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
            return f"{scaled:,.{digits}f} {name}"
    raise AssertionError(unit)


def ratio_text(value: float | None) -> str:
    """A ratio in two or three digits."""
    if value is None:
        return _NONE
    return f"{value:.4f}" if abs(value) < 0.01 else f"{value:.3f}" if abs(value) < 0.1 else f"{value:.2f}"


def _cell(measured: Measured, case: str, peer: str, mode: str) -> str:
    figure = measured.figure(case, peer, mode)
    if figure is None:
        return _NONE
    ratio = measured.ratio(case, peer, mode)
    return f"{_spread(figure)}" if ratio is None else f"**{ratio_text(ratio)}** {_spread(figure)}"


def _spread(figure: Figure) -> str:
    return f"{amount(figure.median, figure.unit)} ± {figure.spread:.0%}"


def _best_peer(measured: Measured, case: str, mode: str) -> str:
    modes = {"otlp": ("recorded",), "record_false": ("unsampled",)}.get(mode, (mode,))
    found: list[tuple[float, str]] = []
    for peer, own_mode in measured.rows():
        ratio = measured.ratio(case, peer, own_mode)
        if ratio is not None and own_mode in modes and peer not in ("autotrace", "bare", measured.reference[0]):
            found.append((ratio, TITLES[peer]))
    if not found:
        return _NONE
    ratio, title = min(found)
    return f"{ratio_text(ratio)} ({title})"
