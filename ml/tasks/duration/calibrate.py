"""From fitted heads to models: levels of the chances and widths of the hours, learned at earlier origins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.outcomes import Outcomes
from ml.data.parts.origins import Origin
from ml.stats.intervals import MIN_CLUSTERS
from ml.tasks.calibration import LevelCalibration, ResidualIntervals, clearly_better
from ml.tasks.duration.fit import Heads, Workbench
from ml.tasks.duration.model import DurationModel


@dataclass(frozen=True, eq=False)
class Said:
    """What the heads of an origin say of the k rows that it scores, which they never saw.

    Asked once: every model is calibrated by what was said at all the origins before it.

    Parameters
    ----------
    origin : Origin
    score : ndarray, shape (k, horizons)
    logs : ndarray, shape (k,)
        Predicted log1p(hours).
    """

    origin: Origin
    score: NDArray[np.float64]
    logs: NDArray[np.float64]


def calibrated(
    bench: Workbench, encoder: Any, fits: Sequence[tuple[Origin, Heads]], final: Heads
) -> tuple[list[tuple[Origin, pd.DataFrame]], DurationModel]:
    """Return what the origins predict for their rows, the validation part the last, and the final model.

    A model is calibrated by what the earlier origins scored, with what was known at its own cut: by rows that
    none of those heads ever saw.
    """
    said = [Said(origin, *heads.answer(bench.x[origin.score])) for origin, heads in fits]
    tables = []
    for number, (origin, heads) in enumerate(fits):
        model = _model(bench, encoder, said[:number] or said[:1], origin.learned, heads, bool(number))
        tables.append((origin, model.table(said[number].score, said[number].logs)))
    before_test = bench.split.outcomes_for_refit(bench.dataset)
    return tables, _model(bench, encoder, said, before_test, final, is_judged=True)


def _model(
    bench: Workbench, encoder: Any, earlier: Sequence[Said], known: Outcomes, heads: Heads, is_judged: bool
) -> DurationModel:
    if not is_judged:
        # No origin lies before: widths are learned from the part itself, levels not at all.
        known = bench.split.outcomes_for_refit(bench.dataset)
    levels = level_calibration(bench, earlier, known)
    if not is_judged:
        levels.limit(np.zeros(len(bench.horizons)))
    return DurationModel(
        encoder,
        heads.regressor,
        heads.timing,
        residual_intervals(bench, earlier, known),
        levels,
        heads.log_limit,
        heads.timing_share,
    )


def residual_intervals(bench: Workbench, said: Sequence[Said], known: Outcomes) -> ResidualIntervals:
    """Learn the interval around the hours from what the origins scored and is known."""
    logs, truth, weight = [], [], []
    for one in said:
        rows = np.flatnonzero(one.origin.score & known.known)
        logs.append(one.logs[known.known[one.origin.score]])
        truth.append(np.log1p(known.hours[rows]))
        weight.append(bench.censoring_weights(one.origin.score, known)[rows])
    return ResidualIntervals().fit(*(np.concatenate(part) for part in (logs, truth, weight)))


def level_calibration(bench: Workbench, said: Sequence[Said], known: Outcomes) -> LevelCalibration:
    """Learn a level per horizon from all origins; kept where those learned before helped on later origins.

    No level is moved further than was tried on a later origin with clusters enough to judge by.
    """
    labels = bench.within(known)
    scored = [(one.origin, one.score, labels[one.origin.score]) for one in said]
    gains: list[list[np.ndarray]] = [[] for _ in bench.horizons]
    clusters: list[list[np.ndarray]] = [[] for _ in bench.horizons]
    tried = np.zeros(len(bench.horizons))
    # What moves is a timeline's level; one timeline alone is taken apart by its groups.
    name = bench.split.timeline
    if len(np.unique(name.astype(str))) < MIN_CLUSTERS:
        name = bench.dataset.groups("group_id")
    for later in range(1, len(scored)):
        origin, score, label = scored[later]
        seen = bench.within(origin.learned)
        learned = LevelCalibration().fit(
            np.concatenate([s for _, s, _ in scored[:later]]),
            np.concatenate([seen[o.score] for o, _, _ in scored[:later]]),
        )
        plain, moved = np.clip(score, 0.0, 1.0), learned.separately(score)
        gain = (plain - label) ** 2 - (moved - label) ** 2
        for column, shift in enumerate(learned.shifts_):
            seen_later = ~np.isnan(label[:, column])
            names = name[origin.score][seen_later]
            if shift and len(np.unique(names.astype(str))) >= MIN_CLUSTERS:
                gains[column].append(gain[seen_later, column])
                clusters[column].append(names)
                tried[column] = max(tried[column], abs(shift))
    helped = [
        bool(gain) and clearly_better(np.concatenate(gain), np.concatenate(own))
        for gain, own in zip(gains, clusters, strict=True)
    ]
    level = LevelCalibration().fit(
        np.concatenate([s for _, s, _ in scored]), np.concatenate([y for _, _, y in scored])
    )
    return level.limit(np.where(helped, tried, 0.0))
