"""What a search's trials are scored by, for every task; nothing here ever reads the test part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ml.data.dataset import Dataset
from ml.data.folds import drawn_groups, forward_folds, known_before_test
from ml.errors import TooLittleDataError
from ml.models.boosting import fit_booster, raw_scores
from ml.tasks.ranker import RANKING
from ml.tasks.scorer import BINARY
from ml.tasks.scoring import check_classes, encoded_rows, judge_for, split_for
from ml.tasks.scoring_task import ScoringConfig, ScoringTask

SCORING = {"scorer": BINARY, "cluster": BINARY, "ranker": RANKING}
FOLDS = 4


@dataclass(frozen=True)
class SearchRequest:
    """What is searched: a model type, the folder of its training set, the seed and the settings.

    Scorers and rankers are searched on about ``rows`` rows, whole groups of them; None for all.
    """

    model_type: str
    data_dir: Path
    seed: int = 0
    config: ScoringConfig = field(default_factory=ScoringConfig)
    rows: int | None = None


@dataclass(frozen=True)
class Objective:
    """A scored trial: its study's name, which hashes everything that decides it, and its direction."""

    name: str
    direction: Literal["minimize", "maximize"]
    score: Callable[[Any], float]


def model_types() -> list[str]:
    """Return everything that can be searched."""
    from ml.models import registry

    return [*SCORING, *(name for name, spec in registry().items() if spec.is_searched)]


def objective_for(request: SearchRequest) -> Objective:
    """Return the objective of a request; an unknown model type raises ValueError."""
    if request.model_type not in model_types():
        raise ValueError(
            f"There is no model type {request.model_type!r}: choose from {', '.join(model_types())}."
        )
    dataset = Dataset.from_dir(request.data_dir)
    if request.model_type in SCORING:
        return _scoring_objective(dataset, SCORING[request.model_type], request)
    if request.config.horizon_days is not None or request.rows is not None:
        raise ValueError(
            f"The model type {request.model_type!r} learns durations, without a horizon and from rows of its "
            "own choice: leave both out."
        )
    return _duration_objective(dataset, request)


def scoring_space(trial: Any) -> dict[str, Any]:
    """Suggest LightGBM's parameters for scorers and rankers."""
    return {
        "num_leaves": trial.suggest_int("num_leaves", 8, 100, log=True),
        "max_depth": trial.suggest_int("max_depth", 3, 10),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        "n_estimators": trial.suggest_int("n_estimators", 50, 500, step=25),
        "min_child_samples": trial.suggest_int("min_child_samples", 10, 50),
        "subsample": trial.suggest_float("subsample", 0.6, 1.0),
        "subsample_freq": trial.suggest_int("subsample_freq", 1, 5),
        "colsample_bytree": trial.suggest_float("colsample_bytree", 0.2, 1.0),
        "reg_alpha": trial.suggest_float("reg_alpha", 0.0, 1.0),
        "reg_lambda": trial.suggest_float("reg_lambda", 0.0, 10.0),
    }


def ranking_space(trial: Any) -> dict[str, Any]:
    """Suggest what `scoring_space` does, how far down a list pairs count, and where LambdaRank starts."""
    own = {
        "lambdarank_truncation_level": trial.suggest_int("lambdarank_truncation_level", 10, 200, log=True),
        "gain_trees": trial.suggest_int("gain_trees", 0, 800, step=100),
    }
    return {**scoring_space(trial), **own}


def _scoring_objective(dataset: Dataset, task: ScoringTask, request: SearchRequest) -> Objective:
    config = request.config
    dataset = task.labelled(dataset, config)
    target = task.target(dataset)
    split = split_for(dataset, config)
    usable = known_before_test(dataset, split)
    if request.rows is not None:
        usable = drawn_groups(dataset.groups("group_id"), usable, request.rows, request.seed)
    learners = split.rows("train") & split.known & usable
    check_classes(target, learners, "training")
    folds = forward_folds(dataset, split, FOLDS, usable)
    _, data = encoded_rows(dataset, target, learners, config.seed, wanted=usable)
    names = [f"f{k}" for k in range(data.x.shape[1])]
    metric = config.eval_metric or task.eval_metric
    space = ranking_space if task.objective == "lambdarank" else scoring_space

    def score(trial: Any) -> float:
        import optuna

        params = {**config.params, **space(trial)}
        trial.set_user_attr("params", params)
        values: list[float] = []
        for step, fold in enumerate(folds):
            booster = fit_booster(
                data.at(fold.fit), names, task.objective, {**task.defaults, **params}, config.seed
            )
            judge = judge_for(metric, data.groups[fold.score], config.ndcg_at)
            value = judge(data.y[fold.score], raw_scores(booster, data.x[fold.score]))
            if np.isfinite(value):
                values.append(value)
            if not values:
                continue
            trial.report(float(np.mean(values)), step)
            if trial.should_prune():
                raise optuna.TrialPruned
        if not values:
            raise TooLittleDataError(
                "No fold has both kinds of labels: give more groups before the test part."
            )
        return float(np.mean(values))

    return Objective(_name(dataset, request, metric), "maximize", score)


def _duration_objective(dataset: Dataset, request: SearchRequest) -> Objective:
    from ml.data.splits import split_by_time
    from ml.encoding.matrix import prepare
    from ml.models import find
    from ml.runs.config import TrainingConfig
    from ml.tasks.duration import Workbench
    from ml.tasks.duration_model import log_prediction

    spec, config = find(request.model_type), TrainingConfig(seed=request.seed)
    split = split_by_time(dataset, config.validation, config.test, config.min_timeline_labels)
    x = np.asarray(prepare(dataset, split, config.preprocessing).matrix)
    bench = Workbench(dataset, split, x, split.rows("train"), config.weighting, config.seed)
    data = bench.tuning_data(spec, config.tuning_rows)

    def score(trial: Any) -> float:
        params = spec.search_space(trial)
        trial.set_user_attr("params", params)
        estimator = spec.build({**spec.defaults, **params}, request.seed, "absolute")
        spec.fit(estimator, data.x, data.y, data.weight, data.validation)
        predicted = log_prediction(estimator, data.x_validation, float(data.y.max()))
        error = np.abs(predicted - data.y_validation)
        return float(np.average(error, weights=data.weight_validation))

    return Objective(_name(dataset, request, "mae_log"), "minimize", score)


def _name(dataset: Dataset, request: SearchRequest, metric: str) -> str:
    settings = [asdict(request.config), request.rows, FOLDS]
    decides = [dataset.snapshot_id, request.model_type, request.seed, metric, *settings]
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]
    return f"{request.model_type}-{digest}"
