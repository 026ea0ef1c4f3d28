"""Ways to lessen a gap, as pure functions of frames; whether they helped is the ledger's business."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ml.bias.repair.constrained import ConstrainedModel, fit_bounded_group_loss
from ml.bias.slices.groups import comparable_groups, group_names
from ml.bias.slices.inputs import finite_vector, numbers, require_columns, same_length
from ml.stats.weights import group_weights

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
        weights = group_weights(_groups_of(data, group_col))
        return pd.Series(weights, index=data.index, name="sample_weight")

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

        Returns
        -------
        Series
            With the index of ``predictions``; a missing prediction stays missing. Predictions of which none
            is negative are taken for hours and never fall below zero: what is moved stops there, by the shift
            and the stretch with which the group has the wanted mean and spread all the same.

        Raises
        ------
        ValueError
            If hours of a group's mean cannot spread that much without negative ones.
        """
        if method not in ADJUSTMENTS:
            raise ValueError(f"method must be one of {list(ADJUSTMENTS)}, got {method!r}")
        values = _numbers(predictions)
        same_length(predictions=values, sensitive_features=sensitive_features)
        groups = comparable_groups(sensitive_features, "sensitive_features")
        index = predictions.index if isinstance(predictions, pd.Series) else None
        series = pd.Series(values, index=index, dtype=float)
        by_group = series.groupby(groups)
        means, is_hours = by_group.transform("mean"), not (series < 0).any()
        if method == "equalize_mean":
            shifted = series - means + series.mean()
            if not is_hours or not (shifted < 0).any():
                return shifted
            return by_group.transform(lambda own: _shifted_to(own, float(series.mean())))
        spread = by_group.transform("std")
        stretched = means + (series - means) * (series.std() / spread.where(spread > 0, series.std()))
        if is_hours and (stretched < 0).any():
            return by_group.transform(lambda own: _stretched_to(own, float(series.std())))
        return stretched

    @staticmethod
    def compute_group_statistics(
        predictions: ArrayLike, sensitive_features: Any
    ) -> dict[str, dict[str, float]]:
        """``{group: {mean, std, min, max, count}}``; the standard deviation of a single row is NaN.

        Missing predictions are left out, and ``n_missing`` of the group says how many.
        """
        values = _numbers(predictions)
        same_length(predictions=values, sensitive_features=sensitive_features)
        by_group = pd.Series(values).groupby(group_names(sensitive_features))
        table = by_group.agg(["mean", "std", "min", "max", "count"])
        missing = (by_group.size() - table["count"]).to_dict()
        return {
            str(name): {str(key): float(value) for key, value in row.items()}
            | {"count": int(row["count"])}
            | ({"n_missing": int(missing[name])} if missing[name] else {})
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


def _numbers(predictions: ArrayLike) -> np.ndarray:
    """Predictions, NaN for missing ones; ValueError for infinite ones, or if there is none at all."""
    values = numbers(predictions, "predictions")
    finite_vector(values[~np.isnan(values)], "predictions")
    return values


def _shifted_to(hours: pd.Series, mean: float) -> pd.Series:
    """Hours moved by one shift, but not below zero, so that their mean is the given one.

    With the k largest above zero the shift is (n · mean - their sum) / k; the right k is the largest one that
    keeps the k-th above zero.
    """
    largest = np.sort(hours.dropna().to_numpy())[::-1]
    if not len(largest):
        return hours
    k = np.arange(1, len(largest) + 1)
    shifts = (len(largest) * mean - np.cumsum(largest)) / k
    above = np.flatnonzero(largest + shifts > 0)
    return (hours + float(shifts[above[-1] if len(above) else 0])).clip(lower=0)


def _stretched_to(hours: pd.Series, spread: float) -> pd.Series:
    """Hours stretched about their mean, but not below zero, to the given standard deviation."""
    from scipy.optimize import brentq

    mean = float(hours.mean())

    def stretched(factor: float) -> pd.Series:
        return _shifted_to((hours - mean) * factor, mean)

    if not hours.std() > 0:
        return hours
    # From here on only the largest is above zero, and a further stretch changes nothing.
    ordered = np.sort(hours.dropna().unique())
    most = len(hours) * mean / (ordered[-1] - ordered[-2]) + 1
    if stretched(most).std() < spread:
        raise ValueError(
            f"scale_variance cannot give hours with the mean {mean:.3g} the standard deviation {spread:.3g} "
            "without negative ones: scale log(1 + hours) instead"
        )
    return stretched(float(brentq(lambda factor: stretched(factor).std() - spread, 0, most)))


def _groups_of(data: pd.DataFrame, group_col: str) -> np.ndarray:
    require_columns(data, [group_col], "data")
    if data.empty:
        raise ValueError(f"data is empty (shape {data.shape}): there are no groups")
    return group_names(data[group_col])
