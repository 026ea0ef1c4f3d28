"""What a training set can teach, before anything is trained: of each task the labels and the split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.data.dataset import Dataset
from ml.data.parts.splits import PARTS, Split
from ml.tasks import DURATION, RANKER, SCORER, Task
from ml.tasks.duration.task import TrainingConfig
from ml.tasks.scoring.ranker import ranking_target
from ml.tasks.scoring.scorer import binary_target
from ml.tasks.scoring.settings import ScoringConfig, check_classes

Values = NDArray[np.float64]


def outlook(dataset: Dataset, durations: TrainingConfig, scorings: ScoringConfig) -> str:
    """Return as text what the data hold, what can be learned of them, and how that is split.

    Parameters
    ----------
    dataset : Dataset
    durations, scorings : TrainingConfig, ScoringConfig
        Their split is what is shown.
    """
    return "\n".join([*_contents(dataset), "", *_lessons(dataset, durations, scorings)])


def _contents(dataset: Dataset) -> Iterator[str]:
    items, kinds = dataset.items, dataset.kinds()
    begin, end = items["event_at"].min(), items["event_at"].max()
    yield f"domain     {dataset.config.name}"
    span = f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}"
    yield f"items      {items['item_id'].nunique():,} in {len(items):,} rows, {span}"
    yield f"groups     {items['group_id'].nunique():,} of group_id, {items['entity_id'].nunique():,} entities"
    line = dataset.config.timeline
    yield f"timelines  {items[line].nunique():,} of {line}" if line else "timelines  one, common to all items"
    for kind in ("number", "category", "text"):
        names = [name for name, held in kinds.items() if held == kind]
        yield f"{kind:<10} {len(names)} features{': ' if names else ''}{', '.join(names)}"
    yield f"slices     {', '.join(dataset.slices) or 'none: there will be no bias report'}"
    empty = [name for name in dataset.features if items[name].isna().all()]
    same = [n for n in dataset.features if n not in empty and items[n].astype(str).nunique() == 1]
    for what, names in (("without any value", empty), ("always the same", same)):
        if names:
            yield f"useless    {what}: {', '.join(names)}"


def _lessons(dataset: Dataset, durations: TrainingConfig, scorings: ScoringConfig) -> Iterator[str]:
    targets = {DURATION: _hours, SCORER: binary_target, RANKER: ranking_target}
    for task, target_of in targets.items():
        settings = durations if task is DURATION else scorings
        try:
            target = target_of(dataset)
            split = task.split(dataset, settings)
            if task is not DURATION:
                check_classes(target, split.rows("train") & split.known, "training")
                check_classes(target, split.rows("validation") & split.known, "validation")
        except ValueError as error:
            yield f"{task.kind:<10} cannot be learned. {error}"
            continue
        yield f"{task.kind:<10} can be learned: {_said(task, target)}"
        yield from _parts(task, dataset, split, target)


def _hours(dataset: Dataset) -> Values:
    y = dataset.row_labels()["y"].to_numpy(float)
    if set(np.unique(y[~np.isnan(y)])) <= {0.0, 1.0}:
        raise ValueError("The labels are 0 and 1, or none is known, and durations are hours.")
    return y


def _said(task: Task, target: Values) -> str:
    known = target[~np.isnan(target)]
    if task is DURATION:
        low, middle, high = np.quantile(known, [0.1, 0.5, 0.9])
        return (
            f"{len(known):,} of {len(target):,} rows have ended, the others are censored; "
            f"a tenth within {low:,.1f} hours, half within {middle:,.1f}, nine tenths within {high:,.1f}"
        )
    grades = pd.Series(known).value_counts().sort_index()
    return f"{len(known):,} of {len(target):,} rows have a label; " + ", ".join(
        f"{count:,} of {grade:g}" for grade, count in grades.items()
    )


def _parts(task: Task, dataset: Dataset, split: Split, target: Values) -> Iterator[str]:
    counted = "median hours" if task is DURATION else "positive"
    yield f"  {'part':<10} {'from':<10} {'to':<10} {'rows':>9} {'label known':>12} {counted:>13}"
    begun = dataset.items["event_at"]
    for part in PARTS:
        rows = split.rows(part)
        if not rows.any():
            continue
        known = target[rows & split.known]
        what = np.median(known) if task is DURATION else (known > 0).mean()
        yield (
            f"  {part:<10} {begun[rows].min():%Y-%m-%d} {begun[rows].max():%Y-%m-%d} {rows.sum():>9,} "
            f"{len(known):>12,} {what:>13,.3g}"
        )
    yield f"  on {len(np.unique(split.timeline.astype(str))):,} timelines, each with cuts of its own"
