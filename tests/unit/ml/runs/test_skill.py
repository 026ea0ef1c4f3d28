"""A group where the model loses to the group's own median is named, and noise is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ml.runs.card import model_card
from ml.runs.select import Choice, leaderboard
from ml.runs.skill import skill_by_group, worse_groups
from ml.stats.figure import Figure
from ml.tasks.duration.figures import Scored, gains_in_groups
from ml.tasks.duration.task import DURATION, TrainingConfig
from tests.unit.ml import synthetic
from tests.unit.ml.runs.test_select import evaluation


def with_groups(**gains: tuple[float, float]):  # type: ignore[no-untyped-def]
    """An evaluation with a gain and the half width of its interval per group."""
    figures = [Figure("test", f"gain_in:{k}", g, g - h, g + h, 40) for k, (g, h) in gains.items()]
    one = evaluation("forest", 1.5)
    return replace(one, metrics=[*one.metrics, *figures])


def test_a_loss_beyond_noise_is_named_and_others_are_not() -> None:
    one = with_groups(north=(0.3, 0.1), south=(-0.3, 0.1), west=(-0.1, 0.3))
    assert [s.group for s in skill_by_group(one, "test")] == ["south", "west", "north"]
    assert [s.verdict for s in skill_by_group(one, "test")] == ["worse", "not told apart", "better"]
    assert worse_groups(one, "test") == ["south: -0.300 [-0.400, -0.200] log hours, n 40"]
    assert worse_groups(one, "validation") == []
    row = leaderboard([one]).query("split == 'test'").iloc[0]
    assert (row["groups"], row["groups_worse"]) == (3, 1)
    card = model_card([one], Choice("forest", "best"))
    assert "| south | 40 | -0.300 | -0.400 to -0.200 | worse |" in card


def test_many_groups_without_a_loss_are_seldom_called_worse() -> None:
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(200):
        gains = {f"g{k}": (float(v), 1.96) for k, v in enumerate(rng.normal(0, 1, 50))}
        named += bool(worse_groups(with_groups(**gains), "test"))
    assert named <= 20


def test_the_gain_of_a_group_is_the_difference_of_its_errors() -> None:
    trained = DURATION.train(synthetic.dataset(2000), TrainingConfig(trials=0, replicates=50), "linear")
    data = synthetic.dataset(2000)
    table = trained.predictions.merge(data.items[["item_id", "slice_depot"]], on="item_id")
    floor = DURATION.train(data, TrainingConfig(trials=0, replicates=0), "median").predictions
    table = table.merge(floor[["item_id", "y_pred"]].rename(columns={"y_pred": "floor"}), on="item_id")
    own = table[(table["split"] == "test") & table["y_true"].notna()]
    truth = np.log1p(own["y_true"])
    gain = (truth - np.log1p(own["floor"])).abs() - (truth - np.log1p(own["y_pred"])).abs()
    found = {f.metric: f for f in trained.metrics if f.split == "test" and f.metric.startswith("gain_in:")}
    assert set(found) == {"gain_in:north", "gain_in:south"}
    for depot, expected in gain.groupby(own["slice_depot"]).mean().items():
        figure = found[f"gain_in:{depot}"]
        # The floor weighs its rows, the baseline does not: their medians differ a little.
        assert figure.value == pytest.approx(expected, abs=0.05)
        assert figure.ci_low is not None and figure.ci_high is not None
        assert figure.ci_low < figure.value < figure.ci_high


def test_too_few_clusters_give_no_interval_and_no_verdict() -> None:
    n = 40
    table = synthetic.dataset(2000).items.head(n).reset_index(drop=True).assign(y_pred=5.0)
    scored = Scored(
        predictions=table,
        hours=np.full(n, 5.0),
        known=np.ones(n, dtype=bool),
        within=np.zeros((n, 0)),
        baselines={"group_median": np.full(n, 9.0)},
        group_rate=np.zeros((n, 0)),
        censoring_weight=np.ones(n),
        clusters=np.repeat(np.array(["a", "b"], dtype=object), n // 2),
    )
    assert gains_in_groups(scored, np.full(n, "one", dtype=object), "test", 200) == []
