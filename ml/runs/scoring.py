"""The files of a trained scorer or ranker: LightGBM text with a JSON report, or a run folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from ml.data.dataset import Dataset
from ml.stats.figure import Metric
from ml.store.files import json_text, write_atomically
from ml.store.key import key_of
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder, now
from ml.tasks.scoring import ScoringConfig, ScoringTask, TrainedScoring, train_scoring

REPORTED = {"auc": "auc", "precision": "precision", "recall": "recall", "f1": "f1"}


def report(trained: TrainedScoring, dataset: Dataset, config: ScoringConfig) -> dict[str, Any]:
    """Return the report of one training, as plain values for JSON.

    The keys ``test_*``, ``best_iteration``, ``num_features`` and ``cv_*`` are flat; ``metrics`` has every
    figure with its interval over groups. A figure that is not defined is null.
    """
    found = {m.metric: m.value for m in trained.metrics if m.split == "test"}
    scores = [score for score in trained.cv_scores if score is not None]
    mean = sum(scores) / len(scores) if scores else None
    deviation = (
        (sum((score - mean) ** 2 for score in scores) / len(scores)) ** 0.5 if mean is not None else None
    )
    metric = config.eval_metric or trained.task.eval_metric
    flat: dict[str, Any] = {f"test_{key}": found.get(name) for key, name in REPORTED.items()}
    for k in config.ndcg_at:
        flat[f"test_ndcg@{k}"] = found.get(f"ndcg@{k}")
    return {
        **flat,
        "task": trained.task.name,
        "domain": dataset.config.name,
        "snapshot_id": dataset.snapshot_id,
        "best_iteration": trained.best_iteration,
        "num_features": len(trained.feature_list),
        f"cv_{metric}_mean": mean,
        f"cv_{metric}_std": deviation,
        "cv_scores": trained.cv_scores,
        "threshold": trained.model.threshold,
        "known_until": trained.model.known_until,
        "params": trained.params,
        "feature_list": trained.feature_list,
        "seed": config.seed,
        "metrics": [vars(m) for m in trained.metrics],
    }


def write_model(path: Path, trained: TrainedScoring, dataset: Dataset, config: ScoringConfig) -> Path:
    """Write the booster's text to ``path`` and the report beside it; return the report's path."""
    beside = path.with_suffix(".json")
    if path == beside:
        raise ValueError(f"{path} would be overwritten by its own report: name the model FILE.txt.")
    write_atomically(path, trained.model.booster_text)
    write_atomically(beside, json_text(report(trained, dataset, config)))
    return beside


def train_into_folder(
    dataset: Dataset,
    task: ScoringTask,
    name: str,
    folder: Path,
    config: ScoringConfig,
    *,
    git_sha: str | None = None,
    engine: str = "local",
) -> Evaluation:
    """Train the model ``name`` into a run folder, unless it is there for this data and configuration.

    Writes ``{name}.txt``, ``{name}.skops``, ``report_{name}.json``, ``predictions_{name}.parquet`` and, last,
    ``eval_{name}.json``.
    """
    run = RunFolder(folder)
    key = key_of(data=dataset.snapshot_id, task=task.name, model=name, settings=asdict(config))
    with run.at_work():
        current = run.current(name, key)
        if current is not None:
            return current
        begun = now()
        trained = train_scoring(dataset, task, config)
        record = Evaluation(
            run_id=run.run_id,
            domain=dataset.config.name,
            task=task.name,
            model=name,
            snapshot_id=dataset.snapshot_id,
            key=key,
            seed=config.seed,
            settings=asdict(config),
            params=trained.params,
            feature_list=trained.feature_list,
            best_iteration=trained.best_iteration,
            metrics=trained.metrics,
            seconds=trained.seconds,
            started_at=begun,
            finished_at=now(),
            git_sha=git_sha,
            engine=engine,
        )
        native = (".txt", trained.model.booster_text.encode())
        return run.save(record, trained.model, trained.predictions, native, report(trained, dataset, config))


def figures_text(metrics: list[Metric], split: str = "test") -> str:
    """Return the figures of a part as lines of text, each beside its interval and its baselines."""
    values = {m.metric: m for m in metrics if m.split == split}
    gains = [name.split("_gain_vs_")[1] for name in values if "_gain_vs_" in name]
    baselines = list(dict.fromkeys(gains))
    width = max([8, *map(len, baselines)])
    head = f"{'metric':<20} {'value':>8}  {'95 % interval':>17}"
    lines = ["  ".join([head, *(f"{name:>{width}}" for name in baselines)])]
    for name, figure in values.items():
        if "_gain_vs_" in name or any(name.endswith(f"_{baseline}") for baseline in baselines):
            continue
        interval = f"{_number(figure.ci_low)} to {_number(figure.ci_high)}"
        line = [f"{name:<20} {_number(figure.value):>8}  {interval:>17}"]
        for baseline in baselines:
            beside = values.get(f"{name}_{baseline}")
            line.append(f"{_number(beside.value if beside else None):>{width}}")
        lines.append("  ".join(line))
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
