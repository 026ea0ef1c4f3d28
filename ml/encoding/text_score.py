"""What the words of an item say of its end: a linear score, learned forward in time and read as a feature."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import Ridge

from ml.data.columns import Kind
from ml.data.dataset import Dataset
from ml.data.outcomes import Outcomes, outcomes_at
from ml.data.parts.origins import cuts_of_training
from ml.data.parts.splits import Split
from ml.encoding.encoders import FloatMatrix, TextEncoder
from ml.store.trusted import loadable

# Shares of the training part: a score is learned anew at each, at every origin among them.
SHARES = (1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6)
# Below so many labels a score is noise.
MIN_LABELS = 200
HOURS = "log_hours"


@loadable
class TextScore(TransformerMixin, BaseEstimator):
    """Ridge regressions of outcomes on words and pairs of words, as deviations from their own mean.

    Characters (3-5 grams) beside the words gained nothing on the open corpus at three times the cost.

    Parameters
    ----------
    words : TextEncoder
        Counts the words; need not be fitted.
    targets : list of str
        Names of the outcomes.
    penalty : float
        Of the ridge regressions.
    """

    def __init__(self, words: TextEncoder, targets: list[str], penalty: float = 10.0) -> None:
        self.words = words
        self.targets = targets
        self.penalty = penalty

    kind: Kind = "text"

    @property
    def columns(self) -> list[str]:
        """Names of the text columns."""
        return list(self.words.columns)

    def fit(self, frame: pd.DataFrame, y: object = None) -> Self:
        """Learn how rare each word is; no outcome is seen, and every score is 0 until `learn`."""
        self.idfs_ = [TfidfTransformer(sublinear_tf=True).fit(c) for c in self.words.counts(frame)]
        self.coefficients_ = np.zeros(
            (len(self.columns) * self.words.buckets, len(self.targets)), dtype=np.float32
        )
        self.means_ = np.zeros(len(self.targets))
        self.scored_, self.scores_ = np.zeros(0, dtype=str), np.zeros((0, len(self.targets)), np.float32)
        return self

    def weigh(self, frame: pd.DataFrame) -> sparse.csr_matrix:
        """Return the weighted words, shape (n, buckets of all columns)."""
        pairs = zip(self.idfs_, self.words.counts(frame), strict=True)
        return sparse.hstack([idf.transform(counts).astype(np.float32) for idf, counts in pairs]).tocsr()

    def learn(self, weighted: sparse.csr_matrix, outcomes: NDArray[np.float64]) -> Self:
        """Learn the scores from outcomes of shape (n, targets), NaN where undefined."""
        for position in range(len(self.targets)):
            rows = np.flatnonzero(~np.isnan(outcomes[:, position]))
            if len(rows) < MIN_LABELS:
                continue
            ridge = Ridge(self.penalty, solver="sparse_cg", tol=1e-3)
            ridge.fit(weighted[rows], outcomes[rows, position])
            self.coefficients_[:, position] = ridge.coef_
            self.means_[position] = float((weighted[rows] @ ridge.coef_).mean())
        return self

    def score(self, weighted: sparse.csr_matrix) -> FloatMatrix:
        """Return the scores of weighted words, shape (n, targets)."""
        return (weighted @ self.coefficients_ - self.means_).astype(np.float32)

    def keep(self, items: NDArray[np.object_], scores: FloatMatrix) -> Self:
        """Keep the scores of items, whose names are ``items``, as they were before it learned from them."""
        self.scored_, self.scores_ = items.astype(str), scores
        return self

    def transform(self, frame: pd.DataFrame) -> FloatMatrix:
        """Return the scores of raw items: those kept, or of their words."""
        scores = self.score(self.weigh(frame))
        if len(self.scored_) and "item_id" in frame:
            place = pd.Index(self.scored_).get_indexer(pd.Index(frame["item_id"].astype(str)))
            scores[place >= 0] = self.scores_[place[place >= 0]]
        return scores

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.str_]:
        """Return ``text_score_target`` names."""
        return np.array([f"text_score_{target}" for target in self.targets], dtype=str)

    def sources(self) -> list[str]:
        """Return for every score the text column it is made from: the first of several."""
        return [self.columns[0] for _ in self.targets]


def chained_scores(dataset: Dataset, split: Split, words: TextEncoder) -> tuple[TextScore, FloatMatrix]:
    """Return the scores that serve, and every row's score from what was known before its item began.

    Every timeline is cut at `SHARES` of its training items, at its validation and at its test part; an item
    is scored by what had been learned at the last cut before it. Before the first cut nothing is known: 0, as
    the mean. The scores that serve are those of the test part; of items that were still open then they keep
    what was said before anything was learned from these.

    Parameters
    ----------
    dataset : Dataset
    split : Split
    words : TextEncoder
        How texts are counted.

    Returns
    -------
    TextScore
    ndarray, shape (n, horizons + 1), float32
    """
    item, names = pd.factorize(dataset.items["item_id"])
    # However often an item was observed, its words are read once.
    _, one = np.unique(item, return_index=True)
    start = dataset.first_times()[one]
    text = TextScore(words, [*(f"{days:g}d" for days in dataset.config.horizons_days), HOURS])
    items = dataset.items.iloc[one]
    weighted = text.fit(items[split.rows("train")[one]]).weigh(items)
    scores = np.zeros((len(start), len(text.targets)), dtype=np.float32)
    for cuts in (*cuts_of_training(dataset, split, SHARES), split.validation_cut, split.test_cut):
        known, cut = outcomes_at(dataset, cuts, np.zeros(len(item), dtype=bool)).at(one), cuts[one]
        text.learn(weighted, np.where((start < cut)[:, None], _targets(known, dataset), np.nan))
        later = start >= cut
        scores[later] = text.score(weighted[later])
    # Who is still open is asked about again, and has taught that it is slow.
    is_open = ~known.known & (start < cut)
    return text.keep(np.asarray(names)[is_open], scores[is_open]), scores[item]


def _targets(known: Outcomes, dataset: Dataset) -> NDArray[np.float64]:
    ended = np.where(known.known, np.log1p(known.hours), np.nan)
    return np.stack([*(known.within(days) for days in dataset.config.horizons_days), ended], axis=1)
