"""Figures of a scored part: several baselines, questions without an answer, clusters, blocks of resamples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.stats import intervals
from ml.stats.figure import Figure
from ml.tasks import RANKER
from ml.tasks.scoring import figures as s
from ml.tasks.scoring.settings import ScoringConfig, order_by
from tests.unit.ml import grouped

SETTINGS = ScoringConfig(ndcg_at=(2,), top_at=(1,), precision_at=1, replicates=200)


def rows(n_groups: int = 40, seed: int = 0) -> s.ScoredRows:
    """Groups of four; the score is good, one baseline is noise, one is the truth turned round."""
    rng = np.random.default_rng(seed)
    groups = np.repeat([f"g{k:03d}" for k in range(n_groups)], 4).astype(object)
    truth = np.tile([1.0, 0, 0, 0], n_groups)
    score = truth + rng.normal(0, 0.7, len(truth))
    return s.ScoredRows(
        relevance=truth,
        score=score,
        probability=1 / (1 + np.exp(-score)),
        baselines={"noise": rng.random(len(truth)), "worst": -truth},
        groups=groups,
        clusters=groups,
    )


def figures(of: s.ScoredRows, as_questions: bool = False) -> dict[str, Figure]:
    return {m.metric: m for m in s.scoring_metrics(of, "test", 0.5, SETTINGS, as_questions)}


def test_each_baseline_has_its_figure_and_its_paired_gain() -> None:
    found = figures(rows())
    assert found["mrr_worst"].value == pytest.approx(0.25)
    for name in ("noise", "worst"):
        gain, own, base = (found[f"mrr{end}"].value for end in (f"_gain_vs_{name}", "", f"_{name}"))
        assert gain is not None and own is not None and base is not None
        assert gain == pytest.approx(own - base)
    low = found["mrr_gain_vs_noise"].ci_low
    assert low is not None and low > 0


def test_a_question_without_its_answer_counts_as_missed() -> None:
    whole = rows()
    no_answer = replace(whole, relevance=np.where(whole.groups < "g010", 0.0, whole.relevance))
    answered, left_out, missed = figures(whole), figures(no_answer), figures(no_answer, as_questions=True)
    for name in ("mrr", "top@1", "ndcg@2"):
        there = left_out[name].value
        assert there is not None
        assert missed[name].value == pytest.approx(0.75 * there)
    assert missed["answer_among_rows"].value == pytest.approx(0.75)
    assert "auc" in answered and "auc" not in missed and "brier" not in missed


def test_the_intervals_do_not_depend_on_how_many_resamples_are_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = s.scoring_metrics(rows(), "test", 0.5, SETTINGS, False)
    monkeypatch.setattr(intervals, "_BLOCK", 1000)
    assert s.scoring_metrics(rows(), "test", 0.5, SETTINGS, False) == at_once


def test_clusters_of_like_groups_widen_the_interval() -> None:
    """Ten copies of every group are no more evidence than one."""
    once = rows(20)
    ten = s.ScoredRows(
        **{name: np.tile(getattr(once, name), 10) for name in ("relevance", "score", "probability")},
        baselines={},
        groups=np.concatenate([[f"{g}/{k}" for g in once.groups] for k in range(10)]).astype(object),
        clusters=np.tile(once.groups, 10),
    )

    def width(of: s.ScoredRows) -> float:
        m = figures(of)["mrr"]
        assert m.ci_high is not None and m.ci_low is not None
        return m.ci_high - m.ci_low

    naive = replace(ten, clusters=ten.groups)
    assert width(ten) == pytest.approx(width(once), rel=0.05)
    assert width(naive) < 0.5 * width(ten)


def test_groups_that_begin_in_one_block_are_one_cluster() -> None:
    items, labels = grouped.frames(n_groups=6, size=10)
    blocks = replace(grouped.CONFIG, block_days=14)
    data = Dataset(items, labels, blocks)
    assert len(np.unique(data.clusters())) == len(
        {(t - pd.Timestamp(0)) // pd.Timedelta(days=14) for t in items["event_at"]}
    )
    per_group = pd.Series(data.clusters()).groupby(data.groups("group_id")).nunique()
    assert (per_group == 1).all()


@pytest.mark.parametrize("probability", [np.array([0.1, 0.4, 0.4, 0.9]), np.array([0.5, 0.5, 0.5, 0.5])])
def test_the_threshold_is_the_best_of_all_levels(probability: np.ndarray) -> None:
    y = np.array([0.0, 1, 0, 1])

    def f1(threshold: float) -> float:
        named = probability >= threshold
        return float(2 * y[named].sum() / (named.sum() + y.sum()))

    assert f1(s.best_threshold(y, probability)) == max(f1(t) for t in probability)


def test_a_ranker_of_questions_is_trained_and_measured_as_such() -> None:
    items, labels = grouped.frames()
    config = replace(grouped.CONFIG, groups_are_questions=True, block_days=7)
    trained = RANKER.train(
        Dataset(items, labels, config),
        ScoringConfig(validation_groups=3, test_groups=4, cv_folds=0, replicates=50, patience=10),
    )
    found = {m.metric for m in trained.metrics}
    assert {"top@1", "top@3", "mrr_gain_vs_baseline", "answer_among_rows", "proposed_share"} <= found
    assert "auc" not in found


def test_baselines_order_by_their_columns_up_or_down() -> None:
    items, labels = grouped.frames(n_groups=6, size=10)
    data = Dataset(items, labels, grouped.CONFIG)
    up = order_by(data, ["-urgency", "load"])
    expected = data.items.assign(load=data.items["load"].fillna(-np.inf)).sort_values(
        ["urgency", "load"], ascending=[True, False], kind="stable"
    )
    assert list(np.argsort(-up, kind="stable")) == list(expected.index)
    with pytest.raises(ValueError, match="'nothing'"):
        Dataset(items, labels, replace(grouped.CONFIG, baselines={"b": ("-nothing",)}))
