"""Training of scorers and rankers: fit, early stopping, calibration, cross-validation and figures.

What is scored is a `ScoringTask`; see `ml.tasks.scoring_task`, `ml.tasks.scorer` and `ml.tasks.ranker`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.folds import Fold, known_before_test, split_by_groups, stratified_group_folds
from ml.data.splits import Split, split_by_time
from ml.encoding.tree import tree_encoder
from ml.errors import TooLittleDataError
from ml.models.boosting import Judge, Rows, fit_booster, raw_scores, start_trees, text_of
from ml.stats.figure import Metric
from ml.tasks.calibration import HorizonCalibration
from ml.tasks.scoring_figures import FigureSettings, ScoredRows, best_threshold, scoring_metrics
from ml.tasks.scoring_model import ScoringModel, bounded
from ml.tasks.scoring_task import EvalMetric, ScoringConfig, ScoringTask
from ml.tasks.stopping import fold_judge, rounds_by_folds, stopping_folds

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class TrainedScoring:
    """A fitted model with its validation and test rows, and its figures."""

    task: ScoringTask
    model: ScoringModel
    params: dict[str, Any]
    feature_list: list[str]
    best_iteration: int
    predictions: pd.DataFrame
    metrics: list[Metric]
    cv_scores: list[float | None]
    seconds: dict[str, float]


def train_scoring(
    dataset: Dataset,
    task: ScoringTask,
    config: ScoringConfig | None = None,
    progress: Callable[[str], None] | None = None,
) -> TrainedScoring:
    """Train, calibrate and evaluate one scorer or ranker.

    It is fitted on the training part and stopped early, calibrated and given its threshold on the
    validation part; fitted again on both, with the same number of trees, on what was known when the test
    part began; and scored on the test part once.

    A validation part with fewer rows of the rarer class than `ml.tasks.stopping.ENOUGH_TO_STOP_BY` does not
    decide the number of trees: it is the one that is best in the mean over rolling folds of what precedes the
    test part (log loss, or NDCG of whole groups), stopped early in the same way.

    Parameters
    ----------
    dataset : Dataset
    task : ScoringTask
    config : ScoringConfig or None
    progress : callable (stage) or None
    """
    from threadpoolctl import threadpool_limits

    chosen = config or ScoringConfig()
    with threadpool_limits(1, user_api="blas"):
        return _train(task.labelled(dataset, chosen), task, chosen, progress or (lambda stage: None))


def split_for(dataset: Dataset, config: ScoringConfig) -> Split:
    """Return the split by whole groups, on the timelines of the domain or on a common one.

    Numbers of groups mean nothing on a timeline of its own: only shares below 1 are taken over there.
    """
    if dataset.config.timeline is not None:
        shares = (config.validation_groups, config.test_groups)
        validation, test = (n if 0 < n < 1 else other for n, other in zip(shares, (0.1, 0.2), strict=True))
        return split_by_time(dataset, validation, test, whole_groups=True)
    return split_by_groups(dataset, config.validation_groups, config.test_groups)


def encoded_rows(
    dataset: Dataset, target: Values, learners: Mask, seed: int, wanted: Mask | None = None
) -> tuple[Any, Rows]:
    """Fit the encoder on ``learners``; return it with the rows encoded.

    All of them, or those that are ``wanted``: the features of the others are NaN then.
    """
    encoder = tree_encoder(dataset, seed=seed)
    # The learners are encoded as they are learned from: counting the words of a text takes most of the time.
    learned = encoder.fit_transform(dataset.items[learners])
    x = np.full((len(dataset.items), learned.shape[1]), np.nan, dtype=np.float32)
    x[learners] = learned
    others = ~learners if wanted is None else wanted & ~learners
    if others.any():
        x[others] = encoder.transform(dataset.items[others])
    weight = dataset.row_labels()["weight"].fillna(1.0).to_numpy(float)
    return encoder, Rows(x, target, dataset.groups("group_id"), weight)


def judge_for(metric: EvalMetric, groups: NDArray[np.object_], ks: Sequence[int]) -> Judge:
    """Return what judges rows of these ``groups``; NDCG is the mean over the ``ks``."""
    from ml.stats.metrics import auc, average_precision
    from ml.stats.rank_metrics import Grouping, ndcg

    if metric == "ndcg":
        grouping = Grouping(groups)
        return lambda y, s: float(np.mean([ndcg(y, s, grouping, k)[0] for k in ks]))
    pure = auc if metric == "auc" else average_precision
    return lambda y, s: float(pure(y, s)[0])


def check_classes(target: Values, rows: Mask, part: str) -> None:
    """Refuse a part whose known truths are all alike."""
    hits, n = int((target[rows] > 0).sum()), int(rows.sum())
    if hits in (0, n):
        raise TooLittleDataError(
            f"The {part} part has {n} known labels, {hits} of them positive: a scorer needs both kinds; "
            "give more groups or check the label."
        )


def _train(
    dataset: Dataset, task: ScoringTask, config: ScoringConfig, tell: Callable[[str], None]
) -> TrainedScoring:
    seconds: dict[str, float] = {}
    tell("prepare")
    started = time.perf_counter()
    target = task.target(dataset)
    split = split_for(dataset, config)
    first, late = (split.rows(part) & split.known for part in ("train", "validation"))
    before_test = known_before_test(dataset, split)
    for rows, part in ((first, "training"), (late, "validation")):
        check_classes(target, rows, part)
    encoder, data = encoded_rows(dataset, target, first, config.seed)
    names = [str(name) for name in encoder.get_feature_names_out()]
    params = {**task.defaults, **config.params}
    metric = config.eval_metric or task.eval_metric
    # Whole lists: the few first places of a few groups are so noisy that stopping by them is left to chance.
    judge = judge_for(metric, data.groups[late], (len(target),))
    seconds["prepare"] = _lap(started)

    tell("fit")
    started = time.perf_counter()
    folds = stopping_folds(dataset, split, target)
    if folds:
        fold_judged = fold_judge(task.objective, data)
        best = rounds_by_folds(
            data, folds, names, task.objective, params, config.seed, fold_judged, config.patience
        )
        early = fit_booster(
            data.at(first), names, task.objective, {**params, "n_estimators": best}, config.seed
        )
    else:
        early = fit_booster(
            data.at(first), names, task.objective, params, config.seed, data.at(late), judge, config.patience
        )
        best = max(1, int(early.current_iteration()) - start_trees(params))
    params["n_estimators"] = best
    on_validation = raw_scores(early, data.x)
    calibration = HorizonCalibration(min_rows=10).fit(
        bounded(on_validation[late]), (target[late] > 0).astype(float)[:, None]
    )
    final = fit_booster(data.at(before_test), names, task.objective, params, config.seed)
    line = dataset.config.timeline
    cuts = pd.Series(split.test_cut).groupby(dataset.groups(line)).max()
    known_until = {str(name): str(cut) for name, cut in cuts.items()}
    probability = calibration.predict(bounded(on_validation[late]))[:, 0]
    threshold = best_threshold((target[late] > 0).astype(float), probability)
    model = ScoringModel(encoder, text_of(final), calibration, threshold, known_until, line)
    seconds["fit"] = _lap(started)

    tell("cross-validate")
    started = time.perf_counter()
    cv_scores = _cross_validate(data, np.flatnonzero(before_test), names, task, params, metric, config)
    seconds["cross_validate"] = _lap(started)

    tell("evaluate")
    started = time.perf_counter()
    scores = np.where(split.rows("test"), model.score_encoded(data.x), on_validation)
    predictions, metrics = _evaluate(dataset, split, data, scores, model, config)
    seconds["evaluate"] = _lap(started)
    return TrainedScoring(task, model, params, names, best, predictions, metrics, cv_scores, seconds)


def _cross_validate(
    data: Rows,
    rows: NDArray[np.intp],
    names: list[str],
    task: ScoringTask,
    params: Mapping[str, Any],
    metric: EvalMetric,
    config: ScoringConfig,
) -> list[float | None]:
    if config.cv_folds == 0:
        return []
    folds: list[Fold] = stratified_group_folds(data.y, data.groups, rows, config.cv_folds, config.seed)
    scores: list[float | None] = []
    for fold in folds:
        booster = fit_booster(data.at(fold.fit), names, task.objective, params, config.seed)
        judge = judge_for(metric, data.groups[fold.score], config.ndcg_at)
        value = judge(data.y[fold.score], raw_scores(booster, data.x[fold.score]))
        scores.append(value if np.isfinite(value) else None)
    return scores


def _evaluate(
    dataset: Dataset, split: Split, data: Rows, scores: Values, model: ScoringModel, config: ScoringConfig
) -> tuple[pd.DataFrame, list[Metric]]:
    domain = dataset.config
    baselines = {name: order_by(dataset, columns) for name, columns in domain.baselines.items()}
    clusters = dataset.clusters()
    settings = FigureSettings(
        ndcg_at=config.ndcg_at,
        top_at=config.top_at,
        precision_at=config.precision_at,
        replicates=config.replicates,
        seed=config.seed,
        groups_are_questions=domain.groups_are_questions,
    )
    tables, metrics = [], []
    for part in ("validation", "test"):
        rows = np.flatnonzero(split.rows(part))
        known = split.known[rows]
        table = dataset.items.loc[rows, ["item_id", "event_at", "group_id"]].reset_index(drop=True)
        table["split"] = part
        table["y_true"] = np.where(known, data.y[rows], np.nan)
        table["y_pred"] = model.probability(scores[rows])
        table["score"] = scores[rows]
        # Only durations have an interval; the columns are those of every prediction table.
        table["p10"] = table["p90"] = np.nan
        tables.append(table)
        seen = rows[known]
        scored = ScoredRows(
            relevance=data.y[seen],
            score=scores[seen],
            probability=table["y_pred"].to_numpy(float)[known],
            baselines={name: values[seen] for name, values in baselines.items()},
            groups=data.groups[seen],
            clusters=clusters[seen],
        )
        metrics += scoring_metrics(scored, part, model.threshold, settings)
    return pd.concat(tables, ignore_index=True), metrics


def order_by(dataset: Dataset, columns: Sequence[str]) -> Values:
    """Return a score that orders the rows by ``columns``, the first one first; what is missing comes last.

    Larger values come first, of a column with ``-`` before its name smaller ones.
    """
    names = [column.removeprefix("-") for column in columns]
    keys = dataset.items[names].astype("Float64").astype(float)
    for column, name in zip(columns, names, strict=True):
        keys[name] = (-keys[name] if column.startswith("-") else keys[name]).fillna(-np.inf)
    return np.asarray(keys.groupby(names, sort=True).ngroup(), dtype=np.float64)


def _lap(started: float) -> float:
    return round(time.perf_counter() - started, 3)
