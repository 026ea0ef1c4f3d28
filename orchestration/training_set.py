"""A training set from raw input, by way of a temporary warehouse: what the harness's command line reads."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from orchestration.settings import DBT_PROJECT_DIR, Settings
from orchestration.store.warehouse import open_pipeline_database

ISSUE_DOMAINS = ("tickets", "assignees")
DOMAINS = (*ISSUE_DOMAINS, "alerts", "alert_clusters")


@dataclass(frozen=True)
class TrainingRelations:
    """The two relations of a domain and its block of configuration."""

    train: str
    label: str
    config: dict[str, Any]


def relations(domain: str) -> TrainingRelations:
    """The relations of a domain; an unknown one raises ValueError."""
    if domain not in DOMAINS:
        raise ValueError(f"There is no domain {domain!r}: choose from {', '.join(DOMAINS)}.")
    # Only the domain's own modules are read: another one may have been taken away.
    if domain == "tickets":
        from orchestration.domains.tickets.snapshots import TICKETS

        return TrainingRelations("train_tickets", "label_tickets", TICKETS)
    if domain == "assignees":
        from orchestration.domains.assignees.assets import ASSIGNEES

        return TrainingRelations("train_assignees", "label_assignees", ASSIGNEES)
    from orchestration.domains.alerts.assets import ALERTS, CLUSTERS

    if domain == "alerts":
        return TrainingRelations("train_alerts", "label_alerts", ALERTS)
    return TrainingRelations("train_alert_clusters", "label_alert_clusters", CLUSTERS)


def make_training_set(domain: str, source: Path, output: Path) -> dict[str, int]:
    """Build the domain's training relation from a folder of raw input, and write it to `output`.

    Parameters
    ----------
    domain : str
        `tickets` or `assignees` (from an archive of dumps), `alerts` or `alert_clusters` (from a folder of
        batches).
    source, output : Path
        Folders; `output` gets `train.parquet`, `label.parquet` and `domain.json`.

    Returns
    -------
    dict of str to int
        Rows per file written.

    Raises
    ------
    ValueError
        The source is missing, nothing in it could be loaded, or the transformation failed.
    """
    from ml.data.dataset import snapshot_id_of
    from orchestration.store.feature_store import DDL, take_snapshot

    wanted = relations(domain)
    if not source.is_dir():
        raise ValueError(f"There is no folder {source}: give the folder of the raw input.")
    with tempfile.TemporaryDirectory(prefix="training-set-") as name:
        settings = Settings.from_environment().model_copy(update={"warehouse_dir": Path(name)})
        with open_pipeline_database(settings.pipeline_database) as database:
            _load(database, settings, domain, source)
        _build(settings, wanted)
        with open_pipeline_database(settings.pipeline_database) as database:
            database.execute(DDL)
            snapshot = take_snapshot(
                database,
                settings.snapshots_dir,
                train=wanted.train,
                label=wanted.label,
                domain=wanted.config,
                identify=snapshot_id_of,
                git_sha="unknown",
            )
        output.mkdir(parents=True, exist_ok=True)
        for file in sorted(snapshot.path.iterdir()):
            shutil.copyfile(file, output / f".{file.name}")
            (output / f".{file.name}").replace(output / file.name)
    return {"train.parquet": snapshot.rows}


def _load(database: duckdb.DuckDBPyConnection, settings: Settings, domain: str, source: Path) -> None:
    if domain in ISSUE_DOMAINS:
        from orchestration.domains.tickets.loading import load_landed
        from orchestration.domains.tickets.sources import get_source

        dumps = get_source(settings.model_copy(update={"issues_source": "archive", "issues_archive": source}))
        load_landed(database, dumps.land(settings.landing_dir), source=dumps.name)
        return
    from orchestration.domains.alerts.loading import load_alert_batches
    from orchestration.domains.alerts.sources.batches import get_alert_source

    batches = get_alert_source(source)
    report = load_alert_batches(database, batches.land(settings.landing_dir), source=batches.name)
    if not report.loaded:
        reasons = (
            "; ".join(f"{batch}: {reason}" for batch, reason in report.refused.items()) or "no batch found"
        )
        raise ValueError(f"No batch below {source} could be loaded ({reasons}).")


def _build(settings: Settings, wanted: TrainingRelations) -> None:
    dbt = Path(sys.executable).with_name("dbt")
    target = settings.warehouse_dir / "target"
    command = [str(dbt), "run", "--quiet", "--select", f"+{wanted.train}", f"+{wanted.label}"]
    command += ["--vars", json.dumps({"ticket_scope": settings.ticket_scope})]
    command += [
        "--target-path",
        str(target),
        "--log-path",
        str(target),
        "--profiles-dir",
        str(DBT_PROJECT_DIR),
    ]
    with settings.dbt_environment():
        done = subprocess.run(
            command,
            cwd=DBT_PROJECT_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise ValueError(f"The transformation failed: {' '.join(done.stdout.split())[-800:]}")


def register(commands: Any) -> None:
    """Add `training-set` to the command line."""
    command = commands.add_parser("training-set", help="make a training set from raw input")
    command.add_argument("--domain", required=True, choices=DOMAINS)
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--batches", type=Path, dest="source", metavar="DIR", help="alert batches")
    source.add_argument("--archive", type=Path, dest="source", metavar="DIR", help="dumps of issues")
    command.add_argument("--output", type=Path, required=True, metavar="DIR")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    output = options.output.expanduser().resolve()
    for name, rows in make_training_set(
        options.domain, options.source.expanduser().resolve(), output
    ).items():
        sys.stdout.write(f"{rows:>9,}  {output / name}\n")
