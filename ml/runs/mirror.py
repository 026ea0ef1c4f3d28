"""A mirror of the promotions in an MLflow registry, for those who look there: nothing is ever read back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ml.store.promotions import Promotion, Promotions, kept_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
# Marks a model version in MLflow by the version that the journal knows.
_VERSION = "fairtriage.version"
_SPLITS = ("origins", "validation", "test")


def mirror(runs_dir: str | Path, tracking_uri: str) -> int:
    """Bring every promoted version into MLflow that is not there, and point the alias at the champion.

    A version is a run with parameters, figures, and the files that were kept, in the experiment
    ``fairtriage.{domain}``, and a version of the registered model ``fairtriage.{domain}.{task}``.

    Parameters
    ----------
    runs_dir : path
        Folder of all runs, with the journal.
    tracking_uri : str
        As MLflow takes it; user and password belong into MLflow's own variables.

    Returns
    -------
    int
        Versions that were added.

    Raises
    ------
    ValueError
        MLflow is not installed.
    """
    try:
        from mlflow import MlflowClient
    except ImportError:
        raise ValueError(
            "The registry shall be mirrored to MLflow, which is not installed: run `make setup-mlflow`, or "
            "leave MLFLOW_TRACKING_URI empty."
        ) from None

    client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
    journal, added = Promotions(runs_dir), 0
    for domain, task in sorted({(one.domain, one.task) for one in journal.all()}):
        name = f"fairtriage.{domain}.{task}"
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(
                name, description="Champions of fairtriage, the newest one served."
            )
        there = {
            one.tags[_VERSION]: one.version
            for one in client.search_model_versions(f"name = '{name}'")
            if _VERSION in one.tags
        }
        history = journal.of(domain, task)
        for one in history:
            if one.to_version not in there:
                there[one.to_version] = _add(client, name, one, Path(runs_dir), _beside(tracking_uri))
                added += 1
        client.set_registered_model_alias(name, CHAMPION, there[history[-1].to_version])
    return added


def _add(client: MlflowClient, name: str, promotion: Promotion, runs_dir: Path, files: str | None) -> str:
    """Make the run and the model version of a promotion; the version's number."""
    from mlflow.entities import Metric, Param, RunTag

    folder = kept_folder(runs_dir, promotion.to_version)
    (evaluation,) = folder.evaluations()
    title = f"fairtriage.{promotion.domain}"
    experiment = client.get_experiment_by_name(title)
    home = (
        experiment.experiment_id if experiment else client.create_experiment(title, artifact_location=files)
    )
    tags = {
        _VERSION: promotion.to_version,
        "run": promotion.run_id,
        "snapshot": promotion.snapshot_id,
        "git_sha": evaluation.git_sha or "unknown",
        "promoted_at": promotion.promoted_at,
        "who": promotion.who,
        "why": promotion.why,
        "gate": promotion.gate,
    }
    run = client.create_run(home, run_name=promotion.to_version).info
    status = "FAILED"
    try:
        client.log_batch(
            run.run_id,
            metrics=[Metric(key, value, run.start_time, 0) for key, value in _figures(evaluation.metrics)],
            params=[Param(key, str(value)) for key, value in evaluation.params.items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )
        client.log_artifacts(run.run_id, str(folder.path))
        made = client.create_model_version(
            name, run.artifact_uri, run.run_id, tags=tags, description=promotion.why
        )
        status = "FINISHED"
    finally:
        client.set_terminated(run.run_id, status)
    return str(made.version)


def _figures(metrics: Sequence[Any]) -> list[tuple[str, float]]:
    """Figures of whole parts, by names that MLflow takes; those of single groups are in the files."""
    return [
        (f"{one.split}/{one.metric.replace('@', '_at_')}", float(one.value))
        for one in metrics
        if one.split in _SPLITS and one.value is not None and ":" not in one.metric
    ]


def _beside(tracking_uri: str) -> str | None:
    """Where files go of a registry that is a local database: beside it; else MLflow knows."""
    parts = urlsplit(tracking_uri)
    return Path(parts.path).with_name("mlartifacts").as_uri() if parts.scheme == "sqlite" else None
