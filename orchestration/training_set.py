"""A training set from raw input, by way of a temporary warehouse: what the harness's command line reads."""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml.store.outputs import check_output_folder
from orchestration.declarations import TrainingSet
from orchestration.domains import find_training_set, raw_loader, registry, training_sets
from orchestration.facts import dbt_arguments
from orchestration.settings import DBT_PARSED, DBT_PROJECT_DIR, Settings
from orchestration.store.dbt_process import DBT
from orchestration.store.warehouse import open_pipeline_database


def make_training_set(domain: str, source: Path, output: Path) -> dict[str, int]:
    """Build the domain's training relation from a folder of raw input, and write it to `output`.

    Parameters
    ----------
    domain : str
        Name of one of `orchestration.domains.training_sets`.
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
    from ml.data.contract import is_feature
    from ml.data.dataset import snapshot_id_of
    from orchestration.store.feature_registry import DDL
    from orchestration.store.snapshots import take_snapshot

    owner, wanted = find_training_set(domain)
    raw = raw_loader(owner)
    assert raw.load is not None
    if not source.is_dir():
        raise ValueError(f"There is no folder {source}: give the folder of the raw input.")
    check_output_folder(output)
    with tempfile.TemporaryDirectory(prefix="training-set-") as name:
        settings = Settings.from_environment().model_copy(update={"warehouse_dir": Path(name)})
        with open_pipeline_database(settings.pipeline_database) as database:
            raw.load(database, settings, source)
        build(settings, [wanted])
        with open_pipeline_database(settings.pipeline_database) as database:
            database.execute(DDL)
            snapshot = take_snapshot(
                database,
                settings.snapshots_dir,
                train=wanted.train,
                label=wanted.label,
                domain=raw.block(database, wanted),
                identify=snapshot_id_of,
                is_feature=is_feature,
                git_sha="unknown",
            )
        if not snapshot.rows:
            raise ValueError(
                f"Nothing below {source} makes a row of the domain {domain!r}: give other input."
            )
        output.mkdir(parents=True, exist_ok=True)
        for file in sorted(snapshot.path.iterdir()):
            shutil.copyfile(file, output / f".{file.name}")
            (output / f".{file.name}").replace(output / file.name)
    return {"train.parquet": snapshot.rows}


def build(settings: Settings, wanted: Sequence[TrainingSet]) -> None:
    """Build the relations of training sets, and all that they are made of, from the raw tables.

    Raises
    ------
    ValueError
        dbt failed; the sentence ends with its reason.
    """
    target = str(settings.warehouse_dir / "target")
    command = [*DBT, *dbt_arguments("build", settings), "--quiet"]
    command += ["--resource-type", "model", "--resource-type", "seed"]
    command += ["--select", *(f"+{relation}" for one in wanted for relation in (one.train, one.label))]
    command += ["--target-path", target, "--log-path", target, "--profiles-dir", str(DBT_PROJECT_DIR)]
    if DBT_PARSED.exists():
        command += ["--partial-parse-file-path", str(DBT_PARSED)]
    with settings.dbt_environment():
        done = subprocess.run(command, cwd=DBT_PROJECT_DIR, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"The transformation failed: {' '.join(done.stdout.split())[-800:]}")


def register(commands: Any) -> None:
    """Add `training-set` to the command line."""
    command = commands.add_parser("training-set", help="make a training set from raw input")
    command.add_argument("--domain", required=True, choices=sorted(training_sets()))
    source = command.add_mutually_exclusive_group(required=True)
    for domain in registry().values():
        if domain.raw.option:
            source.add_argument(
                domain.raw.option,
                type=Path,
                dest="source",
                metavar="DIR",
                help=f"folder of {domain.raw.what}",
            )
    command.add_argument("--output", type=Path, required=True, metavar="DIR")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    output = options.output.expanduser().resolve()
    for name, rows in make_training_set(
        options.domain, options.source.expanduser().resolve(), output
    ).items():
        sys.stdout.write(f"{rows:>9,}  {output / name}\n")
