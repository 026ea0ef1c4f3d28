"""Scorers per slice: against scikit-learn and Fairlearn, brute force over clusters, and simulation."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    mean_absolute_error,
    precision_score,
    recall_score,
    roc_auc_score,
)

from ml.bias.config import BiasConfig
from ml.bias.estimates.order import order_figures
from ml.bias.estimates.sums import Statistic, Sums
from ml.bias.measure import measure_bias
from ml.bias.metrics.scores import SCORES
from ml.bias.slices.membership import Membership, build_membership, encode_dimensions
from ml.bias.tables import names
from ml.stats import metrics

SMALL = BiasConfig(min_slice_size=2, min_clusters=2, replicates=20)
TESTED = {"recall", "false_positive_rate", "mean_error", "auc"}


def measure_scorers(predictions, slices, config=None):
    return measure_bias(predictions, slices, config, SCORES)


def scored(n=400, n_clusters=40, seed=0, slope=1.0):
    """Chances that are right, in clusters, with few distinct scores."""
    rng = np.random.default_rng(seed)
    logit = np.round(rng.normal(-1, 1.5 * slope, n), 1)
    chance = 1 / (1 + np.exp(-logit))
    frame = pd.DataFrame(
        {
            "item_id": np.arange(n),
            "split": "test",
            "model": "m",
            "group_id": rng.integers(0, n_clusters, n),
            "y_true": (rng.random(n) < chance).astype(float),
            "y_pred": chance,
            "threshold": 0.4,
        }
    )
    return frame, rng


def sliced(frame, **columns):
    return pd.DataFrame({"item_id": frame["item_id"], **columns})


def wide(tables, column="value"):
    """Slice to metric to value."""
    return tables["score_metrics"].pivot(index="slice", columns="metric", values=column)


def test_figures_equal_metricframe_and_scikit_learn():
    frame, rng = scored()
    names = rng.choice(["a", "b", "c"], len(frame))
    truth, chance = frame["y_true"], frame["y_pred"]
    found = measure_scorers(frame, sliced(frame, slice_network=names), SMALL)
    label = {
        "recall": recall_score,
        "precision": precision_score,
        "false_positive_rate": false_positive_rate,
        "selection_rate": selection_rate,
    }
    at_threshold = MetricFrame(
        metrics=label, y_true=truth, y_pred=chance >= 0.4, sensitive_features=names
    ).by_group
    chances = MetricFrame(
        metrics={
            "auc": roc_auc_score,
            "average_precision": average_precision_score,
            "brier": brier_score_loss,
            "mae": mean_absolute_error,
            "mean_error": lambda y, p: float(np.mean(p - y)),
            "positive_rate": lambda y, p: float(np.mean(y)),
        },
        y_true=truth,
        y_pred=chance,
        sensitive_features=names,
    ).by_group
    oracle = pd.concat([at_threshold, chances], axis=1).astype(float)
    table = wide(found)
    assert set(table.columns) == set(oracle.columns)
    for metric in oracle:
        assert table[metric].to_dict() == pytest.approx(oracle[metric].to_dict()), metric
    for name in "abc":
        own = found["slice_metrics"].set_index("slice").loc[name]
        assert own["rmse"] ** 2 == pytest.approx(oracle.loc[name, "brier"])
        assert own[["mae", "mean_error"]].to_list() == pytest.approx(
            oracle.loc[name, ["mae", "mean_error"]].to_list()
        )


def test_the_rest_is_every_other_row():
    frame, rng = scored(200)
    labels = [list(rng.choice(list("xyz"), k, replace=False)) for k in rng.integers(0, 3, len(frame))]
    rest = wide(measure_scorers(frame, sliced(frame, slice_label=labels), SMALL), "rest_value")
    for name in "xyz":
        out = frame[[name not in own for own in labels]]
        assert rest.loc[name, "auc"] == pytest.approx(roc_auc_score(out["y_true"], out["y_pred"]))
        assert rest.loc[name, "recall"] == pytest.approx(recall_score(out["y_true"], out["y_pred"] >= 0.4))
        assert rest.loc[name, "mean_error"] == pytest.approx((out["y_pred"] - out["y_true"]).mean())
        assert np.isnan(rest.loc[name, "average_precision"])


def test_the_order_in_every_resample_equals_one_slice_at_a_time():
    frame, rng = scored(120, 10)
    dense = rng.random((5, 120)) < np.array([[0.9], [0.5], [0.2], [0.02], [0.0]])
    from scipy import sparse

    membership = Membership.of_masks(list("abcde"), sparse.csr_array(dense.astype(np.int8)))
    weights = rng.poisson(1, (120, 7)).astype(np.uint8)
    truth, score = frame["y_true"].to_numpy(), frame["y_pred"].to_numpy()
    found = order_figures(membership, truth > 0, score, weights)
    for s, inside in enumerate(dense):
        for values, rows, metric in (
            (found.auc, inside, metrics.auc),
            (found.rest_auc, ~inside, metrics.auc),
            (found.average_precision, inside, metrics.average_precision),
        ):
            # A slice without rows has no figures, and nothing is compared with it.
            drawn = weights[rows] if inside.any() else np.zeros_like(weights[rows])
            expected = metric(truth[rows], score[rows], drawn.astype(float))
            assert values[s] == pytest.approx(expected, nan_ok=True)


def test_a_share_is_compared_over_its_own_rows_and_clusters():
    frame, rng = scored(300, 25)
    inside = rng.random(300) < 0.4
    membership = build_membership(
        encode_dimensions(pd.DataFrame({"slice_x": np.where(inside, "a", "b")})),
        np.arange(300),
        np.ones(300, dtype=bool),
        2,
    )
    y = frame["y_true"].to_numpy()
    hit = y * (frame["y_pred"].to_numpy() >= 0.4)
    statistics = [Statistic("positive", lambda rows: rows[0]), Statistic("hit", lambda rows: rows[1])]
    sums = Sums.of(membership, (y, hit), statistics, frame["group_id"], SMALL)
    compared = sums.compare("hit", over="positive")
    sides = []
    for rows in (inside, ~inside):
        mean = hit[rows].sum() / y[rows].sum()
        influence = np.where(rows, (hit - mean * y) / y[rows].sum(), 0)
        groups = frame.loc[rows & (y > 0), "group_id"].nunique()
        sides.append((np.bincount(frame["group_id"], weights=influence), groups))
    (a, g_in), (b, g_out) = sides
    variance = (a @ a) * g_in / (g_in - 1) + (b @ b) * g_out / (g_out - 1) - 2 * (a @ b)
    assert compared.standard_error[0] == pytest.approx(np.sqrt(variance))


def test_the_tables_have_the_known_columns_and_no_hours():
    frame, rng = scored()
    found = measure_scorers(frame, sliced(frame, slice_network=rng.choice(["a", "b"], 400)), SMALL)
    assert list(found["slice_metrics"].columns) == names("slice_metrics")
    assert list(found["score_metrics"].columns) == names("score_metrics")
    assert (found["slice_metrics"]["task"] == "binary").all()
    assert found["slice_metrics"][["mae_log", "skill", "coverage", "ci_low"]].isna().all(axis=None)
    assert set(found["summary"]["gap_metric"]) == TESTED
    assert found["distribution"]["n"].sum() == 400


def unfair(kind, n=6000, n_clusters=60):
    """A slice of 15 % whose positives are missed, negatives flagged, or chances overstated."""
    frame, rng = scored(n, n_clusters, seed=3)
    own = rng.random(n) < 0.15
    chance, truth = frame["y_pred"].to_numpy().copy(), frame["y_true"].to_numpy()
    if kind == "recall":
        chance = np.where(own & (truth > 0) & (rng.random(n) < 0.5), chance * 0.3, chance)
    elif kind == "false_positive_rate":
        chance = np.where(own & (truth == 0) & (rng.random(n) < 0.3), 0.6, chance)
    else:
        chance = np.where(own, chance + 0.2 * (1 - chance), chance)
    frame["y_pred"] = chance
    return frame, sliced(frame, slice_network=np.where(own, "planted", rng.choice(list("abcd"), n)))


@pytest.mark.parametrize("kind", ["recall", "false_positive_rate", "mean_error"])
def test_what_is_planted_is_found_and_named(kind):
    found = measure_scorers(*unfair(kind))
    flagged = found["score_metrics"][found["score_metrics"]["flagged"]]
    # Chances that are too high also catch more positives: other slices may then fall behind in recall.
    assert set(flagged.loc[flagged["metric"] == kind, "slice"]) == {"planted"}
    line = found["summary"].set_index("gap_metric").loc[kind]
    assert line["verdict"] == "biased" and line["worst_slice"] == "planted" and line["relative_gap"] > 0.1
    own = found["slice_metrics"].set_index("slice").loc["planted"]
    assert own["flagged"] and kind in own["findings"] and own["q_value"] < 0.05


@pytest.mark.parametrize("n_clusters", [6, 300])
def test_with_nothing_planted_hardly_a_run_is_flagged(n_clusters):
    runs = 60
    flagged = 0
    for seed in range(runs):
        frame, rng = scored(1200, n_clusters, seed=seed)
        slices = sliced(
            frame,
            slice_network=rng.choice(["a", "b", "c", "d"], 1200, p=[0.5, 0.3, 0.15, 0.05]),
            slice_region=rng.choice([f"city{k}" for k in range(10)], 1200),
        )
        flagged += measure_scorers(frame, slices, BiasConfig(replicates=50))["score_metrics"]["flagged"].any()
    assert flagged <= 0.06 * runs


def test_slices_dealt_out_at_random_lose_the_finding():
    frame, slices = unfair("recall")
    dealt = slices.assign(
        slice_network=np.random.default_rng(1).permutation(slices["slice_network"].to_numpy())
    )
    assert not measure_scorers(frame, dealt)["score_metrics"]["flagged"].any()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 1000))
def test_the_order_of_the_rows_decides_nothing(one, other):
    frame, rng = scored(150, 12)
    slices = sliced(frame, slice_network=rng.choice(["a", "b", None], 150))
    expected = measure_scorers(frame, slices, SMALL)
    mixed = measure_scorers(
        frame.sample(frac=1, random_state=one), slices.sample(frac=1, random_state=other), SMALL
    )
    for name, table in expected.frames.items():
        pd.testing.assert_frame_equal(mixed[name], table)


def test_missing_small_lonely_and_outcome_slices():
    frame, _ = scored(400)
    slices = sliced(
        frame,
        slice_network=[None] * 150 + ["a"] * 230 + [f"s{k}" for k in range(20)],
        slice_level="same",
        slice_result=np.where(frame["y_true"] > 0, "yes", "no"),
    )
    found = measure_scorers(frame, slices, BiasConfig(replicates=20, outcome_slices=("slice_result",)))
    table = found["slice_metrics"].set_index(["dimension", "slice"])
    assert table.loc[("network", "(missing)"), "n"] == 150
    assert table.loc[("network", "(small slices)"), "n"] == 20 and table.loc[("network", "s3"), "pooled"]
    assert not table.loc[("network", "s3"), "assessable"]
    assert not table.loc["level", "assessable"].any() and not table.loc["result", "flagged"].any()
    verdicts = found["summary"].set_index(["dimension", "gap_metric"])["verdict"]
    assert verdicts["level", "recall"] == "not assessable"
    assert set(verdicts["result"]) == {"descriptive only"}


def test_few_positives_are_not_assessable_and_few_clusters_have_no_interval():
    frame, _ = scored(400, 40)
    frame.loc[:99, "y_true"] = [1.0] * 5 + [0.0] * 95
    frame.loc[100:199, "group_id"] = 999
    names = ["rare"] * 100 + ["one_batch"] * 100 + ["rest"] * 200
    found = measure_scorers(frame, sliced(frame, slice_network=names))["score_metrics"]
    table = found.set_index(["slice", "metric"])
    assert not table.loc[("rare", "recall"), "assessable"]
    assert table.loc[("rare", "false_positive_rate"), "assessable"]
    one = table.loc["one_batch"]
    assert not one["assessable"].any() and one[["ci_low", "ci_high", "q_value"]].isna().all(axis=None)
    assert one["value"].notna().all() and (one["n_clusters"] == 1).all()


def test_no_false_alarm_among_few_is_no_proof_of_none():
    frame, _ = scored(400, 40)
    frame.loc[:59, ["y_true", "y_pred"]] = [0.0, 0.1]
    found = measure_scorers(frame, sliced(frame, slice_network=["clean"] * 60 + ["rest"] * 340))
    row = found["score_metrics"].set_index(["slice", "metric"]).loc[("clean", "false_positive_rate")]
    assert (row["value"], row["ci_low"]) == (0, 0)
    assert row["ci_high"] == pytest.approx(1 - 0.025 ** (1 / 60))


def test_unknown_outcomes_are_counted_and_in_no_figure():
    frame, _ = scored(300)
    frame.loc[:49, "y_true"] = np.nan
    slices = sliced(frame, slice_network=["a"] * 100 + ["b"] * 200)
    table = measure_scorers(frame, slices, SMALL)["slice_metrics"].set_index("slice")
    assert table["n"].to_dict() == {"a": 50, "b": 200} and table.loc["a", "n_censored"] == 50


def test_a_deviation_is_no_disadvantage_of_the_slice_that_has_none():
    frame, rng = scored(6000, 60)
    own = rng.random(6000) < 0.5
    frame["y_pred"] = np.where(own, frame["y_pred"], np.minimum(frame["y_pred"] + 0.15, 1))
    found = measure_scorers(frame, sliced(frame, slice_network=np.where(own, "right", "wrong")))
    flagged = found["score_metrics"].set_index(["slice", "metric"])["flagged"]
    assert flagged["wrong", "mean_error"] and not flagged["right", "mean_error"]


@pytest.mark.parametrize("change", [{"threshold": 2.0}, {"y_true": 0.0}, {"y_true": 1.0}, {"y_pred": 0.5}])
def test_a_part_without_one_kind_of_row_has_no_figure_of_it_and_is_not_judged_by_it(change):
    frame, rng = scored(300)
    slices = sliced(frame, slice_network=rng.choice(["a", "b"], 300))
    found = measure_scorers(frame.assign(**change), slices, SMALL)
    table = found["score_metrics"].set_index(["slice", "metric"])
    if change == {"threshold": 2.0}:
        assert (table.loc["a"].loc[["recall", "selection_rate"], "value"] == 0).all()
        assert np.isnan(table.loc[("a", "precision"), "value"])
    if "y_true" in change:
        missing = "recall" if change["y_true"] == 0 else "false_positive_rate"
        assert table.loc["a"].loc[[missing, "auc"], "value"].isna().all()
        assert not table.loc[("a", missing), "assessable"]
    assert not found["score_metrics"].loc[found["score_metrics"]["metric"] != "mean_error", "flagged"].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_true": 2.0}, r"predictions\['y_true'\] must be 0 or 1, got 2"),
        ({"y_pred": 1.5}, r"predictions\['y_pred'\] must be a probability, got 1.5"),
        ({"threshold": np.nan}, r"predictions\['threshold'\] must be finite, got nan in row 0"),
    ],
)
def test_bad_input_is_named(change, message):
    frame, _ = scored(50)
    with pytest.raises(ValueError, match=message):
        measure_scorers(frame.assign(**change), sliced(frame, slice_network="a"))
    with pytest.raises(ValueError, match="predictions has no column 'threshold'"):
        measure_scorers(frame.drop(columns="threshold"), sliced(frame, slice_network="a"))
