"""Running the pipeline as a user does, in a folder of its own, and looking at what it left."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.defs.resources import Project
from orchestration.domains.tickets.sources.sample import generate_records
from orchestration.domains.tickets.sources.sample_process import REPOSITORIES
from orchestration.terminal.run import TAIL_WAIT
from tests.paths import ROOT

DAGSTER = str(Path(sys.executable).with_name("dagster"))
MODELS = ("median", "forest", "linear", "svm", "xgboost", "lightgbm")
SERVED = (
    "late_scorer", "response_1d", "response_2d", "response_7d", "triage_ranker", "assignee_ranker",
    "alert_scorer", "alert_ranker", "alert_cluster_scorer",
)  # fmt: skip
ALERT_MODELS = ("scorer", "ranker", "cluster_scorer")
# The search, many rows and the alerts' ten cuts take most of the time and are tested on their own.
_FAMILY = {"config": {"trials": 0, "subset_size": 500}}
QUICK: dict[str, object] = {
    **{f"models__{name}": _FAMILY for name in MODELS},
    "trained_models": _FAMILY,
    "models__remaining": {"config": {"seeds": 1, "rows": 20_000, "origins": 2, "replicates": 50}},
}
# The whole pipeline searches for the parameters of a scorer and of a ranker, too: the others are like them.
SEARCHED = ("late_scorer", "alert_ranker")
EVERYTHING = "not ({})".format(
    " or ".join(f'key:"tuned_parameters/{name}"' for name in SERVED if name not in SEARCHED)
)
WHOLE = QUICK | {f"tuned_parameters__{name}": {"config": {"trials": 1, "rows": 500}} for name in SEARCHED}
WHOLE |= {f"models__{name}": {"config": {"replicates": 100}} for name in SERVED}
WHOLE |= {
    f"models__alert_{name}": {"config": {"forward_cuts": 2, "cv_folds": 2, "replicates": 100}}
    for name in ALERT_MODELS
}
# They read no data, and dbt is asked them elsewhere.
NO_UNIT_TEST = {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test"}
WHOLE |= {"bias_mitigation": {"config": {"best": 1, "constrained_rows": 500}}}
# From landing to publishing with few models, for what is begun again and again.
FEW = ("median", "linear")
FEW_ASSETS = ",".join(
    ["*training_snapshot", "*tickets_open", "*remaining_open", "*train_remaining"]
    + [f"models/{name}" for name in FEW]
    + ["trained_models", "bias_metrics", "bias_mitigation", "best_model", "ticket_predictions"]
)
FEW_CONFIG: dict[str, object] = {
    **{f"models__{name}": {"config": {"trials": 0}} for name in FEW},
    "trained_models": {"config": {"trials": 0, "models": [*FEW]}},
    "bias_mitigation": {"config": {"best": 1, "methods": ["prediction_adjustment"]}},
}
# Times of day and durations differ from run to run, and nothing else may.
# A model's file (sha256) holds the time at which it was written.
CLOCKS = {
    "sha256",
    "started_at",
    "finished_at",
    "scored_at",
    "created_at",
    "loaded_at",
    "fetched_at",
    "rejected_at",
}
# So does the key of a dbt model, which covers when the records were fetched, and a promotion names its run.
CLOCKS |= {"seconds", "built_from", "promoted_at", "who"}


def command(select: str = "*", config: Mapping[str, object] | None = None) -> list[str]:
    """The README's command line."""
    ops = json.dumps({"ops": QUICK if config is None else config})
    return [DAGSTER, "asset", "materialize", "-m", "orchestration.definitions", "--select", select] + (
        ["--config-json", ops] if config != {} else []
    )


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The variables of a run whose every file is below `folder`; `.env` and the caller have no say."""
    home = folder / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    own = {"ISSUES_SOURCE": "sample", "ISSUES_ARCHIVE": "", "TICKET_SCOPE": "all"}
    return {
        **os.environ,
        **own,
        "WAREHOUSE_DIR": str(folder / "warehouse"),
        "DAGSTER_HOME": str(home),
        TAIL_WAIT: "0.5",
        **settings,
    }


def materialize(
    folder: Path, select: str = "*", config: Mapping[str, object] | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run to the end; standard output and error are one text."""
    return subprocess.run(
        command(select, config),
        env=environment(folder, **settings),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def materialize_here(
    asset: dg.AssetsDefinition, folder: Path, config: Mapping[str, object] | None = None, **settings: str
) -> None:
    """Materialize one asset in this process, which has loaded Dagster already; raises what it raises."""
    ops = {asset.op.name: {"config": config}} if config else {}
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        for name, value in environment(folder, **settings).items():
            patch.setenv(name, value)
        resources = {"project": Project()}
        try:
            dg.materialize([asset], resources=resources, run_config={"ops": ops}, instance=instance)
        except dg.DagsterUserCodeExecutionError as wrapped:
            raise wrapped.user_exception from None


@dataclass(frozen=True)
class Finished:
    """The folder of a run of everything."""

    folder: Path

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def published(self) -> Path:
        return self.folder / "warehouse" / "warehouse.duckdb"


def run_the_sample(folder: Path) -> None:
    """Run everything on the embedded sample."""
    answer = materialize(folder, EVERYTHING, WHOLE, **NO_UNIT_TEST)
    assert answer.returncode == 0, answer.stdout[-4000:]
    (folder / "log").write_text(answer.stdout)


def small_archive(folder: Path) -> Path:
    """A sixth of the embedded sample, as dumps."""
    folder.mkdir()
    for repository in REPOSITORIES:
        few = replace(repository, issues=repository.issues // 6, pull_requests=repository.pull_requests // 6)
        lines = "".join(json.dumps(record) + "\n" for record in generate_records(few))
        file = folder / f"{repository.name.replace('/', '__')}.jsonl.gz"
        file.write_bytes(gzip.compress(lines.encode()))
    return folder


def tables(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, sorted, without the columns that tell the time of day."""
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.sql("select schema_name, table_name from duckdb_tables() order by all").fetchall()
        steady = f"columns(lambda name: name not in {tuple(sorted(CLOCKS))})"
        return {
            f"{schema}.{name}": connection.sql(
                f'select {steady} from "{schema}"."{name}" order by all'
            ).fetchall()
            for schema, name in names
        }
