"""Pictures of how a model learned: calibration, the course of early stopping, and what it relies on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.outcomes import outcomes_at
from ml.reports.style import COLOURS, MARKS, png, sheet
from ml.store.record import Evaluation
from ml.tasks.duration.model import horizon_column

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Chances = Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
_BINS, _FEATURES = 10, 15


def how_it_learned(evaluation: Evaluation, chances: Chances) -> bytes:
    """Draw calibration on the test part, the learning curve, and the features that the model relies on.

    Parameters
    ----------
    evaluation : Evaluation
    chances : mapping of str to (chance, truth)
        By what is foretold, two arrays of the same shape (n,): from 0 to 1, and 0 or 1.

    Returns
    -------
    bytes
        A PNG picture.
    """
    figure, (calibration, curve, importance) = sheet(10.6, 3.8, 3)
    figure.suptitle(evaluation.model)
    _draw_calibration(calibration, chances)
    _draw_curve(curve, evaluation)
    _draw_importance(importance, evaluation.importance)
    return png(figure)


def chances_of_hours(predictions: pd.DataFrame, dataset: Dataset) -> Chances:
    """What a model of hours said at the items' start of every horizon, and whether it came true.

    Of the test part, and of items that were watched as long as the horizon.
    """
    last = dataset.row_labels()["observed_until"].to_numpy("datetime64[us]")
    truth = outcomes_at(dataset, last, np.ones(len(last), dtype=bool))
    days = [d for d in dataset.config.horizons_days if horizon_column(d) in predictions]
    came_true = dataset.items[["item_id", "event_at"]].assign(**{str(d): truth.within(d) for d in days})
    at_start = dataset.items["event_at"].to_numpy("datetime64[us]") == dataset.first_times()
    test = predictions[predictions["split"] == "test"]
    joined = test.merge(came_true[at_start], on=["item_id", "event_at"])
    return {
        f"within {d:g} day{'s' * (d > 1)}": _known(joined[horizon_column(d)], joined[str(d)]) for d in days
    }


def chances_of_scores(predictions: pd.DataFrame) -> Chances:
    """What a scorer or ranker said of the test part, and whether it came true."""
    test = predictions[predictions["split"] == "test"]
    truth = test["y_true"].gt(0).astype(float).where(test["y_true"].notna())
    return {"positive": _known(test["y_pred"], truth)}


def _known(chance: pd.Series, truth: pd.Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    known = truth.notna() & chance.notna()
    return chance[known].to_numpy(float), truth[known].to_numpy(float)


def _draw_calibration(axes: Axes, chances: Chances) -> None:
    """Share that came true over the mean chance, in bins of equally many rows."""
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--")
    for series, (name, (chance, truth)) in enumerate(chances.items()):
        order = np.argsort(chance, kind="stable")
        bins = [rows for rows in np.array_split(order, _BINS) if len(rows)]
        said, came = ([values[rows].mean() for rows in bins] for values in (chance, truth))
        axes.plot(
            said,
            came,
            color=COLOURS[series % len(COLOURS)],
            marker=MARKS[series % len(MARKS)],
            markersize=4,
            linewidth=1.0,
            label=f"{name} ({len(chance):,})",
        )
    axes.set(
        xlim=(0, 1), ylim=(0, 1), xlabel="chance", ylabel="share that came true", title="calibration, test"
    )
    axes.legend(fontsize=7, loc="upper left")


def _draw_curve(axes: Axes, evaluation: Evaluation) -> None:
    curve = evaluation.learning_curve
    axes.set(title="learning curve", xlabel="trees")
    if not curve:
        axes.text(0.5, 0.5, "no early stopping", ha="center", transform=axes.transAxes, fontsize=9)
        axes.set(xticks=[], yticks=[])
        return
    axes.plot(np.arange(1, len(curve) + 1), curve, color=COLOURS[0], linewidth=1.2)
    if evaluation.best_iteration is not None:
        axes.axvline(evaluation.best_iteration, color=COLOURS[1], linewidth=1.0, linestyle="--", label="kept")
        axes.legend(fontsize=7)
    hours = evaluation.task == "regression"
    axes.set_ylabel(
        "MAE of log hours of what stops it" if hours else "judgement of what stops it; more is better"
    )


def _draw_importance(axes: Axes, importance: Mapping[str, float]) -> None:
    axes.set(title="what it relies on", xlabel="share of the gain")
    if not importance:
        axes.text(0.5, 0.5, "this family does not tell", ha="center", transform=axes.transAxes, fontsize=9)
        axes.set(xticks=[], yticks=[])
        return
    # A record that was read back has its names in the order of the alphabet.
    first = sorted(importance.items(), key=lambda one: (-one[1], one[0]))[:_FEATURES][::-1]
    axes.barh([name for name, _ in first], [share for _, share in first], color=COLOURS[0], height=0.7)
    axes.tick_params(axis="y", labelsize=7)
