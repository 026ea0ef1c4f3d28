"""Hours that the chances imply, and figures at every rolling origin with their mean."""

from __future__ import annotations

import numpy as np
import pytest

from ml.tasks.duration.model import SeedMean, TimingHead
from ml.tasks.duration.task import DURATION, TrainingConfig
from tests.unit.ml import synthetic

HEAD = TimingHead([], [1.0, 7.0, 30.0])
ENDS = np.log1p([24.0, 168.0, 720.0])


def test_the_median_of_the_chances_is_where_they_reach_a_half() -> None:
    score = np.array([[0.5, 0.9, 1.0], [0.1, 0.5, 0.6], [0.2, 0.4, 0.6], [1.2, 1.0, 1.0], [-0.1, 0.2, 0.3]])
    median = HEAD.log_median(score, 10.0)
    assert median[:2] == pytest.approx(ENDS[:2])
    assert median[2] == pytest.approx((ENDS[1] + ENDS[2]) / 2)
    assert median[3] == pytest.approx(ENDS[0] / 2)
    # From .3 at 30 days to 1 at the limit a half is at two sevenths of the way.
    assert median[4] == pytest.approx(ENDS[2] + (10.0 - ENDS[2]) * 2 / 7)


def test_higher_chances_never_mean_more_hours() -> None:
    rng = np.random.default_rng(0)
    low = rng.random((500, 3))
    high = np.clip(low + rng.random((500, 3)) * 0.3, 0, 1)
    assert (HEAD.log_median(high, 9.0) <= HEAD.log_median(low, 9.0) + 1e-9).all()
    assert (HEAD.log_median(low, 9.0) <= 9.0).all() and (HEAD.log_median(low, 9.0) >= 0).all()


class Constant:
    def __init__(self, value: float) -> None:
        self.value = value

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.full(len(x), self.value)


def test_seeds_are_averaged() -> None:
    assert SeedMean([Constant(1.0), Constant(2.0), Constant(6.0)]).predict(np.zeros((2, 1))).tolist() == [
        3,
        3,
    ]


def test_every_origin_has_figures_and_the_mean_is_theirs() -> None:
    trained = DURATION.train(synthetic.dataset(2000), TrainingConfig(trials=0, replicates=20), "linear")
    values = {(f.split, f.metric): f.value for f in trained.metrics}
    splits = ["origin_1", "origin_2", "origin_3", "validation"]
    for metric in ("mae_log", "mae_log_group_median", "auc_7d", "ece_30d", "brier_1d"):
        own = [values[split, metric] for split in splits]
        assert None not in own and len(set(own)) == 4
        assert values["origins", metric] == pytest.approx(np.mean(own))
    assert all(values[s, "mae_log"] < values[s, "mae_log_group_median"] for s in splits)
    (mean,) = (f for f in trained.metrics if (f.split, f.metric) == ("origins", "mae_log"))
    own = np.array([values[split, "mae_log"] for split in splits])
    # Student's t of three degrees of freedom: 3.182.
    half = 3.182446 * own.std(ddof=1) / 2
    assert (mean.ci_low, mean.ci_high) == pytest.approx((own.mean() - half, own.mean() + half), rel=1e-4)
    assert not [f for f in trained.metrics if f.split == "origins" and f.metric == "mae"]
    assert {f.split for f in trained.horizon_metrics} == {*splits, "test"}


def test_the_level_of_every_group_is_told_for_every_horizon() -> None:
    """The mean of chance less label over a group's rows that are old enough, as anybody can work it out."""
    data = synthetic.dataset(2000)
    trained = DURATION.train(data, TrainingConfig(trials=0, replicates=0), "linear")
    levels = {(f.metric, f.horizon_days): f for f in trained.horizon_metrics if f.split == "test"}
    rows = trained.predictions.query("split == 'test'").merge(data.items[["item_id", "slice_depot"]])
    old = (synthetic.END - rows["event_at"]).dt.total_seconds() >= 7 * 24 * 3600
    error = rows["p_within_7d"] - (rows["y_true"] <= 7 * 24)
    for depot, own in rows[old].groupby("slice_depot"):
        figure = levels.pop((f"level_error_in:{depot}", 7.0))
        assert figure.n == len(own) and figure.observed_after_days == 0
        assert figure.value == pytest.approx(error[own.index].mean())
        assert figure.ci_low < figure.value < figure.ci_high
    assert not [name for name, days in levels if days == 7]


def test_a_short_history_has_the_validation_part_alone() -> None:
    trained = DURATION.train(synthetic.dataset(200), TrainingConfig(trials=0, replicates=0), "linear")
    assert {f.split for f in trained.metrics} == {"validation", "test", "origins"}
    (mean,) = (f for f in trained.metrics if (f.split, f.metric) == ("origins", "mae_log"))
    assert mean.ci_low is None
