"""The mitigation ledger: what each method changed, on the same later rows, and whether to accept it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from ml.bias.config import BiasConfig
from ml.bias.estimates.comparison import clustered_mean, q_values
from ml.bias.estimates.errors import RowErrors
from ml.bias.judge.gap import relative_gap
from ml.bias.measure import measure_bias
from ml.bias.metrics.hours import HOURS
from ml.bias.slices.inputs import checked_predictions, locate
from ml.bias.slices.membership import build_membership, encode_dimensions
from ml.bias.tables import names

BASELINE = "baseline"


@dataclass(frozen=True)
class Mitigated:
    """Test predictions of a mitigated model, and what it cost.

    ``predictions`` has item_id (and event_at where items repeat) and y_pred (hours) of the test rows;
    ``note`` is what else a reader should know, such as a bound that was not met.
    """

    predictions: pd.DataFrame
    n_fits: int = 0
    seconds: float = 0.0
    note: str = ""


def evaluate_ledger(
    baseline: pd.DataFrame,
    methods: Mapping[str, Mitigated],
    slices: pd.DataFrame,
    config: BiasConfig | None = None,
    *,
    margin: float = 0.01,
) -> pd.DataFrame:
    """One line per method and dimension: the rows of ``bias.mitigation``.

    The worst slice of a dimension is chosen on the baseline's validation rows, by shrunken error: chosen on
    the test rows, it would improve by regression to the mean alone. Everything is measured on the test rows,
    paired row by row.

    A method is accepted for a dimension when the worst slice's mean absolute log error falls beyond noise
    (one-sided, one false-discovery rate over the whole ledger, below ``alpha``) and the overall one does not
    rise by more than ``margin``, its interval included (non-inferiority).

    Parameters
    ----------
    baseline : DataFrame
        As for `measure_bias`, one model, with the splits "validation" and "test".
    methods : mapping of str to Mitigated
    slices : DataFrame
    config : BiasConfig, optional
    margin : float, default 0.01
        Relative.

    Returns
    -------
    DataFrame
        mae_before and mae_after in hours over all test rows; gap_before and gap_after the relative gap of the
        mean absolute log error; worst_before, worst_after, overall_before, overall_after mean absolute log
        errors; ci_low and ci_high the interval of ``change``, the worst slice's paired difference.
    """
    config = config or BiasConfig()
    if margin < 0:
        raise ValueError(f"margin must not be negative, got {margin}")
    checked = checked_predictions(baseline, config.model)
    for split in ("validation", "test"):
        if not (checked["split"] == split).any():
            raise ValueError(
                f"baseline has no row of split {split!r}; it has {sorted(set(checked['split']))}"
            )
    if checked["model"].nunique() > 1:
        raise ValueError(f"baseline must hold one model, got {sorted(checked['model'].unique())}")
    measured = measure_bias(checked, slices, replace(config, replicates=2))["slice_metrics"]
    test = checked[(checked["split"] == "test") & checked["y_true"].notna()].reset_index(drop=True)
    rows = _TestRows.of(test, slices, measured, config)
    lines = []
    for name, method in {BASELINE: Mitigated(test), **methods}.items():
        after = rows.aligned(method.predictions, name)
        for dimension in rows.worst:
            line = rows.compare(after, dimension, config.confidence)
            cost = {"n_fits": method.n_fits, "seconds": method.seconds, "note": method.note}
            lines.append({"method": name, **cost, **line})
    ledger = pd.DataFrame(lines).assign(task=HOURS.name, model=str(test["model"].iloc[0]))
    return _decided(ledger, config.alpha, margin)[names("mitigation")]


@dataclass(frozen=True)
class _TestRows:
    rows: pd.DataFrame
    key: list[str]
    errors: RowErrors
    clusters: NDArray[np.intp]
    members: dict[tuple[str, str], NDArray[np.intp]]
    worst: dict[str, str | None]
    assessable: dict[str, list[str]]

    @classmethod
    def of(
        cls, test: pd.DataFrame, slices: pd.DataFrame, measured: pd.DataFrame, config: BiasConfig
    ) -> _TestRows:
        position = locate(test, slices)
        membership = build_membership(
            encode_dimensions(slices), position, np.ones(len(test), dtype=bool), config.min_slice_size
        )
        members = {
            (str(d), str(s)): membership.matrix[[i]].indices
            for i, (d, s) in enumerate(zip(membership.dimension, membership.slice, strict=True))
        }
        if "group_id" in test:
            groups = test["group_id"]
        else:
            groups = slices["group_id" if "group_id" in slices else "item_id"].iloc[position]
        assessed = measured[measured["assessable"]]
        worst: dict[str, str | None] = {}
        assessable: dict[str, list[str]] = {}
        for dimension in measured.loc[~measured["is_outcome"], "dimension"].unique():
            own = assessed[assessed["dimension"] == dimension]
            on_test = [str(name) for name in own.loc[own["split"] == "test", "slice"]]
            before = own[(own["split"] == "validation") & own["slice"].isin(on_test)]
            assessable[str(dimension)] = on_test
            worst[str(dimension)] = (
                None if before.empty else str(before.loc[before["shrunk_mae_log"].idxmax(), "slice"])
            )
        return cls(
            rows=test,
            key=["item_id", "event_at"] if not test["item_id"].is_unique else ["item_id"],
            errors=RowErrors.of(test["y_true"].to_numpy(dtype=float), test["y_pred"].to_numpy(dtype=float)),
            clusters=pd.factorize(groups, use_na_sentinel=False)[0],
            members=members,
            worst=worst,
            assessable=assessable,
        )

    def aligned(self, predictions: pd.DataFrame, name: str) -> RowErrors:
        """The method's errors on exactly the baseline's rows."""
        if predictions.duplicated(self.key).any():
            raise ValueError(f"methods[{name!r}].predictions holds an item twice")
        joined = self.rows[self.key].merge(predictions[[*self.key, "y_pred"]], on=self.key, how="left")
        predicted = joined["y_pred"].to_numpy(dtype=float, na_value=np.nan)
        if not np.isfinite(predicted).all():
            item = joined["item_id"].iloc[int(np.argmin(np.isfinite(predicted)))]
            raise ValueError(f"methods[{name!r}].predictions has no finite y_pred for test item {item}")
        return RowErrors.of(self.errors.y, predicted)

    def compare(self, after: RowErrors, dimension: str, confidence: float) -> dict[str, Any]:
        """Figures before and after, and the paired changes."""
        old, new = self.errors.size, after.size
        low, high, _ = _paired(new - old, self.clusters, confidence)
        worst = self.worst[dimension]
        line: dict[str, Any] = {
            "dimension": dimension,
            "mae_before": float(np.abs(self.errors.error).mean()),
            "mae_after": float(np.abs(after.error).mean()),
            "gap_before": self._gap(old, dimension),
            "gap_after": self._gap(new, dimension),
            "overall_before": float(old.mean()),
            "overall_after": float(new.mean()),
            "overall_ci_low": low,
            "overall_ci_high": high,
            "worst_slice": worst,
        }
        if worst is None:
            nothing = dict.fromkeys(
                ["worst_before", "worst_after", "change", "ci_low", "ci_high", "p"], np.nan
            )
            return line | nothing | {"n_worst": 0}
        inside = self.members[dimension, worst]
        low, high, p_value = _paired((new - old)[inside], self.clusters[inside], confidence)
        return line | {
            "n_worst": len(inside),
            "worst_before": float(old[inside].mean()),
            "worst_after": float(new[inside].mean()),
            "change": float((new - old)[inside].mean()),
            "ci_low": low,
            "ci_high": high,
            "p": p_value,
        }

    def _gap(self, absolute: NDArray[np.float64], dimension: str) -> float:
        means = [absolute[self.members[dimension, name]].mean() for name in self.assessable[dimension]]
        return relative_gap(min(means), max(means)) if len(means) >= 2 else np.nan


def _paired(
    change: NDArray[np.float64], clusters: NDArray[np.intp], confidence: float
) -> tuple[float, float, float]:
    """Interval of the mean change, and the one-sided p-value of a decrease (Student's t over clusters)."""
    mean, error, degrees = clustered_mean(change, clusters)
    if np.isnan(error):
        return np.nan, np.nan, np.nan
    half = float(special.stdtrit(degrees, (1 + confidence) / 2)) * error
    if error == 0:
        return mean, mean, 0.0 if mean < 0 else 1.0
    return mean - half, mean + half, float(special.stdtr(degrees, mean / error))


def _decided(ledger: pd.DataFrame, alpha: float, margin: float) -> pd.DataFrame:
    is_baseline = (ledger["method"] == BASELINE).to_numpy()
    p_values = np.where(is_baseline, np.nan, ledger["p"].to_numpy(dtype=float))
    q = q_values(p_values, overlapping=True)
    not_worse = (ledger["overall_ci_high"] <= margin * ledger["overall_before"]).to_numpy()
    reason = np.select(
        [
            is_baseline,
            ledger["worst_slice"].isna() | np.isnan(p_values),
            ledger["ci_low"] > 0,
            ~(q < alpha),
            ~not_worse,
        ],
        ["baseline", "not assessable", "worst slice worse", "within noise", "overall worse"],
        "accepted",
    )
    return ledger.assign(q_value=q, reason=reason, accepted=reason == "accepted")
