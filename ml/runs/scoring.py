"""The files of a trained scorer or ranker: LightGBM text with a JSON report, or a run folder."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from ml.data.dataset import Dataset
from ml.stats.figure import Metric
from ml.store.files import json_text, write_atomically
from ml.store.key import key_of
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder, now
from ml.tasks.scoring import ScoringConfig
from ml.tasks.task import Task, Trained


def write_model(path: Path, trained: Trained) -> Path:
    """Write the learner's native file to ``path`` and the report beside it; return the report's path."""
    beside = path.with_suffix(".json")
    if path == beside:
        raise ValueError(f"{path} would be overwritten by its own report: name the model FILE.txt.")
    if trained.native is None:
        raise ValueError(f"The family {trained.model!r} has no file of its own: train it into a run folder.")
    write_atomically(path, trained.native[1])
    write_atomically(beside, json_text(trained.report))
    return beside


def train_into_folder(
    dataset: Dataset,
    task: Task,
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
        trained = task.train(dataset, config)
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
        return run.save(record, trained.estimator, trained.predictions, trained.native, trained.report)


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
