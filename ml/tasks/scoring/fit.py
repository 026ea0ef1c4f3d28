"""The numerical work of scorers and rankers on rows that are split: rounds, calibration, folds, figures.

What is their own: whole groups in time, and no censoring. An item without a settled label teaches nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.parts.folds import Fold, drawn_groups, forward_folds, known_before_test, stratified_group_folds
from ml.data.parts.splits import Split
from ml.errors import TooLittleDataError
from ml.models import ModelSpec, Params, Rows, TaskName, Watch
from ml.stats.figure import Figure
from ml.stats.rank_metrics import Grouping
from ml.tasks.scoring.choice import ChoiceCalibration
from ml.tasks.scoring.cuts import figures_at_cuts
from ml.tasks.scoring.eras import base_rate_shift, calibration_that_holds, warnings_of
from ml.tasks.scoring.figures import ScoredRows, best_threshold, report_of, scoring_metrics
from ml.tasks.scoring.judges import Judge, both_ends, judge_of, log_loss
from ml.tasks.scoring.model import ScoringModel, bounded
from ml.tasks.scoring.rows import encoded_rows
from ml.tasks.scoring.settings import EvalMetric, ScoringConfig, check_classes, order_by
from ml.tasks.stopping import rounds_by_folds, stopping_folds
from ml.tasks.task import Fitted, Objective, Report

logger = logging.getLogger(__name__)

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
SEARCH_FOLDS = 4
# Of the first trial, where the defaults name more: there they are a limit, at which early stopping never
# arrives, and nothing stops the fits of a search.
FIRST_ROUNDS = 400


class ScoringBench:
    """One family's 0/1 labels or grades of a dataset; see `ml.tasks.task.Bench`.

    It is fitted on the training part and stopped early, calibrated and given its threshold on the
    validation part; fitted again on both, with the same number of rounds, on what was known when the test
    part began; and scored on the test part once.

    A validation part with fewer rows of the rarer class than `ml.tasks.stopping.ENOUGH_TO_STOP_BY`, or of a
    ranker fewer groups with a relevant row, does not decide the number of rounds: it is the one that is best
    in the mean over rolling folds of what precedes the test part (log loss, or NDCG of whole groups and
    average precision), stopped early in the same way.

    Parameters
    ----------
    dataset : Dataset
        With the labels of the horizon.
    target : ndarray, shape (n,)
        Truth of every row, NaN where unknown.
    split : Split
    spec : ModelSpec
    task : {"binary", "ranking"}
    eval_metric : {"auc", "average_precision", "ndcg"}
        The task's own.
    config : ScoringConfig
    rows : int or None
        About how many rows a search sees, whole groups of them; None for all.
    turns_baselines : bool
        The domain's baselines put first what this task puts last.
    """

    def __init__(
        self,
        dataset: Dataset,
        target: Values,
        split: Split,
        spec: ModelSpec,
        task: TaskName,
        eval_metric: EvalMetric,
        config: ScoringConfig,
        rows: int | None = None,
        turns_baselines: bool = False,
    ) -> None:
        self.dataset, self.target, self.split, self.task, self.config = dataset, target, split, task, config
        self.family = spec.scoring[task]
        self.metric: EvalMetric = config.eval_metric or eval_metric
        self.before_test = known_before_test(dataset, split)
        self.usable = self.before_test
        if rows is not None:
            self.usable = drawn_groups(dataset.groups("group_id"), self.before_test, rows, config.seed)
        wanted = None if rows is None else self.usable
        known = split.known if wanted is None else split.known & wanted
        self.first, self.late = (split.rows(part) & known for part in ("train", "validation"))
        check_classes(target, self.first, "training")
        self.encoder, self.data = encoded_rows(dataset, target, self.family, config.seed, self.first, wanted)
        self.why_no_folds: str | None = None
        self.turns_baselines = turns_baselines

    @property
    def feature_list(self) -> list[str]:
        """Names of the encoded columns."""
        return list(self.data.names)

    def objective(self) -> Objective:
        """Return the mean over rolling folds before the test part."""
        folds = forward_folds(self.dataset, self.split, SEARCH_FOLDS, self.usable)

        def score(params: Params, report: Report) -> float:
            values: list[float] = []
            for step, fold in enumerate(folds):
                value = self._fold_score(fold, params, self._judge)
                if np.isfinite(value):
                    values.append(value)
                if values:
                    report(float(np.mean(values)), step)
            if not values:
                raise TooLittleDataError(
                    "No fold has both kinds of labels: give more groups before the test part."
                )
            return float(np.mean(values))

        family, first = self.family, {**self.family.defaults, **self.config.params}
        if family.rounds is not None:
            first[family.rounds] = min(first[family.rounds], FIRST_ROUNDS)
        space = family.search_space if family.is_searched else None
        return Objective(self.metric, "maximize", first, space, score)

    def fit(self, params: Params) -> Fitted:
        """Fit, stop early, calibrate, choose the threshold, and fit again up to the test part."""
        check_classes(self.target, self.late, "validation")
        own = {**self.family.defaults, **self.config.params, **params}
        data, seed, late = self.data, self.config.seed, self.late
        rounds = self.family.rounds
        watch: Watch | None = None
        curve: list[float] = []
        if rounds is not None:
            folds = stopping_folds(self.dataset, self.split, self.target, self.task == "ranking")
            if folds:
                own[rounds], curve = rounds_by_folds(
                    data, folds, self.family, own, seed, self._fold_judge, self.config.patience
                )
            else:
                # Whole lists: the few first places of a few groups are so noisy that stopping by them is
                # left to chance.
                judged = self._judge(data.at(late), (len(self.target),))

                def record(scores: Values) -> float:
                    curve.append(judged(scores))
                    return curve[-1]

                watch = Watch(data.at(late), record, self.config.patience)
        early = self.family.fit(data.at(self.first), own, seed, watch)
        if rounds is not None and early.best_iteration is not None:
            own[rounds] = early.best_iteration
        on_validation, rows = np.full(len(data.y), np.nan), self.split.rows("validation")
        on_validation[rows] = early.score(data.x[rows])
        positive = (self.target[late] > 0).astype(float)
        begun = self.dataset.items["event_at"].to_numpy("datetime64[us]")
        calibration = calibration_that_holds(
            bounded(on_validation[late]), positive[:, None], begun[late], is_chance=self.task == "binary"
        )
        threshold = best_threshold(positive, calibration.predict(bounded(on_validation[late]))[:, 0])
        final = self.family.fit(data.at(self.before_test), own, seed, None)
        line = self.dataset.config.timeline
        cuts = pd.Series(self.split.test_cut).groupby(self.dataset.groups(line)).max()
        known_until = {str(name): str(cut) for name, cut in cuts.items()}
        choice = None
        if self.dataset.config.groups_are_questions:
            choice = ChoiceCalibration().fit(
                on_validation[late], self.target[late] > 0, data.groups[late], self.dataset.groups(line)[late]
            )
        model = ScoringModel(self.encoder, final, calibration, threshold, known_until, line, choice)
        best = None if rounds is None else int(own[rounds])
        return Fitted(model, own, best, on_validation, curve)

    def cross_validate(self, fitted: Fitted) -> list[float | None]:
        """Return the score of every stratified group fold; none, and why in the report, without folds."""
        if self.config.cv_folds == 0:
            return []
        rows = np.flatnonzero(self.before_test)
        try:
            folds = stratified_group_folds(
                self.data.y, self.data.groups, rows, self.config.cv_folds, self.config.seed
            )
        except TooLittleDataError as error:
            # The folds only show a deviation: a model that can be trained without them is.
            self.why_no_folds = str(error)
            logger.warning("There is no cross-validation. %s", error)
            return []
        scores = [
            self._fold_score(fold, fitted.params, partial(judge_of, self.metric))
            if len(np.unique(self.target[fold.fit] > 0)) == 2
            else np.nan
            for fold in folds
        ]
        return [score if np.isfinite(score) else None for score in scores]

    def predictions(self, fitted: Fitted) -> pd.DataFrame:
        """Return scores and probabilities of the validation and the test rows."""
        scores, at = fitted.on_validation.copy(), self.split.rows("test")
        scores[at] = fitted.estimator.score_encoded(self.data.x[at])
        tables = []
        for part in ("validation", "test"):
            rows = np.flatnonzero(self.split.rows(part))
            table = self.dataset.items.loc[rows, ["item_id", "event_at", "group_id"]].reset_index(drop=True)
            table["split"] = part
            table["y_true"] = np.where(self.split.known[rows], self.target[rows], np.nan)
            table["y_pred"] = fitted.estimator.probability(scores[rows], self.data.groups[rows])
            table["score"] = scores[rows]
            # Only durations have an interval; the columns are those of every prediction table.
            table["p10"] = table["p90"] = np.nan
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    def figures(self, fitted: Fitted, predictions: pd.DataFrame) -> list[Figure]:
        """Evaluate the rows with a known truth, beside the domain's baseline orders."""
        domain, config = self.dataset.config, self.config
        turn = -1.0 if self.turns_baselines else 1.0
        baselines = {
            name: turn * order_by(self.dataset, columns) for name, columns in domain.baselines.items()
        }
        clusters = self.dataset.clusters()
        metrics: list[Figure] = []
        for part in ("validation", "test"):
            rows = np.flatnonzero(self.split.rows(part))
            known = self.split.known[rows]
            seen = rows[known]
            table = predictions[predictions["split"] == part]
            scored = ScoredRows(
                relevance=self.data.y[seen],
                score=table["score"].to_numpy(float)[known],
                probability=table["y_pred"].to_numpy(float)[known],
                baselines={name: values[seen] for name, values in baselines.items()},
                groups=self.data.groups[seen],
                clusters=clusters[seen],
                is_proposed=self._proposed(fitted.estimator.choice, table, rows)[known],
            )
            metrics += scoring_metrics(
                scored, part, fitted.estimator.threshold, config, domain.groups_are_questions
            )
        metrics += figures_at_cuts(
            self.dataset, self.split, self.target, self.family, fitted.params, baselines, config
        )
        if not domain.groups_are_questions:
            metrics += base_rate_shift(self.dataset, self.split, self.target)
        for warning in warnings_of(metrics):
            logger.warning("%s", warning)
        return metrics

    def _proposed(
        self, choice: ChoiceCalibration | None, table: pd.DataFrame, rows: NDArray[np.intp]
    ) -> NDArray[np.bool_]:
        if choice is None:
            return np.zeros(len(rows), dtype=bool)
        rank = Grouping(self.data.groups[rows]).places(table["score"].to_numpy(float)) + 1
        lines = self.dataset.groups(self.dataset.config.timeline)[rows]
        return choice.is_confident(table["y_pred"].to_numpy(float), rank, lines)

    def native(self, fitted: Fitted) -> tuple[str, bytes] | None:
        """Return the learner in its library's own format."""
        return fitted.estimator.learner.native()

    def report(self, fitted: Fitted, metrics: list[Figure], cv_scores: list[float | None]) -> dict[str, Any]:
        """Return the flat figures of the test part, and every figure."""
        head = {
            "task": self.task,
            "domain": self.dataset.config.name,
            "best_iteration": fitted.best_iteration,
            "num_features": len(self.feature_list),
            "threshold": fitted.estimator.threshold,
            "known_until": fitted.estimator.known_until,
            "params": fitted.params,
            "feature_list": self.feature_list,
            "seed": self.config.seed,
            "warnings": warnings_of(metrics),
        }
        return report_of(head, metrics, self.metric, cv_scores, self.why_no_folds, self.config.ndcg_at)

    def _fold_score(
        self, fold: Fold, params: Params, judge: Callable[..., Callable[[Values], float]]
    ) -> float:
        fitted = self.family.fit(self.data.at(fold.fit), params, self.config.seed, None)
        seen = self.data.at(fold.score)
        return judge(seen, self.config.ndcg_at)(fitted.score(seen.x))

    def _judge(self, rows: Rows, ks: Sequence[int]) -> Judge:
        """Return what stops and searches; between the rows of several questions no order means anything."""
        if self.metric == "ndcg" and not self.dataset.config.groups_are_questions:
            return both_ends(rows, ks)
        return judge_of(self.metric, rows, ks)

    def _fold_judge(self, at: NDArray[np.intp]) -> Judge:
        rows = self.data.at(at)
        return self._judge(rows, (len(at),)) if self.task == "ranking" else log_loss(rows)


def scoring_bench(
    target_of: Callable[[Dataset], Values],
    task: TaskName,
    eval_metric: EvalMetric,
    turns_baselines: bool = False,
) -> Callable[..., ScoringBench]:
    """Return what makes a task's bench: see `ml.tasks.task.Task`. Encoded rows are not kept for others."""

    def bench(
        dataset: Dataset, split: Split, spec: ModelSpec, config: ScoringConfig, _: object, rows: int | None
    ) -> ScoringBench:
        target = target_of(dataset)
        return ScoringBench(dataset, target, split, spec, task, eval_metric, config, rows, turns_baselines)

    return bench
