"""Every family: found by name, moved by sample weights, repeatable, with a search space that builds."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import optuna
import pytest

from ml import models
from ml.models import ModelSpec, find, registry

FAMILIES = ["median", "forest", "lightgbm", "linear", "svm", "xgboost"]
QUICK = {
    "n_estimators": 20,
    "min_child_samples": 5,
    "min_samples_leaf": 3,
    "min_child_weight": 1.0,
    "min_rows": 3,
}


def quick(spec: ModelSpec) -> dict[str, object]:
    return {**spec.defaults, **{k: v for k, v in QUICK.items() if k in spec.defaults}}


def arrays(spec: ModelSpec, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    side = rng.random(n) < 0.5
    y = np.where(rng.random(n) < 0.5, 1.0, 5.0) + rng.normal(0, 0.1, n)
    if spec.inputs == "group":
        return np.where(side, "a", "b").astype(object)[:, None], y
    return np.stack([side, rng.normal(size=n), rng.normal(size=n)], axis=1).astype(np.float32), y


def test_registry_finds_every_file_and_the_floor_first() -> None:
    assert list(registry()) == FAMILIES
    files = {p.stem for p in Path(models.__file__).parent.glob("*.py")} - {"__init__"}
    assert set(FAMILIES) <= files


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no model 'oracle'.*median, forest, lightgbm"):
        find("oracle")


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("loss", ["absolute", "squared"])
def test_sample_weights_move_the_fit(name: str, loss: str) -> None:
    spec = find(name)
    x, y = arrays(spec)
    predictions = []
    for weight in (np.ones(len(y)), np.where(y > 3, 9.0, 1.0), np.where(y > 3, 1.0, 9.0)):
        estimator = spec.build(quick(spec), 0, loss)
        spec.fit(estimator, x, y, weight, None)
        predictions.append(np.asarray(estimator.predict(x)).mean())
    assert predictions[2] + 0.5 < predictions[1]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_seed_gives_the_same_fit(name: str) -> None:
    spec = find(name)
    x, y = arrays(spec)
    fits = []
    for _ in range(2):
        estimator = spec.build(quick(spec), 3, "absolute")
        spec.fit(estimator, x, y, np.ones(len(y)), (x[:50], y[:50], np.ones(50)))
        fits.append(np.asarray(estimator.predict(x)))
    np.testing.assert_array_equal(*fits)


@pytest.mark.parametrize("name", [n for n in FAMILIES if n != "median"])
def test_the_search_space_builds(name: str) -> None:
    spec = find(name)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(3):
        params = spec.search_space(study.ask())
        spec.build({**spec.defaults, **params}, 0, "absolute")
        spec.build({**spec.defaults, **spec.timing}, 0, "squared")
    assert spec.is_searched and not find("median").is_searched


@pytest.mark.parametrize("name", ["lightgbm", "xgboost"])
def test_early_stopping_keeps_fewer_trees_and_native_files_are_whole(name: str) -> None:
    spec = find(name)
    x, y = arrays(spec)
    estimator = spec.build(dict(spec.defaults), 0, "absolute")
    spec.fit(estimator, x[:200], y[:200], np.ones(200), (x[200:], y[200:], np.ones(100)))
    best = spec.best_iteration(estimator)
    assert best is not None and 1 <= best < spec.defaults["n_estimators"]
    assert spec.native is not None
    suffix, data = spec.native(estimator)
    assert suffix == {"lightgbm": ".txt", "xgboost": ".json"}[name] and len(data) > 100


def test_forest_leaves_answer_with_medians() -> None:
    spec = find("forest")
    x = np.zeros((9, 1), dtype=np.float32)
    y = np.array([0.0] * 5 + [100.0] * 4)
    options = {"n_estimators": 5, "min_samples_leaf": 1}
    assert spec.build(options, 0, "absolute").fit(x, y).predict(x)[0] == 0.0
    assert spec.build({**spec.defaults, **options}, 0, "squared").fit(x, y).predict(x)[0] > 10.0


def test_forest_tells_the_mean_where_a_tree_finds_no_split() -> None:
    spec, rng = find("forest"), np.random.default_rng(0)
    settings, x = {**spec.defaults, **spec.timing}, rng.normal(size=(400, 3)).astype(np.float32)
    ends = np.ones(400), np.arange(400.0) % 2, (x[:, 0] > 0).astype(float)
    weight = rng.uniform(0.3, 0.5, 400)
    for rows, y in product((2, 8, 30, 142, 143, 150, 400), ends):
        fitted = spec.build(settings, 0, "squared").fit(x[:rows], y[:rows], weight[:rows])
        expected = np.average(y[:rows], weights=weight[:rows])
        assert fitted.predict(x[:rows]).mean() == pytest.approx(expected, abs=0.05)


def test_small_and_unseen_groups_get_the_overall_median() -> None:
    spec = find("median")
    x = np.array([["a"]] * 12 + [["b"]] * 2, dtype=object)
    fitted = spec.build(spec.defaults, 0, "absolute").fit(x, np.r_[np.full(12, 3.0), 9.0, 9.0])
    assert fitted.predict(np.array([["a"], ["b"], ["never"]], dtype=object)).tolist() == [3.0, 3.0, 3.0]
    assert fitted.groups_ == {"a": 3.0}
