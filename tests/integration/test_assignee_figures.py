"""The ranker of people on real issues: better than the most active and the last assigned, and no leak."""

import shutil
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.reports.bias import write_bias
from ml.runs.train import train_models
from ml.store.record import Evaluation
from ml.tasks import RANKER
from ml.tasks.scoring.settings import ScoringConfig
from orchestration.__main__ import main
from orchestration.domains.assignees.tasks import RANKER as ASSIGNEE_RANKER
from tests.paths import ISSUES

pytestmark = pytest.mark.skipif(not ISSUES.exists(), reason="the corpus is not on this machine")
DUMPS = ["rust-lang__rust", "secondary/jira/eucalyptus__DOC", "secondary/jira/eucalyptus__EUCA"]
CONFIG = ScoringConfig(
    validation_groups=0.1, test_groups=0.2, cv_folds=0, replicates=200, params=dict(ASSIGNEE_RANKER.params)
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("assignees")
    (folder / "dumps").mkdir()
    for dump in DUMPS:
        shutil.copy(ISSUES / f"{dump}.jsonl.gz", folder / "dumps")
    command = ["training-set", "--domain", "assignees", "--archive", str(folder / "dumps")]
    assert main([*command, "--output", str(folder / "set")]) == 0
    return Dataset.from_dir(folder / "set")


@dataclass(frozen=True)
class Trained:
    """The evaluation of the ranker and the tables of its bias."""

    evaluation: Evaluation
    bias: dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def trained(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("run")
    (evaluation,) = train_models(dataset, ["assignee_ranker"], folder, CONFIG, task=RANKER)
    bias = write_bias(dataset, [evaluation], folder)
    assert bias is not None
    return Trained(evaluation, bias)


def test_it_beats_both_baselines_beyond_noise(trained: Trained) -> None:
    figures = {m.metric: m for m in trained.evaluation.metrics if m.split == "test"}
    for metric in ("mrr", "top@3", "ndcg@5", "ndcg@10"):
        for baseline in ("most_active", "last_assigned"):
            gain = figures[f"{metric}_gain_vs_{baseline}"]
            assert gain.ci_low is not None and gain.ci_low > 0, gain
    reachable, first = figures["answer_among_rows"].value, figures["top@1"].value
    assert reachable is not None and 0.9 < reachable <= 1
    assert first is not None and first < 0.9, "too good to be true"


def test_it_beats_them_in_two_thirds_of_the_repositories(trained: Trained) -> None:
    table = trained.bias["ranking_metrics"]
    own = table[(table["split"] == "test") & (table["n_lists"] >= 100) & ~table["pooled"]]
    own = own[own["slice"] != "(small slices)"]
    gains = own[own["metric"].str.fullmatch(r"(mrr|top@3)_gain_vs_(most_active|last_assigned)")]
    assert gains.groupby("slice").size().eq(4).all() and gains["slice"].nunique() == len(DUMPS)
    beyond_noise = (gains["ci_low"] > 0).groupby(gains["slice"]).all()
    assert beyond_noise.mean() >= 2 / 3, gains[["slice", "metric", "value", "ci_low", "ci_high"]]


def test_handlers_dealt_out_at_random_teach_nothing(dataset: Dataset) -> None:
    """The label moves to a random candidate of each ticket: nothing is left that could be known before."""
    rng = np.random.default_rng(0)
    labels = dataset.labels.copy()
    groups = pd.Series(dataset.groups("group_id"))
    drawn = pd.Series(rng.random(len(groups))).groupby(groups).rank(method="first") == 1
    answered = labels["relevance"].groupby(groups).transform("max") > 0
    labels["relevance"] = (drawn & answered).astype(int)
    labels["y"] = labels["relevance"].astype(float)
    fair = RANKER.train(Dataset(dataset.items, labels, dataset.config), replace(CONFIG, replicates=0))
    figures = {m.metric: m.value for m in fair.metrics if m.split == "test"}
    by_chance = (1 / groups.map(groups.value_counts())[drawn & answered]).mean()
    top = figures["top@1"]
    assert top is not None and abs(top - by_chance) < 0.03
