"""Data too small or too much alike to learn from: a model, or a sentence of ours; never a library's error."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ml
from ml.data.dataset import Dataset
from ml.data.domain import DomainConfig
from ml.encoding.matrix import PreprocessingConfig
from ml.models import find, names
from ml.runs.train import train_models
from ml.tasks import DURATION, LATE, RANKER, SCORER, Task
from ml.tasks.duration.task import TrainingConfig
from ml.tasks.scoring.settings import ScoringConfig
from tests.unit.ml import grouped, synthetic

Frames = tuple[pd.DataFrame, pd.DataFrame]


def one_group(frames: Frames) -> Frames:
    return frames[0].assign(group_id="all"), frames[1]


def one_class(frames: Frames) -> Frames:
    labels = frames[1].copy()
    labels["y"] = labels["y"].where(labels["y"].isna(), 1.0)
    labels["relevance"] = 1
    return frames[0], labels


def one_positive(frames: Frames) -> Frames:
    labels = frames[1].copy()
    labels["y"] = labels["y"].where(labels["y"].isna(), (labels.index == labels.index[-1]).astype(float))
    labels["relevance"] = (labels.index == labels.index[-1]).astype(int)
    return frames[0], labels


def at_once(frames: Frames) -> Frames:
    items, labels = frames
    moment = items["event_at"].min()
    return items.assign(event_at=moment), labels.assign(
        labelled_at=(moment + pd.Timedelta(hours=1)) if labels["y"].notna().all() else labels["labelled_at"]
    )


def constant_features(frames: Frames) -> Frames:
    items = frames[0].copy()
    for column in items.columns[4:]:
        items[column] = items[column].iloc[0]
    return items, frames[1]


def no_values(frames: Frames) -> Frames:
    items = frames[0].copy()
    for column in items.columns[4:]:
        items[column] = None
    return items, frames[1]


def all_censored(frames: Frames) -> Frames:
    return frames[0], frames[1].assign(is_censored=True, y=np.nan, labelled_at=pd.NaT)


def as_they_are(frames: Frames) -> Frames:
    return frames


CHANGES = [
    as_they_are, one_group, one_class, one_positive, at_once, constant_features, no_values, all_censored,
]  # fmt: skip
SIZES = [1, 2, 3, 12, 60, 482]
SMALL = PreprocessingConfig(text_buckets=256, text_components=4, text_score=True)
QUICK = {"params": {"n_estimators": 5}, "replicates": 20}
TASKS = [
    (DURATION, TrainingConfig(trials=1, replicates=20, preprocessing=SMALL)),
    (LATE, ScoringConfig(horizon_days=7, **QUICK)),
    (SCORER, ScoringConfig(**QUICK)),
    (SCORER, ScoringConfig(validation_groups=1, test_groups=1, **QUICK)),
    (RANKER, ScoringConfig(validation_groups=1, test_groups=1, **QUICK)),
    (RANKER, ScoringConfig(cv_folds=0, **QUICK)),
]


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family takes no `params` of a run, and it is not the number of its trees that small data break."""
    for spec in map(find, names()):
        for settings in (spec.defaults, spec.timing):
            if "n_estimators" in settings:
                monkeypatch.setitem(settings, "n_estimators", 4)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("size", SIZES)
def test_small_data_give_a_model_or_a_sentence(tmp_path: Path, size: int, change: object) -> None:
    hours, classes = synthetic.frames(482), grouped.frames(n_groups=22, size=22)
    failures = []
    for number, (task, settings) in enumerate(TASKS):
        source = hours if task in (DURATION, LATE) else classes
        for timeline in (None, "slice_depot") if source is hours else (None,):
            items, labels = change(tuple(frame.head(size) for frame in source))
            folder = tmp_path / f"{number}{timeline}"
            if (said := _library_error(items, labels, timeline, task, settings, folder)) is not None:
                failures.append((task.kind, timeline, said))
    assert not failures


def _library_error(
    items: pd.DataFrame,
    labels: pd.DataFrame,
    timeline: str | None,
    task: Task,
    settings: object,
    folder: Path,
) -> str | None:
    """The error of a training that is not a sentence of ours."""
    try:
        data = Dataset(items, labels, replace(DomainConfig(), timeline=timeline))
        models = names() if task is DURATION else [task.kind]
        train_models(data, models, folder, settings, task=task)
    except Exception as error:
        raised_at = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
        is_ours = isinstance(error, ValueError) and Path(ml.__file__).parent in raised_at.parents
        is_sentence = str(error).rstrip().endswith((".", "?")) and "\n" not in str(error)
        return None if is_ours and is_sentence else "".join(traceback.format_exception(error)[-3:])
    return None
