"""Which row of a question is its answer: chances that leave a share for none of them, and when to be sure."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.base import BaseEstimator

from ml.store.trusted import loadable

Values = NDArray[np.float64]
Names = NDArray[np.object_]


@loadable
class ChoiceCalibration(BaseEstimator):
    """Chances of the rows of a question, and for each timeline the chance from which the first one is right.

    The chances are a conditional logit (McFadden 1974) over the raw scores with one alternative more, none of
    these rows: they add up to less than 1. The threshold of a timeline is the lowest chance from which on the
    first row was the answer often enough. How often is drawn towards all timelines together, by the weight of
    `pooled_questions`. A timeline without any question has no threshold: nothing is proposed there.

    Parameters
    ----------
    precision : float
        Share of the proposals that must have been right.
    pooled_questions : float
    """

    def __init__(self, precision: float = 0.75, pooled_questions: float = 10.0) -> None:
        self.precision = precision
        self.pooled_questions = pooled_questions

    def fit(self, score: Values, is_answer: NDArray[np.bool_], questions: Names, lines: Names) -> Self:
        """Learn from scores that the model gave to rows it had not seen, shape (n,) each.

        Parameters
        ----------
        score, is_answer
            A question without an answer among its rows counts as one for none of them.
        questions, lines
            Names of each row's question and timeline.
        """
        code, names = pd.factorize(questions)
        answers = np.flatnonzero(is_answer)

        def loss(point: Values) -> float:
            slope, nobody = np.exp(point[0]), point[1]
            level, total = _log_total(slope * score, code, len(names), nobody)
            chosen = np.full(len(names), nobody)
            chosen[code[answers]] = slope * score[answers]
            # Normal priors keep both finite where the first row is always right, or never.
            return float(np.sum(level + total - chosen) + point[0] ** 2 / 2 + nobody**2 / 18)

        self.slope_, self.nobody_ = 1.0, 0.0
        if len(names):
            best = minimize(loss, np.zeros(2), method="Nelder-Mead").x
            self.slope_, self.nobody_ = float(np.exp(best[0])), float(best[1])
        first = pd.DataFrame(
            {"question": code, "line": lines, "chance": self.chances(score, questions), "hit": is_answer}
        )
        first = first.sort_values("chance", ascending=False, kind="stable").drop_duplicates("question")
        chance, precision, _ = _curve(first)
        self.thresholds_: dict[str, float] = {}
        for line, own in first.groupby("line"):
            at, share, n = _curve(own)
            pooled = np.interp(-at, -chance, precision)
            drawn = (share * n + pooled * self.pooled_questions) / (n + self.pooled_questions)
            reached = at[drawn >= self.precision]
            if len(reached):
                self.thresholds_[str(line)] = float(reached[-1])
        return self

    def chances(self, score: Values, questions: Names) -> Values:
        """Return the chance of every row to be the answer of its question; they add up to less than 1."""
        if len(score) == 0:
            return np.zeros(0)
        code, names = pd.factorize(questions)
        level, total = _log_total(self.slope_ * score, code, len(names), self.nobody_)
        return np.asarray(np.exp(self.slope_ * score - (level + total)[code]), dtype=np.float64)

    def is_confident(self, chance: Values, rank: NDArray[np.int64], lines: Names) -> NDArray[np.bool_]:
        """Say of every row whether it is proposed: the first of its question, and likely enough."""
        threshold = pd.Series(lines).map(self.thresholds_).fillna(np.inf).to_numpy(float)
        return np.asarray((rank == 1) & (chance >= threshold), dtype=np.bool_)


def _log_total(value: Values, code: NDArray[np.intp], n: int, nobody: float) -> tuple[Values, Values]:
    """Return the largest alternative of every question, and the log of the sum relative to it."""
    level = np.full(n, nobody)
    np.maximum.at(level, code, value)
    return level, np.log(np.bincount(code, np.exp(value - level[code]), n) + np.exp(nobody - level))


def _curve(first: pd.DataFrame) -> tuple[Values, Values, Values]:
    """Return chances from the highest on, and the share of hits among the n questions from each on."""
    chance = first["chance"].to_numpy(float)
    last = np.r_[chance[1:] != chance[:-1], True][: len(chance)]
    n = np.arange(1.0, len(chance) + 1)
    share = np.cumsum(first["hit"].to_numpy(float)) / n
    return chance[last], share[last], n[last]
