"""One style for all pictures: colours that any colour vision tells apart, axes of time, the way to PNG."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), told apart with any colour vision; marks differ too, for prints without colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKS = "os^Dv*X"
_TIMES = {"1 min": 1 / 60, "1 h": 1.0, "1 day": 24.0, "30 days": 720.0, "1 year": 8760.0, "10 years": 87600.0}


def sheet(width: float, height: float, columns: int = 1, **shared: Any) -> tuple[Figure, NDArray[Any]]:
    """Return a figure of so many inches, and its axes side by side, shape (columns,).

    One wider than 10.6 inches does not fit into the dialog in which the UI shows it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    every = figure.subplots(1, columns, squeeze=False, **shared)[0]
    for axes in every:
        axes.tick_params(labelsize=8)
        axes.xaxis.label.set_fontsize(9)
        axes.yaxis.label.set_fontsize(9)
        axes.spines[["top", "right"]].set_visible(False)
    return figure, every


def log_hours(axes: Axes) -> None:
    """Make both axes logarithmic ones of hours, whose ticks are said in words."""
    from matplotlib.ticker import NullLocator

    axes.set(xscale="log", yscale="log")
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        shown = {name: hours for name, hours in _TIMES.items() if low <= hours <= high}
        axis.set_ticks(list(shown.values()), labels=list(shown))
        # Minor ticks are dozens, and take more time than everything else.
        axis.set_minor_locator(NullLocator())


def intervals(axes: Axes, place: NDArray[Any], ends: Any, series: int = 0, label: str = "") -> None:
    """Draw values with their intervals, one below the other, in colour and mark of a series.

    Parameters
    ----------
    axes : Axes
    place : ndarray, shape (n,)
        On the vertical axis.
    ends : array, shape (3, n)
        Values, lower and upper ends; without an end there is no interval.
    series : int
    label : str
    """
    value, low, high = np.asarray(ends, dtype=float)
    axes.errorbar(
        value,
        place,
        xerr=np.nan_to_num(np.abs([value - low, high - value])),
        fmt=MARKS[series % len(MARKS)],
        color=COLOURS[series % len(COLOURS)],
        markersize=4,
        linewidth=1.0,
        label=label,
    )


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG picture; drawn without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream)
    return stream.getvalue()
