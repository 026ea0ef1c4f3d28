"""Ways to lessen a gap, as pure functions of frames; whether they helped is the ledger's business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ml.bias.repair.constrained import ConstrainedModel, fit_bounded_group_loss
from ml.bias.slices.groups import comparable_groups, group_names
from ml.bias.slices.inputs import finite_vector, require_columns, same_length

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame

ADJUSTMENTS = ("equalize_mean", "scale_variance")


class BiasMitigator:
    """Resampling, sample weights, prediction adjustment and constrained training."""

    @staticmethod
    def resample_underrepresented(
        data: pd.DataFrame, group_col: str, target_size: int | None = None, *, seed: int = 0
    ) -> pd.DataFrame:
        """Draw rows of small groups again until each has ``target_size`` (default: as many as the largest).

        Every original row is kept once; groups above the target stay as they are.

        Raises
        ------
        ValueError
            If ``data`` has a column ``split`` with other than training rows: copies of a row on both sides of
            a split make the test part useless, so split first and resample the training part.
        """
        names = _groups_of(data, group_col)
        if "split" in data:
            held_out = sorted({str(part) for part in data["split"].unique()} - {"train"})
            if held_out:
                raise ValueError(f"data holds rows of split {held_out[0]!r}: resample training rows only")
        codes, found = pd.factorize(names, sort=True)
        sizes = np.bincount(codes)
        target = int(sizes.max()) if target_size is None else target_size
        if target < 1:
            raise ValueError(f"target_size must be at least 1, got {target}")
        rng = np.random.default_rng(seed)
        drawn = [np.arange(len(data))] + [
            rng.choice(np.flatnonzero(codes == code), target - sizes[code])
            for code in range(len(found))
            if sizes[code] < target
        ]
        return data.iloc[np.concatenate(drawn)].reset_index(drop=True)

    @staticmethod
    def compute_sample_weights(data: pd.DataFrame, group_col: str) -> pd.Series:
        """N / (groups × group size), on the index of ``data``: every group counts the same in total."""
        codes, found = pd.factorize(_groups_of(data, group_col))
        sizes = np.bincount(codes)
        return pd.Series(len(data) / (len(found) * sizes[codes]), index=data.index, name="sample_weight")

    @staticmethod
    def adjust_predictions_for_fairness(
        predictions: ArrayLike, sensitive_features: Any, method: str = "equalize_mean"
    ) -> pd.Series:
        """Move the groups' predictions together, without looking at any outcome.

        Parameters
        ----------
        predictions : array or Series
        sensitive_features : one or more values per row
        method : {"equalize_mean", "scale_variance"}
            Shift each group to the overall mean, or stretch each group about its own mean to the overall
            standard deviation (a group without spread stays as it is).
        """
        if method not in ADJUSTMENTS:
            raise ValueError(f"method must be one of {list(ADJUSTMENTS)}, got {method!r}")
        values = finite_vector(predictions, "predictions")
        same_length(predictions=values, sensitive_features=sensitive_features)
        groups = comparable_groups(sensitive_features, "sensitive_features")
        index = predictions.index if isinstance(predictions, pd.Series) else None
        series = pd.Series(values, index=index, dtype=float)
        by_group = series.groupby(groups)
        means = by_group.transform("mean")
        if method == "equalize_mean":
            return series - means + series.mean()
        spread = by_group.transform("std")
        return means + (series - means) * (series.std() / spread.where(spread > 0, series.std()))

    @staticmethod
    def compute_group_statistics(
        predictions: ArrayLike, sensitive_features: Any
    ) -> dict[str, dict[str, float]]:
        """``{group: {mean, std, min, max, count}}``; the standard deviation of a single row is NaN."""
        values = finite_vector(predictions, "predictions")
        same_length(predictions=values, sensitive_features=sensitive_features)
        table = (
            pd.Series(values)
            .groupby(group_names(sensitive_features))
            .agg(["mean", "std", "min", "max", "count"])
        )
        return {
            str(name): {
                str(key): int(value) if key == "count" else float(value) for key, value in row.items()
            }
            for name, row in table.to_dict("index").items()
        }

    @staticmethod
    def get_fairlearn_metrics_summary(frame: MetricFrame, metric: str = "mae") -> dict[str, float]:
        """``{<metric>_difference, <metric>_ratio, group_min_<metric>, group_max_<metric>}``."""
        if metric not in frame.by_group.columns:
            raise ValueError(f"frame has no metric {metric!r}; it has {list(frame.by_group.columns)}")
        figures = {
            f"{metric}_difference": frame.difference(),
            f"{metric}_ratio": frame.ratio(),
            f"group_min_{metric}": frame.group_min(),
            f"group_max_{metric}": frame.group_max(),
        }
        return {name: float(values[metric]) for name, values in figures.items()}

    @staticmethod
    def train_with_bounded_group_loss(
        estimator: Any, x: ArrayLike, y: ArrayLike, sensitive_features: Any, **options: Any
    ) -> ConstrainedModel:
        """Fairlearn's ExponentiatedGradient with BoundedGroupLoss (see `fit_bounded_group_loss`)."""
        return fit_bounded_group_loss(estimator, x, y, sensitive_features, **options)


def _groups_of(data: pd.DataFrame, group_col: str) -> np.ndarray:
    require_columns(data, [group_col], "data")
    if data.empty:
        raise ValueError(f"data is empty (shape {data.shape}): there are no groups")
    return group_names(data[group_col])
