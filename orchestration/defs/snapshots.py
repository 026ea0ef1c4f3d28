"""The assets that freeze a training relation and its labels, once for every model."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from orchestration.declarations import Domain, RawInput, TrainingSet
from orchestration.defs.executor import HOLDS_DATABASE
from orchestration.defs.metadata import picture
from orchestration.defs.resources import Project
from orchestration.defs.training import read_dataset
from orchestration.defs.unchanged import unless_unchanged
from orchestration.facts import FACTS
from orchestration.settings import DBT_MANIFEST
from orchestration.store.feature_registry import feature_views, register_features, views_read_by
from orchestration.store.snapshots import take_snapshot

if TYPE_CHECKING:
    from ml.data.dataset import Dataset


def snapshot_assets(domain: Domain) -> list[dg.AssetsDefinition]:
    """One asset per training set of a domain."""
    return [snapshot_asset(one, domain.raw) for one in domain.training_sets]


def snapshot_asset(training_set: TrainingSet, raw: RawInput) -> dg.AssetsDefinition:
    """The asset that freezes one training relation and its labels."""
    train, label = training_set.train, training_set.label

    @dg.asset(
        name=training_set.snapshot,
        deps=[train, label],
        group_name="training",
        kinds={"parquet"},
        op_tags=HOLDS_DATABASE,
        description=f"The training relation {train} and its labels as Parquet, named by content hash.",
    )
    @unless_unchanged(files=lambda project, said: Path(said["path"].path).iterdir())
    def snapshot(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult:
        from ml.data.contract import is_feature
        from ml.data.dataset import snapshot_id_of

        settings, manifest = project.settings(), json.loads(DBT_MANIFEST.read_text())
        variables = {**FACTS, **settings.dbt_variables}
        with project.database() as database:
            registered = register_features(database, feature_views(manifest, variables))
            taken = take_snapshot(
                database,
                settings.snapshots_dir,
                train=train,
                label=label,
                domain=raw.block(database, training_set),
                identify=snapshot_id_of,
                is_feature=is_feature,
                git_sha=project.git_sha(),
                views=views_read_by(manifest, train),
            )
        context.log.info("Snapshot %s: %d rows.", taken.snapshot_id[:12], taken.rows)
        drawn = parts_in_time(read_dataset(taken.path))
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
            data_version=dg.DataVersion(taken.snapshot_id),
        )

    return snapshot


def parts_in_time(dataset: "Dataset") -> dict[str, Any]:
    """A picture of what is trained and tested on, when; none where there is too little to split."""
    from ml.errors import TooLittleDataError
    from ml.reports.timeline import timeline

    try:
        return {"parts_in_time": picture(timeline(dataset), "training, validation and test part in time")}
    except TooLittleDataError:
        return {}
