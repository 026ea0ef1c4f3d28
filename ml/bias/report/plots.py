"""Dot-and-interval plots as inline SVG text: no script, no font, no picture from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _LABELS, _RIGHT, _ROW, _AXIS = 820, 260, 70, 20, 38


@dataclass(frozen=True)
class Mark:
    """One line of a plot.

    ``kind`` is a style class: "flagged", "usual" or "unsure"; ``expected`` is drawn as a stroke across the
    line, for what the value would be without any bias.
    """

    label: str
    value: float
    low: float = math.nan
    high: float = math.nan
    kind: str = "usual"
    note: str = ""
    expected: float = math.nan


def interval_plot(
    marks: Sequence[Mark], axis: str, reference: float | None = None, percent: bool = False
) -> str:
    """A dot with its interval per mark, from top to bottom, over a common axis.

    Parameters
    ----------
    marks : sequence of Mark
        Those without a finite value are left out.
    axis : str
        What the axis shows, with its unit.
    reference : float, optional
        Where to draw a dashed line.
    percent : bool
        Values are ratios, to be labelled as percentages.
    """
    drawn = [mark for mark in marks if math.isfinite(mark.value)]
    if not drawn:
        return '<p class="none">Nothing to draw: no slice has a value.</p>'
    ends = [v for m in drawn for v in (m.value, m.low, m.high, m.expected) if math.isfinite(v)]
    if reference is not None:
        ends.append(reference)
    ticks = _ticks(min(ends), max(ends))
    left, right = ticks[0], ticks[-1]
    height = _AXIS + _ROW * len(drawn)

    def x(value: float) -> float:
        return _LABELS + (value - left) / (right - left) * (_WIDTH - _LABELS - _RIGHT)

    def text(value: float) -> str:
        return f"{value * 100:.4g} %" if percent else f"{value:.4g}"

    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(axis)}">',
        f'<text class="axis" x="0" y="11">{escape(axis)}</text>',
    ]
    for tick in ticks:
        parts.append(f'<line class="grid" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="32" y2="{height}"/>')
        parts.append(f'<text class="tick" x="{x(tick):.1f}" y="28">{text(tick)}</text>')
    if reference is not None:
        place = f"{x(reference):.1f}"
        parts.append(f'<line class="reference" x1="{place}" x2="{place}" y1="32" y2="{height}"/>')
    for number, mark in enumerate(drawn):
        y = _AXIS + _ROW * number + _ROW / 2
        parts.append(f'<g class="{escape(mark.kind)}"><title>{escape(_spoken(mark, text))}</title>')
        parts.append(
            f'<text class="label" x="{_LABELS - 10}" y="{y + 4:.1f}">{escape(_short(mark.label))}</text>'
        )
        if math.isfinite(mark.low) and math.isfinite(mark.high):
            parts.append(f'<line x1="{x(mark.low):.1f}" x2="{x(mark.high):.1f}" y1="{y}" y2="{y}"/>')
        if math.isfinite(mark.expected):
            place = f"{x(mark.expected):.1f}"
            parts.append(f'<line class="expected" x1="{place}" x2="{place}" y1="{y - 7}" y2="{y + 7}"/>')
        parts.append(f'<circle cx="{x(mark.value):.1f}" cy="{y}" r="4"/>')
        parts.append(
            f'<text class="note" x="{_WIDTH - _RIGHT + 8}" y="{y + 4:.1f}">{escape(mark.note)}</text></g>'
        )
    return "".join([*parts, "</svg>"])


def _ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers that span the range."""
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        half = abs(low) / 2 or 1.0
        low, high = low - half, high + half
    raw = (high - low) / wanted
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _short(label: str, limit: int = 38) -> str:
    return label if len(label) <= limit else label[: limit - 1] + "…"


def _spoken(mark: Mark, text: Callable[[float], str]) -> str:
    interval = f" ({text(mark.low)} to {text(mark.high)})" if math.isfinite(mark.low) else ""
    return f"{mark.label}: {text(mark.value)}{interval}"
