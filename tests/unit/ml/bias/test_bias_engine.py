"""The tables against Fairlearn's MetricFrame, and what a slice is."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from sklearn.metrics import mean_absolute_error, median_absolute_error, r2_score, root_mean_squared_error

from ml.bias.config import BiasConfig
from ml.bias.judge.verdicts import judge
from ml.bias.measure import measure_bias
from ml.bias.metrics.hours import HOURS
from ml.bias.slices.membership import encode_dimensions
from ml.bias.tables import names

SMALL = BiasConfig(min_slice_size=2, min_clusters=2, replicates=20)


def mean_error(y_true, y_pred):
    return float(np.mean(y_pred - y_true))


ORACLE = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "r2": r2_score,
    "mean_error": mean_error,
    "median_ae": median_absolute_error,
}


def predictions_of(truth, predicted, **columns):
    n = len(truth)
    frame = {"item_id": [f"i{i}" for i in range(n)], "split": "test", "y_true": truth, "y_pred": predicted}
    return pd.DataFrame(frame | columns)


def hours(n, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.exp(rng.normal(3, 1.5, n))
    return truth, truth * np.exp(rng.normal(0, 1, n)), rng


@pytest.fixture
def sample():
    truth, predicted, rng = hours(240)
    predictions = predictions_of(truth, predicted)
    slices = pd.DataFrame(
        {
            "item_id": predictions["item_id"],
            "slice_repo": rng.choice(["a", "b", "c"], 240),
            "slice_seniority": rng.choice(["junior", "senior"], 240),
        }
    )
    return predictions, slices


@pytest.mark.parametrize("dimension", ["repo", "seniority"])
def test_metrics_equal_metricframe(sample, dimension):
    predictions, slices = sample
    table = measure_bias(predictions, slices, SMALL)["slice_metrics"]
    table = table[table["dimension"] == dimension].set_index("slice")
    oracle = MetricFrame(
        metrics=ORACLE,
        y_true=predictions["y_true"],
        y_pred=predictions["y_pred"],
        sensitive_features=slices[f"slice_{dimension}"],
    ).by_group
    assert set(table.index) == set(oracle.index)
    for name in ORACLE:
        assert table[name].to_dict() == pytest.approx(oracle[name].to_dict())


def test_metrics_equal_metricframe_over_two_dimensions(sample):
    predictions, slices = sample
    both = slices["slice_repo"] + " & " + slices["slice_seniority"]
    table = measure_bias(predictions, slices[["item_id"]].assign(slice_both=both), SMALL)["slice_metrics"]
    oracle = MetricFrame(
        metrics=ORACLE,
        y_true=predictions["y_true"],
        y_pred=predictions["y_pred"],
        sensitive_features=slices[["slice_repo", "slice_seniority"]],
    ).by_group
    oracle.index = [" & ".join(key) for key in oracle.index]
    for name in ORACLE:
        assert table.set_index("slice")[name].to_dict() == pytest.approx(oracle[name].to_dict())


def test_summary_difference_and_ratio_equal_metricframe(sample):
    predictions, slices = sample
    summary = measure_bias(predictions, slices, SMALL)["summary"].set_index("dimension").loc["repo"]
    frame = MetricFrame(
        metrics=mean_absolute_error,
        y_true=predictions["y_true"],
        y_pred=predictions["y_pred"],
        sensitive_features=slices["slice_repo"],
    )
    assert summary["mae_difference"] == pytest.approx(frame.difference())
    assert summary["mae_ratio"] == pytest.approx(frame.ratio())


@pytest.fixture(scope="module")
def even_sample():
    """Errors without heavy tails, so that a bootstrap of few resamples settles."""
    rng = np.random.default_rng(3)
    truth = rng.uniform(50, 150, 300)
    predictions = predictions_of(truth, truth + 8 + rng.normal(0, 10, 300))
    return predictions, rng.choice(["junior", "senior"], 300)


def intervals_of(predictions, names):
    """Name of the metric to (low, high) by slice, with 4,000 resamples."""
    part = predictions.assign(group_id=predictions["item_id"])
    dimensions = encode_dimensions(pd.DataFrame({"slice_seniority": names}))
    config = BiasConfig(min_slice_size=2, replicates=4000)
    ((metrics, sums),) = HOURS.added_up(part, dimensions, np.arange(len(part)), config).sets
    return {name: (figure.low, figure.high) for name, figure in judge(metrics, sums, config)[1].items()}


def test_intervals_agree_with_metricframes_bootstrap(even_sample):
    predictions, names = even_sample
    oracle = {name: ORACLE[name] for name in ("mae", "rmse", "r2", "mean_error")}
    frame = MetricFrame(
        metrics=oracle,
        y_true=predictions["y_true"],
        y_pred=predictions["y_pred"],
        sensitive_features=names,
        n_boot=300,
        ci_quantiles=[0.025, 0.975],
        random_state=5,
    )
    low, high = frame.by_group_ci
    for name, (own_low, own_high) in intervals_of(predictions, names).items():
        if name in oracle:
            scale = np.abs(frame.by_group[name].to_numpy(dtype=float))
            assert (np.abs(own_low - low[name].to_numpy(dtype=float)) <= 0.05 * scale).all(), name
            assert (np.abs(own_high - high[name].to_numpy(dtype=float)) <= 0.05 * scale).all(), name


def test_interval_widths_agree_with_resampling_rows(even_sample):
    predictions, names = even_sample
    rng = np.random.default_rng(0)
    error = np.abs(predictions["y_pred"] - predictions["y_true"]).to_numpy()
    low, high = intervals_of(predictions, names)["mae"]
    for s, name in enumerate(["junior", "senior"]):
        drawn = rng.choice(error[names == name], (4000, (names == name).sum())).mean(axis=1)
        expected = np.subtract(*np.quantile(drawn, [0.975, 0.025]))
        assert high[s] - low[s] == pytest.approx(expected, rel=0.05)


def test_columns_begin_as_the_contract_says(sample):
    tables = measure_bias(*sample, SMALL)
    columns = names("slice_metrics")
    assert list(tables["slice_metrics"].columns) == columns
    assert " ".join(columns).startswith(
        "task model split dimension slice n share mae rmse r2 median_ae mean_error mae_log skill "
        "ci_low ci_high q_value assessable flagged"
    )
    assert " ".join(tables["summary"].columns).startswith(
        "task model split dimension n_slices n_assessable best_slice worst_slice mae_difference mae_ratio "
        "relative_gap threshold flagged"
    )
    assert list(tables["distribution"].columns) == ["dimension", "slice", "n", "share", "weight"]


def test_row_order_changes_nothing(sample):
    predictions, slices = sample
    mixed = predictions.sample(frac=1, random_state=1), slices.sample(frac=1, random_state=2)
    expected, got = measure_bias(*sample, SMALL), measure_bias(*mixed, SMALL)
    pd.testing.assert_frame_equal(got["slice_metrics"], expected["slice_metrics"])
    pd.testing.assert_frame_equal(got["summary"], expected["summary"])


def test_signed_error_coverage_and_skill_per_slice():
    truth = np.array([1.0, 2, 4, 8, 10, 20, 40, 80])
    predicted = np.array([2.0, 3, 5, 9, 5, 10, 20, 40])
    predictions = predictions_of(truth, predicted, p10=predicted - 1, p90=predicted + 3)
    slices = pd.DataFrame({"item_id": predictions["item_id"], "slice_side": ["late"] * 4 + ["early"] * 4})
    table = measure_bias(predictions, slices, SMALL)["slice_metrics"].set_index("slice")
    assert table.loc["late", "mean_error"] == 1 and table.loc["early", "mean_error"] == -18.75
    assert table.loc["late", "median_error"] == 1 and table.loc["early", "median_error"] == -15
    assert table.loc["late", "coverage"] == 1 and table.loc["early", "coverage"] == 0
    log_truth = np.log1p(truth[:4])
    own = np.abs(log_truth - np.median(log_truth)).mean()
    assert table.loc["late", "skill"] == pytest.approx(1 - table.loc["late", "mae_log"] / own)


def test_lists_put_a_row_in_each_of_its_slices_once():
    truth, predicted, _ = hours(4)
    predictions = predictions_of(truth, predicted)
    slices = pd.DataFrame(
        {"item_id": predictions["item_id"], "slice_label": [["bug", "ui", "bug"], ["bug"], [], None]}
    )
    tables = measure_bias(predictions, slices, SMALL)
    sizes = tables["slice_metrics"].set_index("slice")["n"].to_dict()
    assert sizes == {"(missing)": 2, "bug": 2, "ui": 1, "(small slices)": 1}
    assert tables["distribution"].set_index("slice")["n"].to_dict() == {"(missing)": 2, "bug": 2, "ui": 1}
    bug = tables["slice_metrics"].set_index("slice").loc["bug"]
    assert bug["mae"] == pytest.approx(mean_absolute_error(truth[:2], predicted[:2]))


def test_small_slices_are_pooled_and_still_listed():
    truth, predicted, _ = hours(100)
    predictions = predictions_of(truth, predicted)
    names = ["big"] * 60 + [f"s{i % 8}" for i in range(40)]
    slices = pd.DataFrame({"item_id": predictions["item_id"], "slice_repo": names})
    tables = measure_bias(predictions, slices, BiasConfig(min_slice_size=30, replicates=20))
    table = tables["slice_metrics"].set_index("slice")
    assert set(table.index) == {"big", "(small slices)"} | {f"s{i}" for i in range(8)}
    assert table.loc["(small slices)", "n"] == 40 and table.loc["(small slices)", "assessable"]
    assert table.loc["(small slices)", "mae"] == pytest.approx(np.abs(truth - predicted)[60:].mean())
    assert (
        table.loc["s0", "pooled"]
        and not table.loc["s0", "assessable"]
        and np.isnan(table.loc["s0", "q_value"])
    )
    assert tables["summary"].loc[0, "n_slices"] == 9 and tables["summary"].loc[0, "n_assessable"] == 2


def test_missing_is_a_slice():
    truth, predicted, _ = hours(8)
    predictions = predictions_of(truth, predicted)
    slices = pd.DataFrame({"item_id": predictions["item_id"], "slice_seniority": ["mid"] * 5 + [None] * 3})
    table = measure_bias(predictions, slices, SMALL)["slice_metrics"].set_index("slice")
    assert table["n"].to_dict() == {"(missing)": 3, "mid": 5}


def test_one_slice_alone_is_not_assessable_and_not_fair():
    truth, predicted, _ = hours(200)
    predictions = predictions_of(truth, predicted)
    slices = pd.DataFrame({"item_id": predictions["item_id"], "slice_seniority": "mid"})
    tables = measure_bias(predictions, slices)
    assert not tables["slice_metrics"]["assessable"].any() and not tables["slice_metrics"]["flagged"].any()
    line = tables["summary"].iloc[0]
    assert line["verdict"] == "not assessable" and not line["flagged"] and np.isnan(line["relative_gap"])


def test_censored_rows_are_counted_and_in_no_metric():
    truth, predicted, _ = hours(40)
    truth[10:20] = np.nan
    predictions = predictions_of(truth, predicted)
    slices = pd.DataFrame({"item_id": predictions["item_id"], "slice_repo": ["a"] * 20 + ["b"] * 20})
    table = measure_bias(predictions, slices, SMALL)["slice_metrics"].set_index("slice")
    assert table["n"].to_dict() == {"a": 10, "b": 20} and table["n_censored"].to_dict() == {"a": 10, "b": 0}
    assert table.loc["a", "share"] == pytest.approx(1 / 3)
    assert table.loc["a", "mae"] == pytest.approx(np.abs(truth - predicted)[:10].mean())


def test_outcome_slices_are_described_and_never_judged():
    truth, _, rng = hours(4000)
    predicted = np.exp(0.5 * np.log1p(truth) + 1.5 + rng.normal(0, 0.8, 4000)) - 1
    predictions = predictions_of(truth, predicted)
    slices = pd.DataFrame(
        {
            "item_id": predictions["item_id"],
            "slice_completion_time": np.where(truth < 5, "fast", np.where(truth < 24, "medium", "slow")),
        }
    )
    config = BiasConfig(outcome_slices=("slice_completion_time",))
    tables = measure_bias(predictions, slices, config)
    table, line = tables["slice_metrics"], tables["summary"].iloc[0]
    assert table["is_outcome"].all() and not table["assessable"].any() and not table["flagged"].any()
    assert table["q_value"].isna().all()
    assert line["verdict"] == "descriptive only" and line["relative_gap"] > 0.1 and not line["flagged"]
    # These errors are nothing but regression to the mean, so the reference explains them.
    assert table["mae_log"].to_numpy() == pytest.approx(table["reference_mae_log"].to_numpy(), rel=0.05)
    assert table["mean_error_log"].to_numpy() == pytest.approx(
        table["reference_mean_error_log"].to_numpy(), abs=0.08
    )


def test_a_perfect_slice_beside_a_wrong_one_is_the_largest_gap_there_is():
    rng = np.random.default_rng(0)
    truth = np.exp(rng.normal(3, 1, 200))
    predicted = np.where(np.arange(200) < 100, truth, truth * 1.5)
    predictions = predictions_of(truth, predicted)
    slices = pd.DataFrame({"item_id": predictions["item_id"], "slice_repo": ["a"] * 100 + ["b"] * 100})
    tables = measure_bias(predictions, slices)
    line = tables["summary"].iloc[0]
    assert line["relative_gap"] == np.inf and line["flagged"] and line["worst_slice"] == "b"
    assert tables["slice_metrics"].set_index("slice")["flagged"].to_dict() == {"a": False, "b": True}


def test_perfect_predictions_have_no_gap():
    truth, _, _ = hours(200)
    predictions = predictions_of(truth, truth)
    slices = pd.DataFrame({"item_id": predictions["item_id"], "slice_repo": ["a"] * 100 + ["b"] * 100})
    line = measure_bias(predictions, slices)["summary"].iloc[0]
    assert line["relative_gap"] == 0 and not line["flagged"] and line["verdict"] == "no bias found"


def test_models_and_splits_are_measured_apart():
    truth, predicted, _ = hours(60)
    one = predictions_of(truth, predicted, model="good")
    parts = [one, one.assign(model="bad", y_pred=predicted * 10), one.assign(split="validation")]
    slices = pd.DataFrame({"item_id": one["item_id"], "slice_repo": ["a"] * 30 + ["b"] * 30})
    table = measure_bias(pd.concat(parts), slices, SMALL)["slice_metrics"]
    assert len(table) == 6
    mae = table.set_index(["model", "split", "slice"])["mae"]
    assert mae["good", "test", "a"] == mae["good", "validation", "a"] < mae["bad", "test", "a"]


def test_items_observed_more_than_once_keep_their_own_slices():
    times = pd.to_datetime(["2024-01-01", "2024-01-08"])
    predictions = pd.DataFrame(
        {"item_id": "i", "event_at": times, "split": "test", "y_true": [1.0, 2.0], "y_pred": [2.0, 5.0]}
    )
    slices = pd.DataFrame({"item_id": "i", "event_at": times, "slice_age": ["new", "old"]})
    table = measure_bias(predictions, slices, SMALL)["slice_metrics"].set_index("slice")
    assert table.loc["new", "mae"] == 1 and table.loc["old", "mae"] == 3


def test_distribution_weights_even_the_slices_out():
    counts = {"terraform": 33_286, "ansible": 21_611, "prometheus": 6_374}
    names = np.repeat(list(counts), list(counts.values()))
    predictions = predictions_of(np.ones(2), np.ones(2))
    slices = pd.DataFrame({"item_id": [f"i{i}" for i in range(61_271)], "slice_repo": names})
    table = measure_bias(predictions, slices, SMALL)["distribution"].set_index("slice")
    assert table["weight"].round(4).to_dict() == {
        "ansible": 0.9451,
        "prometheus": 3.2042,
        "terraform": 0.6136,
    }


def test_repeating_a_measurement_gives_the_same_numbers(sample):
    first, again = measure_bias(*sample), measure_bias(*sample)
    pd.testing.assert_frame_equal(first["slice_metrics"], again["slice_metrics"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, s: (p.iloc[:0], s), "predictions is empty"),
        (lambda p, s: (p.drop(columns="y_pred"), s), "predictions has no column 'y_pred'"),
        (
            lambda p, s: (p.assign(y_pred=np.nan), s),
            r"predictions\['y_pred'\] must be finite, got nan in row 0",
        ),
        (
            lambda p, s: (p.assign(p10=0.0, p90=[np.nan] + [1.0] * 239), s),
            r"predictions\['p90'\] must be finite, got nan in row 0",
        ),
        (lambda p, s: (p.assign(y_true=-1.0), s), r"must not be negative \(hours\), got -1.0"),
        (lambda p, s: (p.assign(y_true=np.nan), s), "null in every row of model 'model', split 'test'"),
        (lambda p, s: (pd.concat([p, p]), s), "predictions holds an item twice: .*'i0'"),
        (lambda p, s: (p, s[["item_id"]]), "slices has no column that starts with 'slice_'"),
        (lambda p, s: (p, s.iloc[1:]), "slices has no row for item_id 'i0'"),
        (lambda p, s: (p, s.drop(columns="item_id")), "slices has no column 'item_id'"),
    ],
)
def test_bad_input_is_named(sample, change, message):
    with pytest.raises(ValueError, match=message):
        measure_bias(*change(*sample), SMALL)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"threshold": -0.1}, "threshold must not be negative, got -0.1"),
        ({"alpha": 0}, "alpha must lie strictly between 0 and 1, got 0"),
        ({"min_slice_size": 1}, "min_slice_size must be at least 2, got 1"),
        ({"replicates": 1}, "replicates must be at least 2, got 1"),
    ],
)
def test_bad_settings_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        BiasConfig(**setting)
