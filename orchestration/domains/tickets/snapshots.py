"""The training snapshot: the training relation and its labels, frozen once for every model."""

import json

import dagster as dg

from orchestration.defs.resources import Project
from orchestration.facts import fact
from orchestration.settings import DBT_MANIFEST
from orchestration.store.feature_store import feature_views, register_features, take_snapshot

TICKETS = {
    "name": "tickets",
    "timeline": "slice_repo",
    "weight_by": "slice_repo",
    "horizons_days": fact("horizons_days"),
    # What scorers and rankers are compared with: words of failure, and how fast the author's and the
    # repository's tickets were closed before.
    "baselines": {
        "words": ["n_keywords_failure", "n_keywords_security", "has_stack_trace"],
        "author": ["contributor_share_resolved_7d", "author_share_resolved_7d"],
        "repository": ["repository_share_resolved_7d"],
    },
    "outcome_slices": ["slice_completion_time"],
    "mix_slices": ["slice_repo", "slice_label"],
    # Labels, assignees and associations are as of the download, later than any prediction.
    "mitigated_slices": ["slice_seniority", "slice_repo", "slice_keyword"],
}


SYNTHETIC = (
    "These are synthetic issues: the figures show that the pipeline works, and nothing about the world."
)


@dg.asset(
    deps=["train_tickets", "label_tickets"],
    group_name="training",
    kinds={"parquet"},
    description="The training relation and its labels as Parquet, named by content hash.",
)
def training_snapshot(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult:
    """Freeze the tickets' training relation; register its features and their statistics."""
    from ml.data.dataset import snapshot_id_of

    manifest = json.loads(DBT_MANIFEST.read_text())
    with project.database() as database:
        registered = register_features(database, feature_views(manifest))
        is_synthetic = database.sql("select count(*) > 0 from raw.issues where source = 'sample'").fetchall()[
            0
        ][0]
        snapshot = take_snapshot(
            database,
            project.settings().snapshots_dir,
            train="train_tickets",
            label="label_tickets",
            domain={**TICKETS, "note": SYNTHETIC if is_synthetic else ""},
            identify=snapshot_id_of,
            git_sha=project.git_sha(),
        )
    context.log.info("Snapshot %s: %d rows.", snapshot.snapshot_id[:12], snapshot.rows)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": snapshot.rows,
            "features": snapshot.n_features,
            "registered_features": registered,
            "snapshot_id": snapshot.snapshot_id,
            "is_new": snapshot.is_new,
            "path": dg.MetadataValue.path(str(snapshot.path)),
        }
    )
