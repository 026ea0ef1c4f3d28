"""Step-like curves as inline SVG: no script, no font, no picture from elsewhere."""

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _TOP, _RIGHT, _BOTTOM = 820, 300, 50, 12, 190, 34


def survival_plot(curves: Mapping[str, Sequence[tuple[float, float]]], most: int = 8) -> str:
    """A line per name through its points of days and share, the first ones only; empty without a curve."""
    drawn = dict(list(curves.items())[:most])
    if not drawn:
        return ""
    longest = max(days for points in drawn.values() for days, _ in points)

    def x(days: float) -> float:
        # By the root: the first week and the first year can both be seen.
        return _LEFT + (days / longest) ** 0.5 * (_WIDTH - _LEFT - _RIGHT)

    def y(share: float) -> float:
        return _TOP + (1 - share) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="Share of tickets still open, by days">'
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" '
            f'y1="{y(share):.1f}" y2="{y(share):.1f}"/>'
            f'<text class="tick" x="{_LEFT - 22}" y="{y(share) + 4:.1f}">{share:.0%}</text>'
        )
    for days in sorted({days for points in drawn.values() for days, _ in points if days}):
        parts.append(f'<text class="tick" x="{x(days):.1f}" y="{_HEIGHT - 12}">{days:g} d</text>')
    ordered = sorted(drawn.items(), key=lambda one: -one[1][-1][1])
    places: list[float] = []
    for _, points in ordered:
        # Labels that would lie upon each other are moved apart, and never below the axis.
        places.append(max([y(points[-1][1]) + 4, *(place + 14 for place in places[-1:])]))
    for i in range(len(places)):
        places[i] = min(places[i], y(0.0) + 4 - 14 * (len(places) - 1 - i))
    for (name, points), place in zip(ordered, places, strict=True):
        line = " ".join(f"{x(days):.1f},{y(share):.1f}" for days, share in points)
        dots = "".join(f'<circle cx="{x(days):.1f}" cy="{y(share):.1f}" r="2"/>' for days, share in points)
        parts.append(
            f'<polyline class="curve" points="{line}"><title>{escape(name)}</title></polyline>'
            f'<g class="points">{dots}</g>'
            f'<text class="note" x="{x(points[-1][0]) + 6:.1f}" y="{place:.1f}">{escape(name[-26:])}</text>'
        )
    return "".join([*parts, "</svg>"])
