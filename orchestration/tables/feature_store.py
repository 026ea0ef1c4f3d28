"""What the features are and what was made of them: the schema `feature_store`."""

from orchestration.tables.table import RUN, Columns, Table

QUARTILES: Columns = {
    "min": ("varchar", "Smallest value, as text, cut to 200 characters."),
    "q25": ("varchar", "First quartile (approximate; numbers and times only)."),
    "median": ("varchar", "Median (approximate; numbers and times only)."),
    "q75": ("varchar", "Third quartile (approximate; numbers and times only)."),
    "max": ("varchar", "Largest value, as text, cut to 200 characters."),
}

MODEL_BUILDS = Table(
    "feature_store.model_builds",
    "What each dbt model that is up to date was built from. Grain: one row per model.",
    {
        "model": ("varchar", "Unique id of the model in dbt."),
        "schema_name": ("varchar", "Schema of its relation."),
        "relation": ("varchar", "Name of its relation."),
        "built_from": ("varchar", "Hash of its SQL, variables, tests and raw rows, and of those it reads."),
    },
)
COLUMN_LINEAGE = Table(
    "feature_store.column_lineage",
    "What the columns that dbt makes are made of. Grain: one row per column and column that it reads.",
    {
        "relation": ("varchar", "Schema and name of the table or view."),
        "column_name": ("varchar", "Its column."),
        "read_relation": ("varchar", "Schema and name of the table or view that it is made of."),
        "read_column": ("varchar", "The column there."),
    },
)
FEATURE_STORE = (
    MODEL_BUILDS,
    COLUMN_LINEAGE,
    Table(
        "feature_store.feature_registry",
        "Which features exist. Grain: one row per feature view and feature.",
        {
            "feature_view": ("varchar", "The dbt model that makes the feature."),
            "feature": ("varchar", "Name of the feature."),
            "dtype": ("varchar", "Its type in DuckDB."),
            "entity": ("varchar", "Whose value it is."),
            "owner": ("varchar", "Who answers for the view."),
            "description": ("varchar", "What it says, with its unit."),
            "ttl": ("varchar", "How old a value may be before it counts as unknown."),
            "sql_hash": ("varchar", "Hash of the view's SQL and of all that it reads."),
            "version": ("integer", "Counts the changes of that hash, from 1."),
        },
    ),
    Table(
        "feature_store.feature_stats",
        "What the features look like. Grain: one row per training snapshot and feature.",
        {
            "snapshot_id": ("varchar", "The training snapshot."),
            "feature": ("varchar", "Name of the feature."),
            "dtype": ("varchar", "Its type in DuckDB."),
            "n": ("bigint", "Rows."),
            "null_share": ("double", "Share of rows without a value (0 to 1)."),
            "n_distinct": ("bigint", "Different values (approximate)."),
            "mean": ("double", "Mean, of numbers."),
            "std": ("double", "Standard deviation, of numbers."),
            **QUARTILES,
        },
    ),
    Table(
        "feature_store.training_snapshots",
        "What models were trained on. Grain: one row per snapshot.",
        {
            "snapshot_id": ("varchar", "Content hash of the snapshot, which names its folder."),
            "domain": RUN["domain"],
            "sha256": ("varchar", "The same hash."),
            "rows": ("bigint", "Rows of the training relation."),
            "n_features": ("bigint", "Features of the training relation."),
            "feature_versions": ("json", "Version of each feature view at the time (JSON)."),
            "git_sha": ("varchar", "Commit of the code that took it; unknown outside a git checkout."),
            "path": ("varchar", "Its folder below the snapshots."),
            "created_at": ("timestamp", "When it was taken (UTC)."),
        },
    ),
)
