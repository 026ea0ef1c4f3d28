"""Alerts after dbt: snapshots, scorer, ranker, cluster scorer, tuned parameters, newest batch's scores."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from orchestration.alert_results import load_scores, score_newest_batch
from orchestration.defs.resources import Project
from orchestration.feature_store import current_snapshot, feature_views, register_features, take_snapshot
from orchestration.results import load_training
from orchestration.settings import DBT_MANIFEST

if TYPE_CHECKING:
    from ml.evaluation import Evaluation
    from ml.scoring import ScoringConfig, ScoringTask

RULE_ORDER = {"baseline": ["rule_confidence", "severity_rank"]}
ALERTS = {"name": "alerts", "baselines": RULE_ORDER}
CLUSTERS = {"name": "alert_clusters", "baselines": RULE_ORDER}
# Asset name: domain, and the type that the tuner knows it by.
MODELS = {
    "alert_scorer": ("alerts", "scorer"),
    "alert_ranker": ("alerts", "ranker"),
    "alert_cluster_scorer": ("alert_clusters", "cluster"),
}
SNAPSHOTS = {"alerts": "alert_snapshot", "alert_clusters": "alert_cluster_snapshot"}


class ScoringRun(dg.Config):
    """How a scorer or ranker is trained; scores are of the models trained with the same fields."""

    validation_groups: float = Field(default=0.22, description="Batches for validation; below 1, a share.")
    test_groups: float = Field(default=0.27, description="Batches for the test; below 1, a share.")
    cv_folds: int = Field(default=5, ge=0, description="Stratified folds of batches; 0 for none.")
    use_tuned: bool = Field(default=False, description="Take the best parameters of `tuned_parameters`.")
    seed: int = Field(default=0, ge=0)


class Tuning(dg.Config):
    """The budget of a search."""

    trials: int = Field(default=20, ge=1, description="Trials in all; those of earlier runs count.")
    seed: int = Field(default=0, ge=0)


class Serving(ScoringRun):
    """Which models score, and how many alerts of a batch are reviewed."""

    review_cut: int = Field(default=20, ge=1, description="Critical alerts are never ranked below this.")


def snapshot_asset(name: str, train: str, label: str, domain: dict[str, Any]) -> dg.AssetsDefinition:
    """The asset that freezes one training relation and its labels."""

    @dg.asset(
        name=name,
        deps=[train, label],
        group_name="training",
        kinds={"parquet"},
        description=f"The training relation {train} and its labels as Parquet, named by content hash.",
    )
    def snapshot(project: Project) -> dg.MaterializeResult:
        manifest = json.loads(DBT_MANIFEST.read_text())
        with project.database() as database:
            register_features(database, feature_views(manifest))
            taken = take_snapshot(
                database,
                project.settings().snapshots_dir,
                train=train,
                label=label,
                domain=domain,
                git_sha=project.git_sha(),
            )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": taken.rows,
                "features": taken.n_features,
                "snapshot_id": taken.snapshot_id,
                "is_new": taken.is_new,
                "path": dg.MetadataValue.path(str(taken.path)),
            }
        )

    return snapshot


def task_for(name: str) -> "ScoringTask":
    """The harness's task of a model."""
    from ml.search_objectives import SCORING

    return SCORING[MODELS[name][1]]


def scoring_config(run: ScoringRun, tuned: Path) -> "ScoringConfig":
    """The harness's settings for a run's configuration; `tuned` is read only when the run says so."""
    from ml.commands_ranking import read_config

    return read_config(
        tuned if run.use_tuned else None,
        validation_groups=run.validation_groups,
        test_groups=run.test_groups,
        cv_folds=run.cv_folds,
        seed=run.seed,
    )


def train_or_read(project: Project, run: ScoringRun, name: str) -> tuple[Path, "Evaluation"]:
    """Train a model on its domain's newest snapshot unless it is up to date; its folder and evaluation."""
    from ml.artifacts import sha256_of
    from ml.dataset import Dataset
    from ml.scoring_files import train_into_folder

    settings = project.settings()
    domain = MODELS[name][0]
    dataset = Dataset.from_dir(current_snapshot(settings.snapshots_dir, domain))
    config = scoring_config(run, tuned_file(settings.runs_dir, name))
    settings_hash = ScoringRun(**{k: getattr(run, k) for k in ScoringRun.model_fields}).model_dump_json()
    folder = settings.runs_dir / f"{domain}-{dataset.snapshot_id[:8]}-{sha256_of(settings_hash.encode())[:6]}"
    evaluation = train_into_folder(
        dataset, task_for(name), name, folder, config, git_sha=project.git_sha(), engine="dagster"
    )
    return folder, evaluation


def tuned_file(runs_dir: Path, name: str) -> Path:
    """Where `tuned_parameters` of a model are written."""
    return runs_dir / "tuned" / name / "best_params.yaml"


def scoring_model_asset(name: str) -> dg.AssetsDefinition:
    """The asset that trains one of the alerts' models."""
    domain, kind = MODELS[name]

    @dg.asset(
        key=["models", name],
        deps=[SNAPSHOTS[domain]],
        group_name="models",
        description=f"The {kind} of {domain.replace('_', ' ')}, trained on the newest snapshot.",
    )
    def trained(config: ScoringRun, project: Project) -> dg.MaterializeResult:
        from ml.scoring_files import figures_text

        folder, evaluation = train_or_read(project, config, name)
        shown = ("auc", "average_precision", "precision@20", "review_share_80", "ndcg@10")
        return dg.MaterializeResult(
            metadata={
                **{metric.replace("@", "_at_"): evaluation.value("test", metric) for metric in shown},
                "best_iteration": evaluation.best_iteration,
                "figures": dg.MetadataValue.md(f"```\n{figures_text(evaluation.metrics)}\n```"),
                "params": dg.MetadataValue.json(evaluation.params),
                "model_version": evaluation.model_version,
                "run_folder": dg.MetadataValue.path(str(folder)),
            }
        )

    return trained


def tuned_parameters_asset(name: str) -> dg.AssetsDefinition:
    """The asset that searches for one model's parameters; an interrupted search goes on."""
    domain, kind = MODELS[name]

    @dg.asset(
        key=["tuned_parameters", name],
        deps=[SNAPSHOTS[domain]],
        group_name="tuning",
        description=f"Best parameters of {name} by rolling folds before the test part.",
    )
    def tuned(context: dg.AssetExecutionContext, config: Tuning, project: Project) -> dg.MaterializeResult:
        from ml.artifacts import write_atomically
        from ml.parameter_search import search
        from ml.search_objectives import SearchRequest

        settings = project.settings()
        output = tuned_file(settings.runs_dir, name)
        own = scoring_config(ScoringRun(seed=config.seed), output)
        request = SearchRequest(kind, current_snapshot(settings.snapshots_dir, domain), config.seed, own)
        result = search(
            request,
            config.trials,
            output.with_suffix(".journal"),
            progress=lambda done, trials: context.log.debug("%d of %d trials", done, trials),
            plots_dir=output.parent / "plots",
        )
        write_atomically(output, result.to_yaml())
        return dg.MaterializeResult(
            metadata={
                "best_value": result.best_value,
                "trials": result.trials,
                "best_params": dg.MetadataValue.json(result.best_params),
                "path": dg.MetadataValue.path(str(output)),
            }
        )

    return tuned


@dg.asset(deps=[["models", name] for name in MODELS], group_name="selection", kinds={"duckdb"})
def alert_scores(config: Serving, project: Project) -> dg.MaterializeResult:
    """Every alert of the newest batch, scored once: probability, reasons, rank and model versions."""
    from ml.artifacts import load_model
    from ml.dataset import Dataset

    found = {name: train_or_read(project, config, name) for name in MODELS}
    (folder, scorer), (_, ranker) = found["alert_scorer"], found["alert_ranker"]
    items = Dataset.from_dir(current_snapshot(project.settings().snapshots_dir, "alerts")).items
    scores = score_newest_batch(
        items,
        load_model(folder, "alert_scorer"),
        load_model(folder, "alert_ranker"),
        (scorer.model_version, ranker.model_version),
        config.review_cut,
    )
    with project.database() as database:
        load_training(database, folder, ["alert_scorer", "alert_ranker"])
        load_training(database, found["alert_cluster_scorer"][0], ["alert_cluster_scorer"])
        load_scores(database, scores)
    project.publish()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(scores),
            "batch": str(scores["batch_id"].iloc[0]),
            "flagged": int(scores["is_flagged"].sum()),
            "held_above_cut": int(scores["is_held_above_cut"].sum()),
            "model_version": scorer.model_version,
        }
    )


alert_snapshots = [
    snapshot_asset("alert_snapshot", "train_alerts", "label_alerts", ALERTS),
    snapshot_asset("alert_cluster_snapshot", "train_alert_clusters", "label_alert_clusters", CLUSTERS),
]
alert_models = [scoring_model_asset(name) for name in MODELS]
alert_tuning = [tuned_parameters_asset(name) for name in MODELS]
alert_assets = [*alert_snapshots, *alert_models, *alert_tuning, alert_scores]
