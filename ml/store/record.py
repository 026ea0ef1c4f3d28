"""The record of a trained model: what ``eval_{model}.json`` holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ml.stats.figure import Metric
from ml.store.files import json_text, sha256_of

# The record's own hash, beside its fields.
SEAL = "sha256"


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
    metrics : list of Metric
    seconds : dict of str to float
        By stage of the training.
    started_at, finished_at : str
        ISO times, UTC.
    git_sha : str or None
    engine : str
        What trained it, such as "local".
    status : str
    model_version : str
        The model's name and a hash of what it learned from and what it answers; given on saving, as is
    files : dict of str to str
        the SHA-256 of each of its files, by name.
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
    metrics: list[Metric]
    seconds: dict[str, float]
    started_at: str
    finished_at: str
    git_sha: str | None = None
    engine: str = "local"
    status: str = "succeeded"
    model_version: str = ""
    files: dict[str, str] = field(default_factory=dict)

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
        return cls(**{**content, "metrics": [Metric(**metric) for metric in content["metrics"]]})


def _hash_of(content: Mapping[str, Any]) -> str:
    return sha256_of(json_text(dict(content)).encode())
