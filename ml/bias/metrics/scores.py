"""Metrics of scorers of 0/1 outcomes.

Tested are missed positives, wrongly flagged negatives, chances that are off, and a poorer order. Precision,
average precision, the share selected and the size of the error depend on how many positives a slice has:
they are shown with their intervals and never held against a model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.bias.estimates.cells import ROWS, Floats, slice_medians
from ml.bias.estimates.figures import Formula, OfRows, Ratio
from ml.bias.estimates.of_order import OfOrder
from ml.bias.estimates.sums import Statistic
from ml.bias.metrics.declared import Metric, MetricSet
from ml.bias.metrics.hours import SHARE, determination, root_mean_square
from ml.bias.metrics.tasks import RowTask
from ml.bias.slices.inputs import checked_predictions, finite_vector, require_columns

PROBABILITY = "probability"


@dataclass(frozen=True)
class Scores:
    """Rows with a known outcome ``y``: probability, whether they are selected, and what orders them."""

    y: Floats
    probability: Floats
    selected: Floats
    score: Floats

    @classmethod
    def of_rows(cls, rows: pd.DataFrame) -> Scores:
        """From checked predictions; a row is selected from its threshold on."""
        names = ("y_true", "y_pred", "threshold", "score")
        y, probability, threshold, score = (rows[name].to_numpy(dtype=float) for name in names)
        return cls(y, probability, (probability >= threshold).astype(float), score)

    @property
    def error(self) -> Floats:
        """Probability - outcome."""
        return self.probability - self.y


def _checked(predictions: pd.DataFrame, model: str) -> pd.DataFrame:
    require_columns(predictions, ["threshold"], "predictions")
    checked = checked_predictions(predictions, model)
    odd = checked["y_true"].notna() & ~checked["y_true"].isin([0.0, 1.0])
    if odd.any():
        raise ValueError(f"predictions['y_true'] must be 0 or 1, got {checked.loc[odd, 'y_true'].iloc[0]:g}")
    if not checked["y_pred"].between(0, 1).all():
        bad = checked.loc[~checked["y_pred"].between(0, 1), "y_pred"].iloc[0]
        raise ValueError(f"predictions['y_pred'] must be a probability, got {bad:g}")
    if "score" not in checked:
        checked["score"] = checked["y_pred"]
    for name in ("score", "threshold"):
        finite_vector(checked[name].to_numpy(dtype=float, na_value=np.nan), f"predictions['{name}']")
    return checked


_POSITIVE = Statistic("positive", lambda rows: rows.y)
_NEGATIVE = Statistic("negative", lambda rows: 1 - rows.y)
_SELECTED = Statistic("selected", lambda rows: rows.selected)
_HIT = Statistic("hit", lambda rows: rows.selected * rows.y)
_FALSE_ALARM = Statistic("false_alarm", lambda rows: rows.selected * (1 - rows.y))
_SIZE = Statistic("mae", lambda rows: np.abs(rows.error))
_SQUARE = Statistic("mse", lambda rows: rows.error**2)
_SIGNED = Statistic("mean_error", lambda rows: rows.error)

SCORE_METRICS = MetricSet(
    metrics=(
        Metric(
            name="recall",
            estimate=Ratio(_HIT, over=_POSITIVE, is_share=True),
            unit=SHARE,
            description="share of the positives from the threshold on: a smaller one misses more",
            worse="smaller",
        ),
        Metric(
            name="false_positive_rate",
            estimate=Ratio(_FALSE_ALARM, over=_NEGATIVE, is_share=True),
            unit=SHARE,
            description="share of the negatives from the threshold on: a larger one wrongly flags more",
            worse="larger",
        ),
        Metric(
            name="mean_error",
            estimate=Ratio(_SIGNED),
            unit=PROBABILITY,
            description="mean probability - share of positives: off either way",
            worse="either",
            relative_to=_POSITIVE,
        ),
        Metric(
            name="precision",
            estimate=Ratio(_HIT, over=_SELECTED, is_share=True),
            unit=SHARE,
            description="share of positives from the threshold on",
        ),
        Metric(
            name="selection_rate",
            estimate=Ratio(_SELECTED, is_share=True),
            unit=SHARE,
            description="share of the rows from the threshold on",
        ),
        Metric(
            name="positive_rate",
            estimate=Ratio(_POSITIVE, is_share=True),
            unit=SHARE,
            description="share of positives",
        ),
        Metric(
            name="mae",
            estimate=Ratio(_SIZE),
            unit=PROBABILITY,
            description="mean absolute error of the probability",
        ),
        Metric(
            name="brier",
            estimate=Ratio(_SQUARE),
            unit="",
            description="mean squared error of the probability",
        ),
        Metric(
            name="auc",
            estimate=OfOrder("auc", _POSITIVE, _NEGATIVE, lambda rows: rows.score),
            unit="",
            description="area under the ROC curve (a smaller one: a poorer order)",
            worse="smaller",
        ),
        Metric(
            name="average_precision",
            estimate=OfOrder("average_precision", _POSITIVE, _NEGATIVE, lambda rows: rows.score),
            unit="",
            description="mean precision at the positives",
        ),
    ),
    also=(
        Metric(
            name="rmse",
            estimate=Formula((_SQUARE,), root_mean_square),
            unit=PROBABILITY,
            description="the root of the Brier score",
        ),
        Metric(
            name="r2",
            estimate=Formula((_SQUARE,), determination),
            unit="",
            description="the gain over its own rate",
        ),
        Metric(
            name="median_ae",
            estimate=OfRows(lambda sums, config: slice_medians(sums.membership, np.abs(sums.rows.error))),
            unit=PROBABILITY,
            description="median absolute error of the probability",
        ),
        Metric(
            name="median_error",
            estimate=OfRows(lambda sums, config: slice_medians(sums.membership, sums.rows.error)),
            unit=PROBABILITY,
            description="median of probability - outcome",
        ),
    ),
    counts={
        "n": lambda sums: sums.membership.n,
        "n_positive": lambda sums: sums.rows_with("positive")[0],
        "n_clusters": lambda sums: sums.clusters_with(ROWS),
    },
    tables=("slice_metrics", "score_metrics"),
    first=(_POSITIVE, _NEGATIVE, _SELECTED, _HIT, _FALSE_ALARM, _SIZE, _SQUARE, _SIGNED),
)
SCORES = RowTask("binary", SCORE_METRICS, Scores.of_rows, _checked)
