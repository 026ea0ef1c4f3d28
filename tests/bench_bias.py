"""Seconds of the engine against Fairlearn's MetricFrame on the same artificial rows; for ``make bench``."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd

from ml.bias import HOURS, BiasConfig, measure_bias
from ml.bias.judge.fairlearn_frame import metric_frame
from ml.bias.judge.verdicts import judge
from ml.bias.slices.membership import encode_dimensions

METRICS = ("mae", "rmse", "r2", "mean_error", "mae_log", "mean_error_log")


def benchmark_bias(
    sizes: tuple[tuple[int, int], ...] = ((61_000, 3_000), (1_000_000, 300)),
    replicates: int = 100,
    fairlearn_rows: int = 61_000,
) -> list[dict[str, Any]]:
    """Time both on (rows, groups) of lognormal hours.

    ``engine_seconds`` is all metrics with intervals and verdicts per group, ``tables_seconds`` all that
    `measure_bias` makes of the same rows. MetricFrame is timed without its bootstrap, on at most
    ``fairlearn_rows`` of the rows and with three metrics, since more takes minutes: its figure is what the
    bare values alone cost. All are seconds of CPU, so that other work on the machine does not count; set
    ``OMP_NUM_THREADS=1`` for one core.
    """
    import fairlearn.metrics  # noqa: F401 (its import is no part of the comparison)

    results = []
    for n_rows, n_groups in sizes:
        predictions, slices = _artificial(n_rows, n_groups)
        config = BiasConfig(replicates=replicates, min_slice_size=2, min_clusters=2)
        started = time.process_time()
        everyone = np.arange(n_rows)
        dimensions = encode_dimensions(slices)
        ((metrics, sums),) = HOURS.added_up(predictions, dimensions, everyone, config).sets
        _, figures = judge(metrics, sums, config)
        engine = time.process_time() - started
        if np.isnan([figures[name].low for name in METRICS]).all(axis=1).any():
            raise RuntimeError(f"the engine gave no intervals of one of {METRICS}")
        started = time.process_time()
        measure_bias(predictions, slices, config)
        tables = time.process_time() - started
        sample, groups = predictions[:fairlearn_rows], slices["slice_group"][:fairlearn_rows]
        started = time.process_time()
        metric_frame(sample["y_true"], sample["y_pred"], groups).by_group  # noqa: B018
        oracle = time.process_time() - started
        results.append(
            {
                "rows": n_rows,
                "groups": n_groups,
                "metrics": len(METRICS),
                "replicates": replicates,
                "engine_seconds": round(engine, 3),
                "tables_seconds": round(tables, 3),
                "metricframe_rows": len(sample),
                "metricframe_metrics": 3,
                "metricframe_replicates": 0,
                "metricframe_seconds": round(oracle, 3),
            }
        )
    return results


def _artificial(n_rows: int, n_groups: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lognormal hours, predictions within a factor, and one dimension of equally likely groups."""
    rng = np.random.default_rng(0)
    truth = np.exp(rng.normal(4, 2, n_rows))
    predicted = truth * np.exp(rng.normal(0, 1, n_rows))
    items = np.arange(n_rows)
    predictions = pd.DataFrame(
        {"item_id": items, "group_id": items, "split": "test", "y_true": truth, "y_pred": predicted}
    )
    groups = pd.Series(rng.integers(0, n_groups, n_rows)).astype(str)
    return predictions, pd.DataFrame({"item_id": items, "slice_group": groups})
