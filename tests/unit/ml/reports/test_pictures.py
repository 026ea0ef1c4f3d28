"""What pictures are drawn from, and that they show it: other data make another picture."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ml.errors import TooLittleDataError
from ml.reports.board import beside_baselines, leaderboard
from ml.reports.learning import chances_of_hours, chances_of_scores, how_it_learned
from ml.reports.plots import error_per_slice, predicted_against_actual
from ml.reports.timeline import timeline
from ml.stats.figure import Figure
from ml.store.files import json_text
from ml.store.record import Evaluation
from ml.tasks.duration.task import DURATION, TrainingConfig
from tests.unit.ml import grouped, synthetic

RECORD = Evaluation(
    run_id="r", domain="parcels", task="regression", model="m", snapshot_id="s", key="k", seed=0, settings={},
    params={}, feature_list=["size"], best_iteration=2, metrics=[], seconds={}, started_at="", finished_at="",
    learning_curve=[3.0, 1.0, 2.0], importance={"size": 0.8, "kind": 0.2},
)  # fmt: skip
CHANCES = {"within 1 day": (np.linspace(0, 1, 30), np.arange(30) % 2.0)}
BOARD = [
    replace(RECORD, model=name, metrics=[
        Figure("test", metric, value + shift, value - 0.1, value + 0.1, 9)
        for metric, value in (("mae_log", 2.0), ("auc_1d", 0.7), ("auc_30d", 0.6))
    ])
    for name, shift in (("a", 0.0), ("b", 0.05))
]  # fmt: skip
ORDERS = [
    Figure("test", f"{metric}{end}", value, None, None, 9)
    for metric in ("auc", "ndcg@10")
    for end, value in (("", 0.8), ("_words", 0.6), ("_gain_vs_words", 0.2))
]
SLICES = pd.DataFrame(
    {
        "model": "m", "dimension": "repo", "slice": ["a", "b"], "n": [5, 9], "mae_log": [1.0, 2.0],
        "ci_low": [0.5, np.nan], "ci_high": [1.5, np.nan], "mean_error_log": [-1.0, 1.0],
        "mean_error_log_ci_low": [-2.0, 0.5], "mean_error_log_ci_high": [0.0, 1.5],
    }
)  # fmt: skip
HOURS = pd.DataFrame({"split": "test", "y_true": [0.0, 3.0, 9000.0], "y_pred": [1.0, 2.0, 40.0]})


@pytest.mark.parametrize(
    ("draw", "given", "other", "nothing"),
    [
        (lambda rows: predicted_against_actual(rows, "m"), HOURS, HOURS.assign(y_pred=5.0), HOURS[:0]),
        (error_per_slice, SLICES, SLICES.assign(mean_error_log=0.0), SLICES[:0]),
        (leaderboard, BOARD, BOARD[::-1], [RECORD]),
        (lambda found: beside_baselines(found, "m"), ORDERS, ORDERS[:3], []),
        (lambda record: how_it_learned(record, CHANCES), RECORD, replace(RECORD, importance={"size": 1.0}),
         replace(RECORD, importance={}, learning_curve=[])),
        (lambda chances: how_it_learned(RECORD, chances), CHANCES, {"within 1 day": (np.ones(3), np.ones(3))},
         {"within 1 day": (np.zeros(0), np.zeros(0))}),
        (timeline, synthetic.dataset(300), synthetic.dataset(310), grouped.dataset()),
    ],
    ids=["hours", "slices", "leaderboard", "orders", "learned", "calibration", "timeline"],
)  # fmt: skip
def test_other_data_make_another_picture(
    draw: Callable[[object], bytes], given: object, other: object, nothing: object
) -> None:
    pictures = [draw(given), draw(given), draw(other), draw(nothing)]
    assert pictures[0] == pictures[1] and len({*pictures}) == 3
    for png in pictures:
        assert png.startswith(b"\x89PNG") and struct.unpack(">I", png[16:20])[0] >= 500


def test_the_order_of_the_features_is_that_of_their_shares_in_a_record_that_was_read_back() -> None:
    again = Evaluation.from_dict(json.loads(json_text(RECORD.to_dict())))
    assert list(again.importance) == ["kind", "size"]
    assert how_it_learned(again, CHANCES) == how_it_learned(RECORD, CHANCES)


def test_without_two_parts_there_is_no_timeline() -> None:
    with pytest.raises(TooLittleDataError):
        timeline(grouped.dataset(n_groups=2))


def test_a_chance_is_held_against_what_was_watched_long_enough() -> None:
    """Of every horizon: the tickets that are that old, and whether they had ended by then."""
    data = synthetic.dataset(600)
    labels = data.row_labels()
    watched = (labels["observed_until"] - data.items["event_at"]) / pd.Timedelta(days=1)
    said = data.items[["item_id", "event_at"]].assign(
        split="test", **{f"p_within_{d:g}d": 0.5 for d in data.config.horizons_days}
    )
    # In another order than the training set has.
    found = chances_of_hours(said[::-1].reset_index(drop=True), data)
    assert list(found) == [f"within {d} day{'s' * (d > 1)}" for d in (1, 7, 30, 90, 365)]
    for days, (chance, truth) in zip((1, 7, 30, 90, 365), found.values(), strict=True):
        old = watched >= days
        assert len(chance) == len(truth) == old.sum()
        assert truth.sum() == (labels["y"][old] <= 24 * days).sum()


def test_a_score_is_held_against_known_truths_of_the_test_part() -> None:
    rows = pd.DataFrame({"split": ["test", "test", "test", "validation"], "y_true": [3.0, 0.0, np.nan, 1.0]})
    ((chance, truth),) = chances_of_scores(rows.assign(y_pred=[0.9, 0.1, 0.5, 0.7])).values()
    assert (chance.tolist(), truth.tolist()) == ([0.9, 0.1], [1.0, 0.0])


@pytest.mark.parametrize("family", ["lightgbm", "xgboost", "forest", "svm"])
def test_a_model_tells_how_it_learned_and_what_it_relies_on(family: str) -> None:
    """Size, kind and text decide in these data; a kernel tells nothing."""
    data = synthetic.dataset(400)
    trained = DURATION.train(data, TrainingConfig(trials=0, replicates=0), family)
    if family == "svm":
        assert trained.importance == {}
    else:
        shares = list(trained.importance.values())
        assert shares == sorted(shares, reverse=True) and 0.99 < sum(shares) <= 1.00001
        first = {*list(trained.importance)[:4]}
        assert "text" in first and first & {"size", "weight_class"}
    if family in ("lightgbm", "xgboost"):
        assert int(np.argmin(trained.learning_curve)) + 1 == trained.best_iteration
    else:
        assert trained.learning_curve == []
