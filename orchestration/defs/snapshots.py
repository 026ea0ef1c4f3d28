"""The assets that freeze a training relation and its labels, once for every model, if nothing leaks."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from orchestration.declarations import Domain, RawInput, TrainingSet
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.metadata import picture
from orchestration.defs.resources import Project
from orchestration.defs.training import read_dataset
from orchestration.defs.unchanged import unless_unchanged
from orchestration.facts import FACTS
from orchestration.settings import DBT_MANIFEST
from orchestration.store.feature_registry import feature_views, register_features, views_read_by
from orchestration.store.snapshots import current_pointer, take_snapshot

if TYPE_CHECKING:
    from ml.data.dataset import Dataset


LEAKAGE = "leakage"
# Of fewer rows a handful of people decides, and an honest feature of them may tell all ends apart.
ENOUGH_TO_BLOCK = 1000


class SnapshotAudit(dg.Config):
    """What is known of the features that the audit for leaks compares with the outcome."""

    known_in_time: list[str] = Field(
        default=[],
        description="Features that the audit suspects, and of which you know that their values are known at "
        "the observation time: they pass.",
    )


def snapshot_assets(domain: Domain) -> list[dg.AssetsDefinition]:
    """One asset per training set of a domain."""
    return [snapshot_asset(one, domain.raw) for one in domain.training_sets]


def snapshot_asset(training_set: TrainingSet, raw: RawInput) -> dg.AssetsDefinition:
    """The asset that freezes one training relation and its labels."""
    train, label = training_set.train, training_set.label
    leakage = dg.AssetCheckSpec(
        LEAKAGE,
        asset=training_set.snapshot,
        blocking=True,
        description="No feature may know the outcome. It blocks, since models that learned from a leak would "
        "be published with figures that never come true: nothing is trained, and the snapshot before stays "
        f"the newest. Below {ENOUGH_TO_BLOCK:,} rows, too few to be sure, it warns.",
    )

    def files(project: Project, said: Mapping[str, Any]) -> list[Path]:
        # A database that was restored from a copy may be of another snapshot than the newest.
        newest = current_pointer(project.settings().snapshots_dir, training_set.name)
        return [*Path(said["path"].path).iterdir(), *([newest] if newest.exists() else [])]

    @dg.asset(
        name=training_set.snapshot,
        deps=[train, label],
        group_name="training",
        kinds={"parquet"},
        op_tags=HOLDS_DATABASE,
        check_specs=[leakage],
        description=f"The training relation {train} and its labels as Parquet, named by content hash.",
    )
    @unless_unchanged(files=files)
    def snapshot(
        context: dg.AssetExecutionContext, config: SnapshotAudit, project: Project
    ) -> dg.MaterializeResult:
        from ml.data.contract import is_feature
        from ml.data.dataset import Dataset, snapshot_id_of

        settings, manifest = project.settings(), json.loads(DBT_MANIFEST.read_text())
        variables = {**FACTS, **settings.dbt_variables}
        suspects: dict[str, list[str]] = {}
        blocks = False
        checked: dict[str, Dataset] = {}

        def identify(folder: Path) -> str:
            try:
                dataset = Dataset.from_dir(folder)
            except ValueError:
                # What the contract refuses, such as a copy of the label, has a name, too, and is audited.
                return snapshot_id_of(folder)
            dataset.seal(folder)
            checked[dataset.snapshot_id] = dataset
            return dataset.snapshot_id

        def may_teach(folder: Path) -> bool:
            nonlocal suspects, blocks
            suspects, rows = suspects_of(checked.get(folder.name), folder, config.known_in_time)
            blocks = bool(suspects) and rows >= ENOUGH_TO_BLOCK
            return not blocks

        with project.database() as database:
            registered = register_features(database, feature_views(manifest, variables))
            taken = take_snapshot(
                database,
                settings.snapshots_dir,
                train=train,
                label=label,
                domain=raw.block(database, training_set),
                identify=identify,
                is_feature=is_feature,
                git_sha=project.git_sha(),
                views=views_read_by(manifest, train),
                may_teach=may_teach,
            )
        context.log.info("Snapshot %s: %d rows.", taken.snapshot_id[:12], taken.rows)
        drawn = {}
        if not blocks:
            drawn = parts_in_time(checked.get(taken.snapshot_id) or read_dataset(taken.path))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": taken.rows,
                "features": taken.n_features,
                "registered_features": registered,
                "snapshot_id": taken.snapshot_id,
                "is_new": taken.is_new,
                "path": dg.MetadataValue.path(str(taken.path)),
                **drawn,
            },
            check_results=[leakage_check(suspects, blocks)],
            data_version=dg.DataVersion(taken.snapshot_id),
        )

    return snapshot


def suspects_of(
    checked: "Dataset | None", folder: Path, known_in_time: Sequence[str]
) -> tuple[dict[str, list[str]], int]:
    """Features that may know the outcome, with the evidence, and the rows that it comes from.

    There are none where there is nothing to compare with.
    """
    from ml.data.dataset import read_training_set
    from ml.data.leaks.audit import suspects
    from ml.errors import TooLittleDataError

    # A `Dataset` refuses a copy of the label before anybody is told of it.
    items, labels = (checked.items, checked.labels) if checked else read_training_set(folder)[:2]
    try:
        found = suspects(items, labels)
    except TooLittleDataError:
        found = {}
    return {name: told for name, told in found.items() if name not in known_in_time}, len(items)


def leakage_check(suspects: Mapping[str, Sequence[str]], blocks: bool) -> dg.AssetCheckResult:
    """Passed without a suspect; else their names, and what to do."""
    told = "\n".join(f"- `{name}`: {'; '.join(evidence)}" for name, evidence in suspects.items())
    return dg.AssetCheckResult(
        passed=not suspects,
        check_name=LEAKAGE,
        severity=dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        description=f"May know the outcome: {', '.join(suspects)}. Look where their values come from; name "
        "those that are known in time as `known_in_time` in the configuration of this asset."
        if suspects
        else "No feature is suspected.",
        metadata={"evidence": dg.MetadataValue.md(told)} if suspects else {},
    )


def parts_in_time(dataset: "Dataset") -> dict[str, Any]:
    """A picture of what is trained and tested on, when; none where there is too little to split."""
    from ml.errors import TooLittleDataError
    from ml.reports.timeline import timeline

    try:
        return {"parts_in_time": picture(timeline(dataset), "training, validation and test part in time")}
    except TooLittleDataError:
        return {}
