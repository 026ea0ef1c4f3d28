"""What a scorer or ranker was worth at earlier cuts: fitted on the past, judged by what came next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.parts.folds import forward_cuts
from ml.data.parts.splits import Split
from ml.models import Params, ScoringFamily
from ml.stats.figure import Figure
from ml.tasks.over_origins import ORIGIN, over_origins
from ml.tasks.scoring.figures import ScoredRows, scoring_metrics
from ml.tasks.scoring.rows import encoded_rows
from ml.tasks.scoring.settings import ScoringConfig

Values = NDArray[np.float64]


def figures_at_cuts(
    dataset: Dataset,
    split: Split,
    target: Values,
    family: ScoringFamily,
    params: Params,
    baselines: Mapping[str, Values],
    config: ScoringConfig,
) -> list[Figure]:
    """Return the figures of the order at every cut, as parts ``origin_1``, …, and their mean as ``origins``.

    Each cut has an encoder and a fit of its own; only the parameters, with the number of rounds, are those
    of the whole. The interval of the mean is that which the spread over the cuts gives.
    """
    figures: list[Figure] = []
    number, alone = 0, replace(config, replicates=0)
    for cut in forward_cuts(dataset, split, config.forward_cuts):
        if any(len(np.unique(target[rows] > 0)) < 2 for rows in (cut.fit, cut.score)):
            continue
        number += 1
        past = np.isin(np.arange(len(target)), cut.fit)
        _, rows = encoded_rows(dataset, target, family, config.seed, past)
        seen = rows.at(cut.score)
        scored = ScoredRows(
            relevance=seen.y,
            score=family.fit(rows.at(cut.fit), params, config.seed, None).score(seen.x),
            probability=None,
            baselines={name: values[cut.score] for name, values in baselines.items()},
            groups=seen.groups,
            clusters=seen.groups,
        )
        questions = dataset.config.groups_are_questions
        figures += scoring_metrics(scored, f"{ORIGIN}{number}", 0.0, alone, questions)
    return [*figures, *over_origins(figures)]
