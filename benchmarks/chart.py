"""The bar chart of the README: takes what was measured, gives an SVG that is legible on light and on dark."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple
from xml.sax.saxutils import escape

from benchmarks.environments import TITLES
from benchmarks.ratios import Measured
from benchmarks.tables import amount, ratio_text

_CHARTS = (
    ("A", "sync", "A traced call, recorded", "time added; OpenTelemetry SDK = 1, logarithmic"),
    ("B", "flask_time", "A Flask request, recorded", "time added; opentelemetry-instrument = 1, logarithmic"),
)
_WIDTH, _LEFT, _BARS, _VALUES = 760, 190, 430, 670
_ROW, _BAR, _HEAD, _FOOT = 24, 16, 52, 34
_STYLE = """\
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.quiet { fill: #59636e; font-size: 12px }
.ours { fill: #0969da }
.peer { fill: #8c959f }
.line { stroke: #d1d9e0 }
.one { stroke: #59636e }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .quiet { fill: #9198a1 }
  .ours { fill: #4493f8 }
  .peer { fill: #7d8590 }
  .line { stroke: #3d444d }
  .one { stroke: #9198a1 }
}"""


class Bar(NamedTuple):
    """One peer: its ratio, and its value as text."""

    peer: str
    ratio: float
    value: str


def draw(measured: Mapping[str, Measured]) -> str:
    """A group of bars for a recorded call, one for a Flask request; a group without values is left out."""
    parts: list[str] = []
    top = 0
    for section, case, title, scale in _CHARTS:
        bars = _bars(measured[section], case) if section in measured else []
        if bars:
            parts.extend(_group(bars, title, scale, top))
            top += _HEAD + _ROW * len(bars) + _FOOT
    size = f'viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
            f"<title>What tracing adds: {'; '.join(title for _, _, title, _ in _CHARTS)}</title>",
            f"<style>\n{_STYLE}\n</style>",
            *parts,
            "</svg>\n",
        ]
    )


def _bars(measured: Measured, case: str) -> list[Bar]:
    """The least first."""
    bars: list[Bar] = []
    for peer, mode in measured.rows():
        ratio, figure = measured.ratio(case, peer, mode), measured.figure(case, peer, mode)
        if mode == "recorded" and peer != "bare" and ratio is not None and figure is not None and ratio > 0:
            bars.append(Bar(peer, ratio, amount(figure.median, figure.unit)))
    return sorted(bars, key=lambda bar: bar.ratio)


def _group(bars: list[Bar], title: str, scale: str, top: int) -> list[str]:
    low = math.floor(math.log10(min(bar.ratio for bar in bars)) - 0.05)
    high = max(math.ceil(math.log10(max(bar.ratio for bar in bars))), low + 1)
    bottom = top + _HEAD + _ROW * len(bars)

    def across(ratio: float) -> float:
        return round(_LEFT + _BARS * (math.log10(ratio) - low) / (high - low), 1)

    parts = [_text(0, top + 20, title, "title"), _text(0, top + 38, scale, "quiet")]
    for power in range(low, high + 1):
        x, kind = across(10.0**power), "one" if power == 0 else "line"
        parts.append(f'<line class="{kind}" x1="{x}" y1="{top + _HEAD - 4}" x2="{x}" y2="{bottom}"/>')
        parts.append(_text(x, bottom + 16, f"{10.0**power:g}", "quiet", "middle"))
    for number, bar in enumerate(bars):
        parts.extend(_row(bar, top + _HEAD + _ROW * number, across(bar.ratio)))
    return parts


def _row(bar: Bar, y: int, end: float) -> list[str]:
    kind = "ours" if bar.peer == "autotrace" else "peer"
    middle = y + _BAR - 3
    return [
        _text(_LEFT - 8, middle, TITLES[bar.peer], "", "end"),
        f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{max(end - _LEFT, 2):.1f}" height="{_BAR}" rx="2"/>',
        _text(_VALUES, middle, ratio_text(bar.ratio), "", "end"),
        _text(_VALUES + 12, middle, bar.value, "quiet"),
    ]


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{style} text-anchor="{anchor}">{escape(text)}</text>'
