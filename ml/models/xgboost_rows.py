"""XGBoost with the rows of a fit spread over a Dask cluster, for more rows than a worker can hold.

Every worker makes histograms of its own rows, which are added up: the trees are nearly, not exactly, those
that one process grows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.models.spec import Validation

ENGINE = "xgboost.dask"


def spread_rows(cluster: Any, x: NDArray[Any], y: NDArray[np.float64], weight: NDArray[np.float64]) -> Any:
    """Give every worker an equal share of the rows; return them as a `xgboost.dask.DaskDMatrix`."""
    import dask
    import dask.array
    from xgboost.dask import DaskDMatrix

    workers = sorted(cluster.scheduler_info(n_workers=-1)["workers"])
    shares = [share for share in np.array_split(np.arange(len(y)), len(workers)) if len(share)]

    def spread(values: NDArray[Any]) -> Any:
        # Left to itself, Dask may put several shares on one worker.
        parts = [
            dask.array.from_delayed(
                dask.delayed(cluster.scatter(values[share], workers=[worker], hash=False)),
                (len(share), *values.shape[1:]),
                values.dtype,
            )
            for share, worker in zip(shares, workers, strict=False)
        ]
        return dask.array.concatenate(parts)

    return DaskDMatrix(cluster, spread(x), spread(y), weight=spread(weight))


def fit_spread(cluster: Any, estimator: Any, rows: Any, validation: Validation | None, patience: int) -> None:
    """Fit an `xgboost.XGBRegressor` in place on rows as `spread_rows` gives them."""
    from xgboost.dask import train

    watched: dict[str, Any] = {}
    if validation is not None:
        estimator.set_params(early_stopping_rounds=patience)
        seen = spread_rows(cluster, *validation)
        watched = {"evals": [(seen, "validation")], "early_stopping_rounds": patience}
    params = {name: value for name, value in estimator.get_xgb_params().items() if name != "n_jobs"}
    grown = train(cluster, params, rows, estimator.get_num_boosting_rounds(), verbose_eval=False, **watched)
    estimator.load_model(grown["booster"].save_raw("ubj"))
