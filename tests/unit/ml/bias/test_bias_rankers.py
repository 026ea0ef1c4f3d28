"""Rankings per slice: against one list at a time, and what is planted is found."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.bias.config import BiasConfig
from ml.bias.estimates.exposure import attention, gini_of_segments
from ml.bias.measure import measure_bias
from ml.bias.metrics.orders import OrderTask, RankingConfig
from ml.bias.tables import names
from ml.stats import rank_metrics
from ml.stats.rank_metrics import Grouping

SMALL = BiasConfig(min_slice_size=2, min_clusters=2, replicates=20)


def gini(values):
    """Sum over all pairs of |a - b| / (2 n² mean), by hand."""
    amounts = np.asarray(values, dtype=float)
    apart = np.abs(amounts[:, None] - amounts[None, :]).sum()
    return apart / (2 * len(amounts) ** 2 * amounts.mean())


@pytest.mark.parametrize("values", [[5, 5, 5], [0, 0, 0, 8], [1, 3], [4, 1, 1, 7, 0]])
def test_gini(values):
    amounts = np.array([[float(v)] for v in values])
    found = gini_of_segments(amounts, np.zeros(len(values), dtype=np.intp), np.array([len(values)]))
    assert found[0, 0] == pytest.approx(gini(values))
    nothing = gini_of_segments(np.zeros((2, 1)), np.zeros(2, dtype=np.intp), np.array([2]))
    assert np.isnan(nothing[0, 0])


def measure_rankers(predictions, slices, config=None, ranking=RankingConfig(), baselines=()):  # noqa: B008
    return measure_bias(predictions, slices, config, OrderTask(ranking, tuple(baselines)))


def lists(noise, n_lists=60, size=8, seed=0, ties=False):
    """Lists of one grade 2, one grade 1 and others, ordered by grade and the noise of their repository."""
    rng = np.random.default_rng(seed)
    repos = np.repeat(list(noise), n_lists)
    grade = np.concatenate([rng.permutation([2, 1] + [0] * (size - 2)) for _ in repos]).astype(float)
    sigma = np.repeat([noise[repo] for repo in repos], size)
    score = grade + sigma * rng.normal(0, 1, len(grade))
    frame = pd.DataFrame(
        {
            "item_id": [f"i{k:05d}" for k in range(len(grade))],
            "list_id": np.repeat([f"l{k:04d}" for k in range(len(repos))], size),
            "entity_id": rng.choice([f"p{k}" for k in range(12)], len(grade)),
            "split": "test",
            "model": "m",
            "y_true": grade,
            "y_pred": 1 / (1 + np.exp(-score)),
            "score": np.round(score) if ties else score,
            "rules": grade + rng.normal(0, 1.0, len(grade)),
        }
    )
    slices = pd.DataFrame(
        {
            "item_id": frame["item_id"],
            "slice_repo": np.repeat(repos, size),
            "slice_team": rng.choice(["red", "blue", "green"], len(grade)),
        }
    )
    return frame, slices


def test_quality_is_the_mean_over_lists_of_the_harness_own_metrics():
    frame, slices = lists({"a": 0.3, "b": 1.0}, n_lists=10)
    found = measure_rankers(frame, slices, SMALL, RankingConfig(ndcg_at=3), ["rules"])
    table = found["ranking_metrics"].set_index(["dimension", "slice", "metric"])["value"]
    assert set(table.index.get_level_values("dimension")) == {"repo"}
    for name in "ab":
        own = frame[slices["slice_repo"] == name]
        grade, groups = own["y_true"].to_numpy(), own["list_id"].to_numpy()
        score, rules = own["score"].to_numpy(), own["rules"].to_numpy()
        reached = rank_metrics.ndcg(grade, score, groups, 3)[0]
        assert table["repo", name, "ndcg@3"] == pytest.approx(reached)
        assert table["repo", name, "mrr"] == pytest.approx(
            np.nanmean(rank_metrics.reciprocal_rank_by_group(grade, score, Grouping(groups)))
        )
        assert table["repo", name, "top@3"] == pytest.approx(
            np.nanmean(rank_metrics.top_k_hit_by_group(grade, score, Grouping(groups), 3))
        )
        assert table["repo", name, "ndcg@3_gain_vs_rules"] == pytest.approx(
            reached - rank_metrics.ndcg(grade, rules, groups, 3)[0]
        )


def test_a_worse_order_for_one_repository_is_found():
    frame, slices = lists({"a": 0.3, "b": 0.3, "bad": 2.5})
    found = measure_rankers(frame, slices, baselines=["rules"])
    assert list(found["ranking_metrics"].columns) == names("ranking_metrics")
    rows = found["ranking_metrics"].set_index(["slice", "metric"])
    flagged = rows.index[rows["flagged"]]
    assert {"ndcg@10", "mrr"} <= {metric for name, metric in flagged if name == "bad"}
    assert {name for name, _ in flagged} == {"bad"}
    # Worse than the rules, beyond noise; the others are better.
    assert rows.loc[("bad", "ndcg@10_gain_vs_rules"), "ci_high"] < 0
    assert rows.loc[("bad", "ndcg@10_gain_vs_rules"), "flagged"]
    assert rows.loc[("a", "ndcg@10_gain_vs_rules"), "ci_low"] > 0
    assert rows.loc[("bad", "ndcg@10"), "relative_gap"] > 0.1
    line = found["summary"].set_index(["dimension", "gap_metric"]).loc[("repo", "ndcg@10")]
    assert line["worst_slice"] == "bad" and line["verdict"] == "biased" and np.isnan(line["mae_ratio"])


def test_a_list_without_an_answer_counts_as_missed_only_where_every_list_has_one():
    frame, slices = lists({"a": 0.3, "b": 0.3}, n_lists=5)
    frame.loc[frame["list_id"] == "l0000", "y_true"] = 0
    plain = measure_rankers(frame, slices, SMALL)["ranking_metrics"].set_index(["slice", "metric"])
    asked = measure_rankers(frame, slices, SMALL, RankingConfig(groups_are_questions=True))[
        "ranking_metrics"
    ].set_index(["slice", "metric"])
    row = ("a", "mrr")
    assert plain.loc[row, ["n_lists", "n_relevant"]].to_list() == [5, 4]
    assert asked.loc[row, ["n_lists", "n_relevant"]].to_list() == [5, 4]
    assert asked.loc[row, "value"] == pytest.approx(plain.loc[row, "value"] * 4 / 5)


def test_attention_equals_one_list_at_a_time():
    frame, _ = lists({"a": 1.0}, n_lists=6, ties=True)
    got = attention(Grouping(frame["list_id"]), frame["score"].to_numpy(), places=3)
    expected = []
    for _, own in frame.groupby("list_id", sort=False):
        given = np.r_[1 / np.log2(np.arange(3) + 2), np.zeros(len(own) - 3)]
        ordered = own["score"].rank(method="first", ascending=False).astype(int) - 1
        by_rank = pd.Series(given[ordered], index=own.index)
        expected.append(by_rank.groupby(own["score"]).transform("mean"))
    assert got == pytest.approx(pd.concat(expected).to_numpy())


def test_exposure_is_held_against_the_order_by_grade():
    frame, slices = lists({"a": 0.5}, n_lists=20, ties=True)
    found = measure_rankers(frame, slices, SMALL, RankingConfig(places=3))["ranking_exposure"]
    assert list(found.columns) == names("ranking_exposure")
    grouping = Grouping(frame["list_id"])
    given = attention(grouping, frame["score"].to_numpy(), 3)
    deserved = attention(grouping, frame["y_true"].to_numpy(), 3)
    for name, own in found.set_index("slice").iterrows():
        rows = (slices["slice_team"] == name).to_numpy()
        grade = frame["y_true"].to_numpy()
        assert own["exposure_share"] == pytest.approx(given[rows].sum() / given.sum())
        assert own["target_share"] == pytest.approx(deserved[rows].sum() / deserved.sum())
        assert own["received"] == pytest.approx(own["exposure_share"] / own["target_share"])
        assert own["relevance_share"] == pytest.approx(grade[rows].sum() / grade.sum())
        assert own["ratio"] == pytest.approx(own["exposure_share"] / own["relevance_share"])
        assert own["rest_received"] == pytest.approx(given[~rows].sum() / deserved[~rows].sum())


def test_an_order_by_grade_treats_all_alike_however_relevant_they_are():
    frame, slices = lists({"a": 0.0}, n_lists=80)
    slices["slice_team"] = np.where(frame["y_true"] > 0, "relevant", "other")
    found = measure_rankers(frame, slices, SMALL, RankingConfig(places=5))["ranking_exposure"]
    assert found["received"].to_list() == pytest.approx([1, 1])
    assert not found["flagged"].any() and abs(found["ratio"] - 1).max() > 0.3


def test_who_is_ranked_too_low_is_found_and_who_is_not_is_not():
    frame, slices = lists({"a": 0.8}, n_lists=200)
    found = measure_rankers(frame, slices, ranking=RankingConfig(places=3))
    assert not found["ranking_exposure"]["flagged"].any()
    frame["score"] -= 1.5 * (slices["slice_team"] == "red")
    found = measure_rankers(frame, slices, ranking=RankingConfig(places=3))
    assert found["ranking_exposure"].set_index("slice")["flagged"].to_dict() == {
        "blue": False,
        "green": False,
        "red": True,
    }
    line = found["summary"].set_index("dimension").loc["team"]
    assert (line["gap_metric"], line["worst_slice"], line["verdict"]) == ("exposure", "red", "biased")


def test_six_lists_are_too_few_for_places_that_are_hardly_deserved():
    frame, slices = lists({"a": 0.5}, n_lists=6, size=40)
    slices["slice_team"] = ["rare" if k % 10 == 0 else "rest" for k in range(len(slices))]
    frame["score"] -= 9.0 * (slices["slice_team"] == "rare")
    found = measure_rankers(frame, slices, BiasConfig(min_slice_size=5), RankingConfig(places=5))
    row = found["ranking_exposure"].set_index("slice").loc["rare"]
    assert row["received"] == 0 and not row["flagged"]


@pytest.mark.parametrize(("n_lists", "size"), [(6, 150), (150, 8)])
def test_with_nothing_planted_hardly_a_run_is_flagged(n_lists, size):
    runs = flagged = 0
    for seed in range(40):
        frame, slices = lists({"a": 0.8, "b": 0.8}, n_lists=n_lists, size=size, seed=seed)
        rng = np.random.default_rng(seed)
        # More than one answer per list, as unevenly spread over the slices as it happens.
        frame["y_true"] = np.where(rng.random(len(frame)) < 0.2, rng.integers(1, 5, len(frame)), 0)
        frame["score"] = frame["y_true"] + rng.normal(0, 2, len(frame))
        slices["slice_city"] = rng.choice([f"city{k}" for k in range(8)], len(frame))
        found = measure_rankers(frame, slices, BiasConfig(replicates=20), RankingConfig(places=5))
        runs += 1
        flagged += bool(
            found["ranking_exposure"]["flagged"].any() or found["ranking_metrics"]["flagged"].any()
        )
    assert flagged <= 0.06 * runs


def test_concentration_equals_counting_by_hand():
    frame, slices = lists({"a": 0.5, "b": 0.5}, n_lists=40)
    found = measure_rankers(frame, slices, baselines=["rules"])["ranking_concentration"]
    table = found.set_index(["dimension", "slice", "who"])
    assert set(found["who"]) == {"ranked_first", "first_by_rules", "relevant"}
    for key, rows in (
        (("(all)", "(all)"), frame),
        (("repo", "b"), frame[slices["slice_repo"] == "b"]),
    ):
        people = sorted(rows["entity_id"].unique())
        first = rows.loc[rows.groupby("list_id")["score"].idxmax(), "entity_id"]
        truly = rows.loc[rows["y_true"] > 0, "entity_id"]
        for who, people_named in (("ranked_first", first), ("relevant", truly)):
            counts = people_named.value_counts().reindex(people, fill_value=0)
            row = table.loc[(*key, who)]
            assert row["gini"] == pytest.approx(gini(counts))
            assert row["n_entities"] == len(people) and row["n"] == len(people_named)
            assert row["top_share"] == pytest.approx(counts.max() / counts.sum())
            assert row["ci_low"] < row["gini"] < row["ci_high"] and row["assessable"]


def test_who_are_ranked_first_together_share_the_place():
    frame, slices = lists({"a": 0.5, "b": 0.5}, n_lists=12)
    frame["score"], frame["rules"] = 1.0, frame["y_true"]
    table = measure_rankers(frame, slices, SMALL, baselines=["rules"])["ranking_concentration"]
    whole = table[table["dimension"] == "(all)"].set_index("who")
    shared = frame["entity_id"].value_counts() / 8
    assert whole.loc["ranked_first", "gini"] == pytest.approx(gini(shared))
    assert whole.loc["ranked_first", "top_share"] == pytest.approx(shared.max() / 24)
    assert (whole.loc[["ranked_first", "first_by_rules"], "n"] == 24).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_the_rows_decides_nothing(seed):
    frame, slices = lists({"a": 0.5, "b": 1.0}, n_lists=12, ties=True)
    expected = measure_rankers(frame, slices, SMALL, baselines=["rules"])
    mixed = measure_rankers(frame.sample(frac=1, random_state=seed), slices, SMALL, baselines=["rules"])
    for name, table in expected.frames.items():
        pd.testing.assert_frame_equal(mixed[name], table)


def test_lists_of_one_cluster_are_drawn_together():
    frame, slices = lists({"a": 0.5, "b": 1.0}, n_lists=60)
    alone = measure_rankers(frame, slices)["ranking_metrics"]
    frame["cluster"] = frame["list_id"].str[:4]
    together = measure_rankers(frame, slices)["ranking_metrics"]
    assert (alone["n_clusters"] == 60).all() and (together["n_clusters"] == 6).all()
    assert together["value"].to_list() == pytest.approx(alone["value"].to_list())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, s: measure_rankers(f.drop(columns="entity_id"), s), "no column 'entity_id'"),
        (lambda f, s: measure_rankers(f, s, baselines=["luck"]), "no column 'luck'"),
        (
            lambda f, s: measure_rankers(f.assign(score=np.nan), s),
            r"predictions\['score'\] must be finite, got nan in row 0",
        ),
        (lambda f, s: measure_rankers(f, s, ranking=RankingConfig(places=0)), "Each k must be at least 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*lists({"a": 0.5}, n_lists=3))
