"""Survival curves as a picture: what share still waits, a panel for each group of curves."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ml.reports.style import COLOURS, png

_STROKES = ((COLOURS[0], "-"), (COLOURS[1], "--"), (COLOURS[-1], ":"))
_TICKS = {"1 min": 1 / 1440, "1 h": 1 / 24, "1 day": 1.0, "30 days": 30.0, "1 year": 365.0}
_COLUMNS, _FLOOR_DAYS = 4, 1 / 1440


def survival_curves(curves: pd.DataFrame, axis: str, most: int = 40) -> bytes:
    """Draw survival curves with their intervals over a logarithmic axis of time.

    Parameters
    ----------
    curves : DataFrame
        ``panel, line, hours, n_at_risk, survival, ci_low, ci_high``, one row per step; at most three lines.
    axis : str
        What survives, for the vertical axis.
    most : int
        Panels shown at most, those with the most items.

    Returns
    -------
    bytes
        A PNG picture.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullLocator

    sizes = curves.groupby("panel")["n_at_risk"].max().sort_values(ascending=False, kind="stable")
    shown = list(sizes.index[:most])
    lines = sorted(curves["line"].unique())
    rows = max(1, math.ceil(len(shown) / _COLUMNS))
    figure = Figure(figsize=(11.0, 0.9 + 1.9 * rows), dpi=90, layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
    drawn = curves[curves["panel"].isin(shown)].sort_values("hours", kind="stable")
    steps = dict(list(drawn.groupby(["panel", "line"])))
    for place, axes in zip([*shown, *[None] * (rows * _COLUMNS - len(shown))], grid.flat, strict=True):
        if place is None:
            axes.set_axis_off()
            continue
        axes.set_title(f"{place} ({sizes[place]})", fontsize=7)
        for line, (colour, style) in zip(lines, _STROKES, strict=False):
            own = steps.get((place, line))
            if own is None:
                continue
            # Everybody waits at first, and until the first step.
            days = np.r_[_FLOOR_DAYS, np.maximum(own["hours"].to_numpy(float) / 24, _FLOOR_DAYS)]
            survival = np.r_[1.0, own["survival"].to_numpy(float)]
            low, high = (np.r_[np.nan, own[limit].to_numpy(float)] for limit in ("ci_low", "ci_high"))
            axes.step(days, survival, where="post", color=colour, linestyle=style, linewidth=1.1, label=line)
            axes.fill_between(days, low, high, step="post", color=colour, alpha=0.2, linewidth=0)
    first = grid.flat[0]
    first.set_xscale("log")
    first.set_ylim(0, 1)
    # A dozen ticks to every panel would take more time than all the curves.
    first.xaxis.set_minor_locator(NullLocator())
    first.set_xticks(list(_TICKS.values()), list(_TICKS))
    for axes in grid.flat:
        axes.tick_params(labelsize=7)
    figure.supxlabel("time since the creation (95 % intervals shaded)", fontsize=8)
    figure.supylabel(axis, fontsize=8)
    named = {line.get_label(): line for axes in grid.flat for line in axes.get_lines()}
    if named:
        figure.legend(named.values(), named.keys(), loc="outside upper center", ncols=len(named), fontsize=8)
    return png(figure)
