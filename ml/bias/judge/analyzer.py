"""Comparing the slices of plain frames, without tables, clusters or tests (`ml.bias.measure` has those)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ml.bias.judge.fairlearn_frame import metric_frame
from ml.bias.judge.gap import relative_gap
from ml.bias.judge.plain import left_out, recommendation_metrics, regression_metrics
from ml.bias.slices.groups import comparable_groups, group_names
from ml.bias.slices.inputs import known_pairs, require_columns, same_length

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame

PRIMARY_METRICS = {"regressor": "mae", "recommendation": "ndcg"}


class BiasAnalyzer:
    """Finds the best and the worst slice and flags the gap between them.

    Parameters
    ----------
    threshold : float, default 0.1
        A relative gap strictly above it is flagged.
    model_type : {"regressor", "recommendation"}
        Decides the primary metric: MAE (lower is better) or NDCG (higher is better).
    """

    def __init__(self, threshold: float = 0.1, model_type: str = "regressor") -> None:
        if model_type not in PRIMARY_METRICS:
            raise ValueError(f"model_type must be one of {sorted(PRIMARY_METRICS)}, got {model_type!r}")
        if not threshold >= 0:
            raise ValueError(f"threshold must not be negative, got {threshold}")
        self.threshold = threshold
        self.model_type = model_type
        self._primary_metric = PRIMARY_METRICS[model_type]

    def analyze_regression_metrics(self, y_true: ArrayLike, y_pred: ArrayLike) -> dict[str, float]:
        """``{mae, rmse, r2, count}``."""
        return regression_metrics(y_true, y_pred)

    def analyze_recommendation_metrics(self, y_true: ArrayLike, y_pred: ArrayLike) -> dict[str, float]:
        """``{ndcg, mrr, mae, count}`` of one ranked list: relevances and scores."""
        return recommendation_metrics(y_true, y_pred)

    def analyze_with_metricframe(
        self, y_true: ArrayLike, y_pred: ArrayLike, sensitive_features: Any
    ) -> MetricFrame:
        """Fairlearn's MetricFrame over the groups; missing values are the group "(missing)".

        Rows without truth or prediction are left out.
        """
        truth, predicted, groups, _ = _with_groups(y_true, y_pred, sensitive_features)
        return metric_frame(truth, predicted, groups, self.model_type)

    def detect_bias_fairlearn(
        self, y_true: ArrayLike, y_pred: ArrayLike, sensitive_features: Any
    ) -> dict[str, Any]:
        """Compare the groups of a MetricFrame; at least two groups of at least two rows.

        Rows without truth or prediction are left out, and ``n_missing`` says how many.
        """
        truth, predicted, groups, known = _with_groups(y_true, y_pred, sensitive_features)
        frame = metric_frame(truth, predicted, groups, self.model_type)
        counts = pd.Series(groups).value_counts()
        metrics = {
            str(name): {**row, "count": int(counts[name])}
            for name, row in frame.by_group.astype(float).to_dict("index").items()
        }
        verdict = self._verdict(metrics)
        verdict["best_group"], verdict["worst_group"] = verdict.pop("best_slice"), verdict.pop("worst_slice")
        mae = [row["mae"] for row in metrics.values()]
        return {
            **verdict, "metric_frame": frame, "mae_difference": max(mae) - min(mae), **left_out(known)
        }  # fmt: skip

    def compare_slices(
        self, slices: dict[str, pd.DataFrame], y_true_col: str, y_pred_col: str
    ) -> dict[str, Any]:
        """Compare slices of a frame.

        Rows without truth or prediction are left out, and ``n_missing`` of the slice says how many. Slices
        without any other row are listed with count 0 and not compared. Where fewer than two slices have
        rows, ``assessable`` is False, and best, worst and gap are None: nothing was found out.
        """
        if not slices:
            raise ValueError(f"slices is empty, got {slices!r}: there is nothing to compare")
        metrics: dict[str, dict[str, float]] = {}
        for name, frame in slices.items():
            require_columns(frame, [y_true_col, y_pred_col], f"slices[{name!r}]")
            known = frame[[y_true_col, y_pred_col]].notna().all(axis=1).to_numpy()
            if not known.any():
                metrics[name] = {"count": 0, **left_out(known)}
                continue
            names = (f"slices[{name!r}][{y_true_col!r}]", f"slices[{name!r}][{y_pred_col!r}]")
            truth, predicted, _ = known_pairs(frame[y_true_col], frame[y_pred_col], names)
            of_rows = regression_metrics if self.model_type == "regressor" else recommendation_metrics
            metrics[name] = of_rows(truth, predicted) | left_out(known)
        return self._verdict(metrics)

    def detect_bias_multiple_dimensions(
        self, slices_by_dimension: dict[str, dict[str, pd.DataFrame]], y_true_col: str, y_pred_col: str
    ) -> dict[str, Any]:
        """Compare the slices of each dimension, and summarise."""
        if not slices_by_dimension:
            raise ValueError(f"slices_by_dimension is empty, got {slices_by_dimension!r}")
        results = {
            dimension: self.compare_slices(slices, y_true_col, y_pred_col)
            for dimension, slices in slices_by_dimension.items()
        }
        biased = [dimension for dimension, result in results.items() if result["bias_detected"]]
        summary = {
            "total_dimensions_checked": len(results),
            "biased_dimensions": biased,
            "not_assessable_dimensions": [d for d, result in results.items() if not result["assessable"]],
            "bias_count": len(biased),
            "overall_bias_detected": bool(biased),
        }
        return {"summary": summary, "detailed_results": results}

    def _verdict(self, metrics: dict[str, dict[str, float]]) -> dict[str, Any]:
        metric = self._primary_metric
        values = {name: row[metric] for name, row in metrics.items() if row["count"] > 0}
        result: dict[str, Any] = {
            "model_type": self.model_type,
            "primary_metric": metric,
            "metrics_by_slice": metrics,
            "threshold": self.threshold,
            "assessable": len(values) >= 2,
            "best_slice": None,
            "worst_slice": None,
            f"{metric}_gap": None,
            "relative_gap": None,
            "bias_detected": False,
        }
        if not result["assessable"]:
            return result
        low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
        best, worst = (high, low) if metric == "ndcg" else (low, high)
        gap = relative_gap(values[best], values[worst])
        return result | {
            "best_slice": {"name": best, **metrics[best]},
            "worst_slice": {"name": worst, **metrics[worst]},
            f"{metric}_gap": abs(values[worst] - values[best]),
            "relative_gap": gap,
            "bias_detected": bool(gap > self.threshold),
        }


def _with_groups(
    y_true: ArrayLike, y_pred: ArrayLike, sensitive_features: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.object_], NDArray[np.bool_]]:
    """Truth, prediction and group of the rows that have both of the former, and which rows these are."""
    truth, predicted, known = known_pairs(y_true, y_pred)
    same_length(y_true=known, sensitive_features=sensitive_features)
    groups = comparable_groups(group_names(sensitive_features)[known], "sensitive_features")
    return truth, predicted, groups, known
