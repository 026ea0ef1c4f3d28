"""What a new family costs: one file, and it is trained, searched, saved and served by every task it names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ml

TOY = '''
"""A plain linear model of everything."""

from collections.abc import Mapping
from typing import Any

from sklearn.linear_model import LogisticRegression, Ridge

from ml.models.fitted_scorer import FittedScorer
from ml.models.spec import ModelSpec, Rows, ScoringFamily
from ml.store.trusted import loadable


@loadable
class LinearScorer(FittedScorer):
    """A linear score of 0/1 labels or of grades."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def score(self, x: Any) -> Any:
        answer = getattr(self.model, "decision_function", self.model.predict)
        return answer(x)


def _build(params: Mapping[str, Any], seed: int, loss: str) -> Ridge:
    return Ridge(**params)


def _space(trial: Any) -> dict[str, Any]:
    return {"C": trial.suggest_float("C", 0.01, 1.0)}


def _fit_binary(rows: Rows, params: Mapping[str, Any], seed: int, watch: Any) -> LinearScorer:
    return LinearScorer(LogisticRegression(**params).fit(rows.x, rows.y, sample_weight=rows.weight))


def _fit_ranking(rows: Rows, params: Mapping[str, Any], seed: int, watch: Any) -> LinearScorer:
    return LinearScorer(Ridge(**params).fit(rows.x, rows.y, sample_weight=rows.weight))


SPEC = ModelSpec(
    name="toy",
    build=_build,
    defaults={"alpha": 1.0},
    scoring={
        "binary": ScoringFamily(fit=_fit_binary, defaults={"C": 0.1}, search_space=_space),
        "ranking": ScoringFamily(fit=_fit_ranking, defaults={"alpha": 1.0}),
    },
)
'''

USE = """
import sys
from pathlib import Path

from ml.models import names, registry
from ml.search.study import SearchRequest, search
from ml.store.trusted import dump_trusted, load_trusted
from ml.tasks import DURATION, RANKER, SCORER
from ml.tasks.duration.task import TrainingConfig
from ml.tasks.scoring.settings import ScoringConfig, split_for
from tests.unit.ml import grouped, synthetic

assert all("toy" in registry(task) and "toy" in names(task) for task in ("regression", "binary", "ranking"))
folder = Path(sys.argv[1])
hours = DURATION.train(synthetic.dataset(400), TrainingConfig(trials=0, replicates=0), "toy")
assert hours.estimator.predict(synthetic.dataset(400).items)["y_pred"].gt(0).any()
config = ScoringConfig(validation_groups=3, test_groups=4, replicates=0, cv_folds=2)
data = grouped.dataset()
for task, metric in ((SCORER, "auc"), (RANKER, "auc")):
    trained = task.train(data, config, "toy")
    value = next(m.value for m in trained.metrics if (m.split, m.metric) == ("test", metric))
    assert value > 0.7, (task.kind, value)
    assert trained.best_iteration is None and trained.native is None and len(trained.cv_scores) == 2
    again = load_trusted(dump_trusted(trained.estimator), "toy")
    new = data.items[split_for(data, config).rows("test")]
    table = again.score_new(new)
    assert table["rank"].min() == 1 and table["reasons"].map(len).eq(0).all()
synthetic.write(folder / "data", *grouped.frames(size=30), "{}")
request = SearchRequest("scorer", folder / "data", 0, config, family="toy")
assert set(search(request, 2, folder / "j.journal").best_params) == {"C"}
"""


@pytest.mark.filterwarnings("ignore")
def test_a_family_for_every_task_is_one_file(tmp_path: Path) -> None:
    root = Path(ml.__file__).parents[1]
    for package in ("ml", "tests/unit"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "tests" / "__init__.py", tmp_path / "tests" / "__init__.py")
    (tmp_path / "ml" / "models" / "toy.py").write_text(TOY)
    ended = subprocess.run(
        [sys.executable, "-c", USE, str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
