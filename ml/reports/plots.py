"""Pictures of what a model says and for whom it is wrong, as PNG bytes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ml.reports.style import COLOURS, intervals, log_hours, png, sheet

# One minute is the floor of the axes: a log axis has no zero.
_FLOOR_HOURS = 1 / 60


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
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    rows = predictions[(predictions["split"] == split) & predictions["y_true"].notna()]
    figure, (axes,) = sheet(6.0, 5.2)
    actual, predicted = (np.maximum(rows[c].to_numpy(float), _FLOOR_HOURS) for c in ("y_true", "y_pred"))
    if len(rows):
        low, high = min(actual.min(), predicted.min()), max(actual.max(), predicted.max()) * 1.0001
        cells = axes.hexbin(
            actual, predicted, gridsize=45, xscale="log", yscale="log", bins="log", mincnt=1, cmap="cividis"
        )
        bar = figure.colorbar(cells, ax=axes, label="items", ticks=LogLocator(subs=(1, 2, 5)))
        bar.ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        bar.ax.yaxis.set_minor_locator(NullLocator())
        axes.plot([low, high], [low, high], color="black", linewidth=0.8, linestyle="--")
        log_hours(axes)
    axes.set(
        xlabel="actual time", ylabel="predicted time (median)", title=f"{title}, {split}: {len(rows):,} items"
    )
    return png(figure)


def error_per_slice(slices: pd.DataFrame, dimension: str | None = None, most: int = 25) -> bytes:
    """Draw error and signed error of log hours of the largest slices of a dimension, with intervals.

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
    signed = "mean_error_log"
    return _per_slice(
        rows,
        {
            "MAE of log hours": ("mae_log", "ci_low", "ci_high"),
            "signed error of log hours; below 0: too early": (
                signed,
                f"{signed}_ci_low",
                f"{signed}_ci_high",
            ),
        },
        f"Error by {dimension}, 95 % intervals",
        most,
    )


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
    panels = {metric: ("value", "ci_low", "ci_high")}
    return _per_slice(metrics[chosen], panels, f"{metric} by {dimension}, 95 % intervals", most)


def _per_slice(rows: pd.DataFrame, panels: dict[str, tuple[str, str, str]], title: str, most: int) -> bytes:
    sizes = rows.groupby("slice")["n"].max().sort_values(ascending=False, kind="stable")
    names = list(sizes.index[:most])[::-1]
    models = sorted(rows["model"].unique())
    figure, every = sheet(4.6 + 3.0 * len(panels), 1.4 + 0.3 * len(names), len(panels), sharey=True)
    figure.suptitle(title)
    for axes, (axis, columns) in zip(every, panels.items(), strict=True):
        for position, model in enumerate(models):
            own = rows[rows["model"] == model].set_index("slice").reindex(names)
            y = np.arange(len(names)) + (position - (len(models) - 1) / 2) * 0.8 / max(len(models), 1)
            intervals(axes, y, own[list(columns)].to_numpy(float).T, position, model)
        axes.set_xlabel(axis)
        if axis.startswith("signed"):
            axes.axvline(0, color=COLOURS[-1], linewidth=0.8, linestyle="--")
    every[0].set_yticks(np.arange(len(names)), [f"{name} ({sizes[name]:,})" for name in names], fontsize=8)
    if len(models) > 1:
        every[0].legend(fontsize=8)
    return png(figure)
