"""Fairlearn's MetricFrame with this project's metrics: an oracle and a view for its users, not the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from ml.bias.judge.plain import ndcg, reciprocal_rank, regression_metrics

if TYPE_CHECKING:
    from fairlearn.metrics import MetricFrame


def metric_frame(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sensitive_features: Any,
    model_type: str = "regressor",
    **options: Any,
) -> MetricFrame:
    """MetricFrame of mae, rmse and r2, or of ndcg, mrr and mae for recommendations.

    ``options`` go to MetricFrame, for example ``n_boot`` and ``ci_quantiles``.
    """
    from fairlearn.metrics import MetricFrame

    errors = {name: _regression(name) for name in ("mae", "rmse", "r2")}
    ranking = {"ndcg": ndcg, "mrr": reciprocal_rank, "mae": errors["mae"]}
    return MetricFrame(
        metrics=ranking if model_type == "recommendation" else errors,
        y_true=y_true,
        y_pred=y_pred,
        sensitive_features=sensitive_features,
        **options,
    )


def _regression(name: str) -> Any:
    def metric(y_true: ArrayLike, y_pred: ArrayLike) -> float:
        return regression_metrics(y_true, y_pred)[name]

    return metric
