"""The alerts' bias tables from the embedded batches: every model, every dimension, run twice."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import duckdb
import pandas as pd
import pytest

from ml.bias.tables import names
from orchestration.defs.resources import Project
from orchestration.domains.alerts.assets import alert_bias, alert_scores
from tests.integration.pipeline import tables
from tests.orchestration.alert_warehouse import (
    ASSETS,
    CONFIG,
    TASKS,
    materialize,
    trained_alerts,
    warehouse,
)
from tests.readme import queries

__all__ = ["trained_alerts", "warehouse"]

OTHER = {
    "ops": {**CONFIG["ops"], "models__alert_scorer": {"config": {"cv_folds": 0, "replicates": 50, "seed": 1}}}
}
DIMENSIONS = {"network", "region", "age_band", "typology", "new_address"}
SCORERS = {("alerts", "alert_scorer"), ("alert_clusters", "alert_cluster_scorer")}
TABLES = (
    "slice_metrics", "summary", "distribution", "score_metrics", "ranking_metrics", "ranking_exposure",
    "ranking_concentration",
)  # fmt: skip


@pytest.fixture(scope="module")
def published(warehouse: Path) -> tuple[Path, dict[str, dg.MetadataValue]]:
    """What users read after the models, the scores and the bias; and what the asset shows."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("WAREHOUSE_DIR", str(warehouse))
        for assets in ([*ASSETS, alert_bias], [alert_bias]):
            result = dg.materialize(
                assets,
                resources={"project": Project()},
                run_config=CONFIG if len(assets) > 1 else None,
                instance=instance,
            )
            assert result.success
    metadata = result.asset_materializations_for_node("alert_bias")[0].metadata
    return warehouse / "warehouse.duckdb", dict(metadata)


def rows(published: tuple[Path, object], query: str) -> pd.DataFrame:
    with duckdb.connect(str(published[0]), read_only=True) as database:
        return database.sql(query).df()


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_published_with_described_columns(published: tuple[Path, object], table: str) -> None:
    found = rows(published, f"from bias.{table}")
    assert list(found.columns)[:2] == ["run_id", "domain"]
    assert set(found.columns) == {"run_id", "domain", *names(table)}
    # Every dimension of an alert varies within its batch: there are no lists of one slice.
    assert (len(found) > 0) == (table != "ranking_metrics")


@pytest.mark.parametrize(
    ("table", "models"),
    [
        ("slice_metrics", SCORERS),
        ("score_metrics", SCORERS),
        ("ranking_exposure", {("alerts", "alert_ranker")}),
        ("summary", SCORERS | {("alerts", "alert_ranker")}),
        ("history.bias_summary", SCORERS | {("alerts", "alert_ranker")}),
    ],
)
def test_every_model_is_measured_in_every_dimension_and_part(
    published: tuple[Path, object], table: str, models: set[tuple[str, str]]
) -> None:
    name = table if "." in table else f"bias.{table}"
    found = rows(published, f"select distinct domain, model, split, dimension from {name}")
    assert set(found.itertuples(index=False, name=None)) == {
        (*model, split, dimension)
        for model in models
        for split in ("validation", "test")
        for dimension in DIMENSIONS
    }


def test_the_queries_of_the_readme_run_as_printed(published: tuple[Path, object]) -> None:
    own = [query for query in queries() if "alert_scorer" in query]
    assert own and all(len(rows(published, query)) for query in own)


def test_a_second_run_replaces_the_first(published: tuple[Path, object]) -> None:
    keys = "domain, task, model, split, dimension"
    assert rows(published, f"select {keys}, slice, metric from bias.score_metrics").duplicated().sum() == 0
    assert rows(published, f"select {keys}, gap_metric from bias.summary").duplicated().sum() == 0


def test_the_runs_folders_have_a_text_per_model_and_dimension(published: tuple[Path, object]) -> None:
    texts = {path.name for path in published[0].parent.glob("models/*/bias_*.txt")}
    assert texts == {f"bias_{model}_{dimension}.txt" for model in TASKS for dimension in DIMENSIONS}


def test_the_asset_shows_its_gaps_and_a_picture(published: tuple[Path, dict[str, dg.MetadataValue]]) -> None:
    metadata = published[1]
    assert "data:image/png;base64," in str(metadata["recall_per_slice"].value)
    assert "alert_ranker" in str(metadata["summary"].value)
    for table, name in {
        "dagster/column_schema": "summary",
        "columns of bias.score_metrics": "score_metrics",
    }.items():
        columns = {one.name: (one.type, one.description) for one in metadata[table].schema.columns}
        stored = rows(
            published,
            "select column_name, data_type, comment from duckdb_columns()"
            f" where schema_name = 'bias' and table_name = '{name}'",
        )
        assert columns == {name: (kind, comment) for name, kind, comment in stored.itertuples(index=False)}
        assert all(comment for _, comment in columns.values())


def test_a_model_in_another_folder_takes_its_own_rows_along_and_is_what_serves(
    published: tuple[Path, object],
) -> None:
    """Scorer and ranker were trained together; then the scorer alone with other settings, on files alone."""
    before = rows(published, "select model, model_version from ml.models where domain = 'alerts' order by 1")
    counted = "select model, count(*) as n from bias.summary where domain = 'alerts' group by all order by 1"
    measured = rows(published, counted)
    (scorer,) = [asset for asset in ASSETS if asset.key.path[-1] == "alert_scorer"]
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("WAREHOUSE_DIR", str(published[0].parent))
        project = {"project": Project()}
        with no_database(published[0].parent):
            assert dg.materialize(
                [scorer],
                resources=project,
                run_config={"ops": {scorer.op.name: OTHER["ops"][scorer.op.name]}},
                instance=instance,
            ).success
        files = {path: path.stat().st_mtime_ns for path in published[0].parent.rglob("*.skops")}
        for asset in (alert_scores, alert_bias):
            assert dg.materialize([asset], resources=project, instance=instance).success
    after = rows(published, "select model, model_version from ml.models where domain = 'alerts' order by 1")
    assert list(after["model"]) == list(before["model"]) == ["alert_ranker", "alert_scorer"]
    assert list(after["model_version"] == before["model_version"]) == [True, False]
    pd.testing.assert_frame_equal(rows(published, counted), measured)
    served = rows(published, "select distinct ranker_version, scorer_version from alerts.scores")
    assert list(served.iloc[0]) == list(after["model_version"])
    assert {path: path.stat().st_mtime_ns for path in published[0].parent.rglob("*.skops")} == files
    runs = rows(published, "select distinct run_id, model from bias.summary where domain = 'alerts'")
    current = rows(published, "select run_id, model from ml.models where domain = 'alerts'")
    assert set(runs.itertuples(index=False)) == set(current.itertuples(index=False))


@contextmanager
def no_database(warehouse: Path) -> Iterator[None]:
    """In place of both databases lies what none can open, and what nobody may have changed."""
    names = ("pipeline.duckdb", "warehouse.duckdb")
    for name in names:
        (warehouse / name).rename(warehouse / f"{name}.away")
        (warehouse / name).write_text("no database")
    yield
    for name in names:
        assert (warehouse / name).read_text() == "no database"
        (warehouse / f"{name}.away").replace(warehouse / name)


@pytest.mark.parametrize("is_restored", [True, False])
def test_a_database_that_was_restored_or_removed_comes_to_hold_everything_again(
    published: tuple[Path, object], trained_alerts: Path, is_restored: bool
) -> None:
    """The models stay unchanged: what trained them remembers it in files."""
    everything, warehouse = [*ASSETS, alert_bias], published[0].parent
    materialize(warehouse, everything, OTHER)
    models = {path: path.stat().st_mtime_ns for path in warehouse.rglob("*.skops")}
    before = tables(published[0])
    shutil.copyfile(trained_alerts / "pipeline.duckdb", warehouse / "pipeline.duckdb")
    if not is_restored:
        # As the load and dbt leave a new one.
        with duckdb.connect(str(warehouse / "pipeline.duckdb")) as database:
            for schema in ("ml", "bias", "history", "feature_store", "alerts", "published", "steps"):
                database.execute(f"drop schema if exists {schema} cascade")
    materialize(warehouse, everything, OTHER)
    after = tables(published[0])
    assert set(after) == set(before)
    # What a new database cannot know of is the bias of models that are not current any more.
    changed = {name for name in before if after[name] != before[name]}
    assert changed <= (set() if is_restored else {"history.bias_summary"})
    assert {path: path.stat().st_mtime_ns for path in warehouse.rglob("*.skops")} == models


def test_a_snapshot_names_the_views_that_it_was_made_of(published: tuple[Path, object]) -> None:
    found = rows(
        published, "select domain, json_keys(feature_versions) from feature_store.training_snapshots"
    )
    views = dict(found.itertuples(index=False))
    assert set(views) == {"alerts", "alert_clusters"}
    assert "feat_alert_rule" in views["alerts"] and "feat_cluster_rule" in views["alert_clusters"]
    assert not [
        view for own in views.values() for view in own if "alert" not in view and "cluster" not in view
    ]


def test_reports_on_synthetic_alerts_say_so(published: tuple[Path, object]) -> None:
    texts = [path.read_text() for path in published[0].parent.glob("models/*/bias_*.txt")]
    assert texts and all(text.startswith("NOTE: These are synthetic alerts") for text in texts)
