"""The record of a trained model: what ``eval_{model}.json`` holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ml.errors import DamagedFileError
from ml.stats.figure import Figure, HorizonFigure
from ml.store.files import json_text, sha256_of

# The record's own hash, beside its fields.
SEAL = "sha256"
RUN_COLUMNS = (
    "run_id", "domain", "snapshot_id", "started_at", "finished_at", "git_sha", "engine", "seed", "status",
)  # fmt: skip


@dataclass(frozen=True)
class Evaluation:
    """Everything that is known of one trained model; the content of ``eval_{model}.json``.

    Parameters
    ----------
    run_id, domain, task, model, snapshot_id : str
    key : str
        Hash of everything that decides the result: see `ml.store.key.key_of`.
    seed : int
    settings : dict
        What it was trained with, as far as that is not in ``params``.
    params : dict
        Of the model family.
    feature_list : list of str
    best_iteration : int or None
    metrics : list of Figure
    seconds : dict of str to float
        By stage of the training.
    started_at, finished_at : str
        ISO times, UTC.
    git_sha : str or None
    engine : str
        What started the run, such as "local".
    fitted_by : str
        What spread the rows of its fits over a cluster; empty where each fit had all of them in one process.
    status : str
    model_version : str
        The model's name and a hash of what it learned from and what it answers; given on saving, as is
    files : dict of str to str
        the SHA-256 of each of its files, by name.
    horizon_metrics : list of HorizonFigure
        Of a model that says something of every age and horizon.
    learning_curve : list of float
        How good it was after every round, by what stops it.
    importance : dict of str to float
        Share of the features in what the learner gained.
    """

    run_id: str
    domain: str
    task: str
    model: str
    snapshot_id: str
    key: str
    seed: int
    settings: dict[str, Any]
    params: dict[str, Any]
    feature_list: list[str]
    best_iteration: int | None
    metrics: list[Figure]
    seconds: dict[str, float]
    started_at: str
    finished_at: str
    git_sha: str | None = None
    engine: str = "local"
    fitted_by: str = ""
    status: str = "succeeded"
    model_version: str = ""
    files: dict[str, str] = field(default_factory=dict)
    horizon_metrics: list[HorizonFigure] = field(default_factory=list)
    learning_curve: list[float] = field(default_factory=list)
    importance: dict[str, float] = field(default_factory=dict)

    def value(self, split: str, metric: str) -> float | None:
        """Return one figure, None when it was not computed."""
        found = [x.value for x in self.metrics if x.split == split and x.metric == metric]
        return found[0] if found else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, with their own hash."""
        content = asdict(self)
        return {**content, SEAL: _hash_of(content)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Evaluation:
        """Read back what `to_dict` wrote; ValueError when it was changed since."""
        content = {name: value for name, value in values.items() if name != SEAL}
        if values[SEAL] != _hash_of(content):
            raise ValueError("its hash is another")
        content["metrics"] = [Figure(**metric) for metric in content["metrics"]]
        content["horizon_metrics"] = [HorizonFigure(**one) for one in content.get("horizon_metrics", [])]
        return cls(**content)


def read_evaluation(path: Path) -> Evaluation:
    """Read the record in a file; `DamagedFileError` when it is not what was written."""
    try:
        return Evaluation.from_dict(json.loads(path.read_bytes()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFileError(
            f"{path} is damaged or of another version ({error}): remove it and train the model again."
        ) from error


def runs_of(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return one row of ``ml.runs`` per run and domain: begun with its first model, else as its newest."""
    rows = []
    for run_id, domain in sorted({(one.run_id, one.domain) for one in evaluations}):
        own = [one for one in evaluations if (one.run_id, one.domain) == (run_id, domain)]
        newest = max(own, key=lambda one: one.finished_at)
        row = {name: getattr(newest, name) for name in RUN_COLUMNS}
        rows.append({**row, "started_at": min(one.started_at for one in own)})
    return rows


def now() -> str:
    """The present time as records hold it: ISO, UTC."""
    return datetime.now(UTC).isoformat()


def _hash_of(content: Mapping[str, Any]) -> str:
    return sha256_of(json_text(dict(content)).encode())
