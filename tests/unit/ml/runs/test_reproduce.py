"""A version of every task comes out of its record again, to the bit; what cannot says why."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml.data.dataset import Dataset, snapshot_id_of
from ml.runs.reproduce import reproduce
from ml.runs.train import train_models
from ml.store.files import json_text
from ml.store.run_folder import RunFolder
from ml.tasks import LATE, RANKER, REMAINING, SCORER, Task
from ml.tasks.remaining.settings import RemainingConfig
from ml.tasks.scoring.settings import ScoringConfig
from tests.unit.ml import grouped, lives, synthetic

QUICK = {"params": {"n_estimators": 5}, "replicates": 0}
LANES = '{"name": "machines", "timeline": "slice_hall", "weight_by": "slice_hall"}'
PARCELS = json.dumps({"name": "parcels", "baselines": {"baseline": ["hint", "urgency"]}})


def by_hall() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lives seen once, in groups that do not cross timelines."""
    items, labels = lives.frames(400, ages=(0.0,))
    return items.assign(group_id=items["slice_hall"] + items["group_id"]), labels


MADE: list[tuple[Task, Any, Any, str]] = [
    (SCORER, ScoringConfig(cv_folds=0, **QUICK), grouped.frames, PARCELS),
    (RANKER, ScoringConfig(cv_folds=0, ndcg_at=(3, 7), **QUICK), grouped.frames, PARCELS),
    (LATE, ScoringConfig(cv_folds=0, horizon_days=90, **QUICK), by_hall, LANES),
    (REMAINING, RemainingConfig(seeds=1, origins=2, **QUICK), lambda: lives.frames(800), LANES),
]


@pytest.mark.parametrize(("task", "settings", "frames", "domain"), MADE, ids=[one[0].kind for one in MADE])
def test_it_is_trained_as_the_task_that_it_was(
    task: Task, settings: Any, frames: Any, domain: str, tmp_path: Path
) -> None:
    taken = synthetic.write(tmp_path / "taken", *frames(), domain)
    snapshots = tmp_path / "snapshots"
    snapshots.mkdir()
    folder = taken.rename(snapshots / snapshot_id_of(taken))
    (made,) = train_models(
        Dataset.from_dir(folder), ["own_name"], tmp_path / "models" / "r", settings, task=task
    )
    done = reproduce(made.model_version, tmp_path / "models", snapshots)
    assert done.is_same and done.is_same_code
    # What other code made is no longer told apart: several tasks go by one name.
    run = RunFolder(tmp_path / "models" / "r")
    other = replace(made, key="of other code", git_sha="c0ffee")
    run.write(run.evaluation_file("own_name").name, json_text(other.to_dict()))
    with pytest.raises(ValueError, match="check out commit c0ffee"):
        reproduce(made.model_version, tmp_path / "models", snapshots)
