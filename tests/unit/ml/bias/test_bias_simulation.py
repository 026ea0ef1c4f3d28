"""What is planted is found, and what is not planted is not: 200 simulated runs of each kind."""

import numpy as np
import pandas as pd
import pytest

from ml.bias.config import BiasConfig
from ml.bias.measure import measure_bias

RUNS, ROWS, AT_ONCE = 200, 20_000, 20
CONFIG = BiasConfig(replicates=2)  # the verdict rests on closed forms; intervals are tested elsewhere


@pytest.fixture(scope="module")
def slices():
    rng = np.random.default_rng(7)
    repos = [f"repo{i}" for i in range(40)]
    return pd.DataFrame(
        {
            "item_id": np.arange(ROWS),
            "slice_repo": np.where(np.arange(ROWS) < ROWS // 50, "planted", rng.choice(repos, ROWS)),
            "slice_seniority": rng.choice(["junior", "mid", "senior"], ROWS),
        }
    )


def summaries(slices, planted, seed):
    """The summaries of all runs; a run is a "model", so that the slices are encoded once for many runs."""
    rng = np.random.default_rng(seed)
    scale = np.where(slices["slice_repo"] == "planted", planted, 1.0)
    log_truth = rng.normal(6, 1, ROWS)  # far from 0, where predictions cannot be any lower
    tables = []
    for first in range(0, RUNS, AT_ONCE):
        predictions = pd.DataFrame(
            {
                "item_id": np.tile(slices["item_id"], AT_ONCE),
                "model": np.repeat(np.arange(first, first + AT_ONCE), ROWS),
                "split": "test",
                "y_true": np.tile(np.expm1(log_truth), AT_ONCE),
                "y_pred": np.expm1(log_truth + scale * rng.normal(0, 1, (AT_ONCE, ROWS))).ravel(),
            }
        )
        tables.append(measure_bias(predictions, slices, CONFIG)["summary"])
    return pd.concat(tables)


def test_without_a_bias_at_most_five_percent_of_runs_flag_anything(slices):
    assert summaries(slices, 1.0, seed=1).groupby("model")["flagged"].any().sum() <= RUNS * 0.05


def test_a_quarter_more_error_in_two_percent_of_rows_is_found_and_named(slices):
    summary = summaries(slices, 1.25, seed=2)
    named = (summary["dimension"] == "repo") & (summary["flagged_slices"] == "planted") & summary["flagged"]
    assert named.sum() >= RUNS * 0.9
