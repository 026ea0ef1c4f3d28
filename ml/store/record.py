"""The record of a trained model: what ``eval_{model}.json`` holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ml.stats.figure import Metric


@dataclass(frozen=True)
class Evaluation:
    """Everything that is known of one trained model; the content of ``eval_{model}.json``."""

    model_version: str
    run_id: str
    domain: str
    task: str
    model: str
    snapshot_id: str
    config_hash: str
    seed: int
    params: dict[str, Any]
    feature_list: list[str]
    best_iteration: int | None
    metrics: list[Metric]
    files: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def value(self, split: str, metric: str) -> float | None:
        """Return one figure, None when it was not computed."""
        found = [x.value for x in self.metrics if x.split == split and x.metric == metric]
        return found[0] if found else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Evaluation:
        """Read back what `to_dict` wrote."""
        return cls(**{**values, "metrics": [Metric(**metric) for metric in values["metrics"]]})
