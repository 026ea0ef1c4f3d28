"""Pictures of a run as PNG bytes; drawn without a display."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def predicted_against_actual(predictions: pd.DataFrame, title: str, split: str = "test") -> bytes:
    """Draw predicted against actual hours of the known rows of a part, both on logarithmic axes.

    Parameters
    ----------
    predictions : DataFrame
        ``split, y_true, y_pred`` in hours.
    title : str
    split : str

    Returns
    -------
    bytes
        A PNG picture.
    """
    from matplotlib.figure import Figure

    rows = predictions[(predictions["split"] == split) & predictions["y_true"].notna()]
    figure = Figure(figsize=(6.0, 5.2), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    # One minute is the floor of the axes: a log axis has no zero.
    actual, predicted = (np.maximum(rows[c].to_numpy(float), 1 / 60) for c in ("y_true", "y_pred"))
    if len(rows):
        low = min(actual.min(), predicted.min())
        high = max(actual.max(), predicted.max()) * 1.0001
        cells = axes.hexbin(actual, predicted, gridsize=45, xscale="log", yscale="log", bins="log", mincnt=1)
        figure.colorbar(cells, ax=axes, label="items")
        axes.plot([low, high], [low, high], color="black", linewidth=0.8, linestyle="--")
    axes.set(
        xlabel="actual hours", ylabel="predicted hours (median)", title=f"{title}, {split}: {len(rows)} items"
    )
    return png(figure)


def error_per_slice(slices: pd.DataFrame, dimension: str | None = None, most: int = 25) -> bytes:
    """Draw the MAE of log hours of the largest slices of a dimension, with intervals, one colour per model.

    Parameters
    ----------
    slices : DataFrame
        Columns of ``bias.slice_metrics``, one split.
    dimension : str or None
        The first one of the table when None.
    most : int
        Slices shown at most, the largest ones.

    Returns
    -------
    bytes
        A PNG picture.
    """
    if dimension is None:
        dimension = str(slices["dimension"].iloc[0]) if len(slices) else "nothing"
    rows = slices[(slices["dimension"] == dimension) & slices["mae_log"].notna()]
    rows = rows.rename(columns={"mae_log": "value"})
    return _intervals(rows, "MAE of log hours, 95 % interval", f"Error by {dimension}", most)


def metric_per_slice(metrics: pd.DataFrame, metric: str, dimension: str, most: int = 25) -> bytes:
    """Draw one metric of the largest slices of a dimension, with intervals, one colour per model.

    Parameters
    ----------
    metrics : DataFrame
        Columns of ``bias.score_metrics``, one split.
    metric, dimension : str
    most : int
        Slices shown at most, the largest ones.

    Returns
    -------
    bytes
        A PNG picture.
    """
    chosen = (metrics["dimension"] == dimension) & (metrics["metric"] == metric) & metrics["value"].notna()
    return _intervals(metrics[chosen], f"{metric}, 95 % interval", f"{metric} by {dimension}", most)


def _intervals(rows: pd.DataFrame, axis: str, title: str, most: int) -> bytes:
    from matplotlib.figure import Figure

    sizes = rows.groupby("slice")["n"].max().sort_values(ascending=False, kind="stable")
    names = list(sizes.index[:most])[::-1]
    models = sorted(rows["model"].unique())
    figure = Figure(figsize=(8.0, 1.2 + 0.3 * len(names)), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    for position, model in enumerate(models):
        own = rows[rows["model"] == model].set_index("slice").reindex(names)
        y = np.arange(len(names)) + (position - (len(models) - 1) / 2) * 0.8 / max(len(models), 1)
        value, low, high = (own[c].to_numpy(float) for c in ("value", "ci_low", "ci_high"))
        axes.errorbar(
            value,
            y,
            xerr=np.abs([value - low, high - value]),
            fmt="o",
            markersize=3,
            linewidth=0.8,
            label=model,
        )
    axes.set_yticks(np.arange(len(names)), [f"{name} ({sizes[name]})" for name in names], fontsize=7)
    axes.set(xlabel=axis, title=title)
    if models:
        axes.legend(fontsize=7)
    return png(figure)


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream)
    return stream.getvalue()
