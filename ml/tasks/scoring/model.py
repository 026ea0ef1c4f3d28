"""A fitted scorer or ranker as it is served: items in, scores, probabilities, order and reasons out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ml.data.dataset import group_names
from ml.encoding.encoders import ItemEncoder
from ml.models.fitted_scorer import FittedScorer
from ml.stats.rank_metrics import rank_in_group
from ml.store.trusted import loadable
from ml.tasks.calibration import ProbabilityCalibration
from ml.tasks.importance import importance_of
from ml.tasks.scoring.choice import ChoiceCalibration

Values = NDArray[np.float64]
REASONS = 5


@loadable
class ScoringModel(BaseEstimator):
    """Encoder, learner and calibration in one.

    Parameters
    ----------
    encoder : ItemEncoder
        Fitted.
    learner : FittedScorer
    calibration : ProbabilityCalibration
        Fitted on the validation part, one column.
    threshold : float
        Probability from which a row counts as positive; chosen on the validation part.
    known_until : dict of str to str
        Of every timeline the time before which labels were used, ISO 8601, UTC; rows from before may have
        been trained on.
    timeline : str or None
        Column that names a row's timeline; None where all rows are on one.
    choice : ChoiceCalibration or None
        Where groups are questions, fitted on the validation part: it gives the probabilities instead.
    """

    def __init__(
        self,
        encoder: ItemEncoder,
        learner: FittedScorer,
        calibration: ProbabilityCalibration,
        threshold: float,
        known_until: dict[str, str],
        timeline: str | None = None,
        choice: ChoiceCalibration | None = None,
    ) -> None:
        self.encoder = encoder
        self.learner = learner
        self.calibration = calibration
        self.threshold = threshold
        self.known_until = known_until
        self.timeline = timeline
        self.choice = choice

    def score_new(
        self, items: pd.DataFrame, top: int = REASONS, reasons_to_rank: int | None = None
    ) -> pd.DataFrame:
        """Score items that began after everything the model learned from.

        Parameters
        ----------
        items : DataFrame
        top : int
            Reasons per item.
        reasons_to_rank : int or None
            Last rank with reasons, which are dear; None for all.

        Returns
        -------
        DataFrame
            ``item_id, group_id, score, probability, rank`` (1 is first in its group) and ``reasons``, in
            the order of ``items``.

        Raises
        ------
        ValueError
            When an item is older than the model's own knowledge, or is there twice.
        """
        old = self.may_know(items)
        if old.any():
            at = int(np.flatnonzero(old)[0])
            raise ValueError(
                f"The item {items['item_id'].iloc[at]!r} is from before {self._known_until(items)[at]}: "
                "the model may have been trained on it; score newer items."
            )
        if items["item_id"].duplicated().any():
            raise ValueError("An item is to be scored twice: keep one row per item.")
        return pd.concat(
            [
                items[["item_id", "group_id"]].reset_index(drop=True),
                self.predict(items, top, reasons_to_rank),
            ],
            axis=1,
        )

    def may_know(self, items: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which items began before the model's knowledge ended: it may have been trained on them."""
        return items["event_at"].to_numpy("datetime64[us]") < self._known_until(items)

    def _known_until(self, items: pd.DataFrame) -> NDArray[np.datetime64]:
        # A timeline that was not there in training has nothing that could have been trained on.
        names = pd.Series(group_names(items, self.timeline))
        return pd.to_datetime(names.map(self.known_until)).to_numpy("datetime64[us]")

    def predict(
        self, items: pd.DataFrame, top: int = REASONS, reasons_to_rank: int | None = None
    ) -> pd.DataFrame:
        """Return ``score, probability, rank`` and ``reasons`` of any items, old ones too, in their order.

        The rank is that among the rows of one group that are given; the rest of a row is its own alone. Of
        questions the probability is a share of its group, too, and ``is_confident`` says whether the first
        row is likely enough to be proposed.
        """
        # Threads would add up products in another order each time: other last digits.
        with threadpool_limits(1, user_api="blas"):
            x = self.encoder.transform(items)
        score = self.score_encoded(x)
        groups = items["group_id"].astype(str).to_numpy(dtype=object)
        # Equal scores are ordered by name, so that the order of the rows decides nothing.
        by_name = np.argsort(items["item_id"].to_numpy(dtype=str), kind="stable")
        rank = np.empty(len(items), dtype=np.int64)
        rank[by_name] = rank_in_group(score[by_name], groups[by_name])
        explained = np.flatnonzero(rank <= (reasons_to_rank or len(items)))
        reasons: pd.Series = pd.Series([[]] * len(items), dtype=object)
        reasons.iloc[explained] = self.reasons_encoded(x[explained], top)
        table = pd.DataFrame(
            {"score": score, "probability": self.probability(score, groups), "rank": rank, "reasons": reasons}
        )
        if self.choice is not None:
            lines = group_names(items, self.timeline)
            table["is_confident"] = self.choice.is_confident(table["probability"].to_numpy(), rank, lines)
        return table

    def score_encoded(self, x: NDArray[np.float32]) -> Values:
        """Return the raw scores, which decide the order."""
        return self.learner.score(x)

    def probability(self, score: Values, groups: NDArray[np.object_]) -> Values:
        """Return calibrated probabilities of raw scores; in a group they never fall as the score grows."""
        if self.choice is not None:
            return self.choice.chances(score, groups)
        return self.calibration.predict(bounded(score))[:, 0] if len(score) else np.zeros(0)

    def importance(self) -> dict[str, float]:
        """Return what the learner relies on; see `ml.tasks.importance`."""
        return importance_of([self.learner], self.encoder.sources())

    def reasons_encoded(self, x: NDArray[np.float32], top: int = REASONS) -> list[list[dict[str, Any]]]:
        """Return for every row the features that move its score most, by the learner's own contributions.

        The parts of one item column (levels, components of a text) are added up first. Each reason is
        ``{"feature", "contribution"}``; a positive contribution raises the score. A learner that knows no
        contributions gives no reasons.
        """
        parts = self.learner.contributions(x) if len(x) and top else None
        if parts is None:
            return [[] for _ in range(len(x))]
        sources = self.encoder.sources()
        names = sorted(set(sources))
        member = np.zeros((len(sources), len(names)))
        member[np.arange(len(sources)), [names.index(name) for name in sources]] = 1.0
        totals = parts @ member
        strongest = np.argsort(-np.abs(totals), axis=1, kind="stable")[:, :top]
        return [
            [{"feature": names[k], "contribution": round(float(totals[row, k]), 6)} for k in chosen]
            for row, chosen in enumerate(strongest)
        ]


def bounded(score: Values) -> Values:
    """Return raw scores between 0 and 1, as a column: what the calibration reads."""
    return (1.0 / (1.0 + np.exp(-np.clip(score, -40.0, 40.0))))[:, None]
