"""The whole pipeline on the embedded sample: what it publishes."""

import base64
import json
import re
import shutil
from pathlib import Path

import dagster as dg
import duckdb

from orchestration.settings import DBT_MANIFEST
from orchestration.tables import descriptions
from tests.integration.pipeline import MODELS, SERVED, Finished
from tests.readme import queries

COLUMNS = {
    "ml.runs": "run_id domain snapshot_id started_at finished_at git_sha engine seed status",
    "ml.model_metrics": "run_id domain task model split metric value ci_low ci_high n",
    "ml.horizon_metrics": """run_id domain task model split observed_after_days horizon_days metric value
        ci_low ci_high n""",
    "ml.predictions": "run_id domain task model item_id event_at split y_true y_pred p10 p90",
    "ml.models": "model_version run_id domain task model path sha256 params feature_list alias",
    "bias.slice_metrics": """run_id domain task model split dimension slice n share mae rmse r2 median_ae
        mean_error mae_log skill ci_low ci_high q_value assessable flagged""",
    "bias.summary": """run_id domain task model split dimension n_slices n_assessable best_slice worst_slice
        mae_difference mae_ratio relative_gap threshold flagged""",
    "bias.distribution": "run_id domain dimension slice n share weight",
    "bias.score_metrics": """run_id domain task model split dimension slice metric n n_positive value ci_low
        ci_high rest_value effect q_value shrunk assessable flagged""",
    "bias.ranking_exposure": """run_id domain task model split dimension slice n exposure_share ci_low ci_high
        target_share relevance_share ratio q_value assessable flagged""",
    "bias.ranking_concentration": "run_id domain task model split dimension slice who n_lists gini top_share",
    "bias.composition": "run_id domain task model split dimension slice n raw_effect adjusted_effect cause",
    "bias.over_time": "run_id domain task model split dimension slice month n effect ci_low ci_high",
    "bias.mitigation": """run_id domain task model method dimension mae_before mae_after gap_before gap_after
        ci_low ci_high accepted n_fits seconds reason""",
    "history.model_metrics": "run_id domain task model split metric value",
    "history.bias_summary": "run_id domain task model split dimension relative_gap",
    "tickets.predictions": """item_id repository number predicted_hours p10 p90 p_within_1d p_within_7d
        p_within_30d p_within_90d p_within_365d model_version scored_at title url author labels created_at
        observed_at age_days is_answered waiting_days remaining_hours remaining_p10 remaining_p90
        expected_closing_at is_overdue late_probability triage_rank reasons reason""",
    "tickets.prediction_history": """said_on item_id repository number observed_at age_days remaining_hours
        remaining_p10 remaining_p90 is_overdue late_probability triage_rank p_within_1d p_within_7d
        p_within_30d p_within_90d p_within_365d model_version scored_at""",
    "tickets.similar": """item_id repository number rank similar_item_id score title url state resolution_kind
        resolution_hours""",
    "tickets.service_metrics": """repository period "group" metric n value ci_low ci_high n_censored
        reason""",
    "tickets.service_differences": """repository period metric "group" reference n n_reference value ci_low
        ci_high p_value q_value""",
    "tickets.assignee_candidates": """item_id repository number login rank probability is_confident
        current_load why reasons observed_at model_version""",
    "bias.ranking_metrics": """run_id domain task model split dimension slice metric n_lists n_relevant value
        ci_low ci_high q_value assessable flagged""",
    "feature_store.column_lineage": "relation column_name read_relation read_column",
    "feature_store.feature_registry": """feature_view feature dtype entity owner description ttl sql_hash
        version""",
    "feature_store.feature_stats": "snapshot_id feature null_share mean",
    "feature_store.training_snapshots": "snapshot_id sha256 rows feature_versions git_sha",
}


def test_the_published_tables_have_the_documented_columns(finished: Finished) -> None:
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        for table, columns in COLUMNS.items():
            rows = connection.sql(f"select {', '.join(columns.split())} from {table} limit 1").fetchall()
            assert rows, f"{table} is empty"


def test_every_published_table_and_column_says_what_it_is(finished: Finished) -> None:
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        silent = """
            select schema_name || '.' || table_name from duckdb_tables() where coalesce(comment, '') = ''
            union all
            select schema_name || '.' || table_name || '.' || column_name from duckdb_columns()
            where not internal and coalesce(comment, '') = ''
        """
        assert connection.execute(silent).fetchall() == []
        tables = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    assert {name for (name,) in tables} == set(descriptions())


def test_dbt_has_built_every_model_and_found_it_sound(finished: Finished) -> None:
    nodes = json.loads(DBT_MANIFEST.read_text())["nodes"].values()
    models = {node["name"] for node in nodes if node["resource_type"] == "model"}
    sound = set(re.findall(r"Asset check '\w+_is_sound' on '(\w+)' passed", finished.log))
    assert sound == models and "stg_alerts__alert" in models


def test_the_queries_of_the_readme_run_as_printed(finished: Finished) -> None:
    assert len(queries()) >= 10
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        for query in queries():
            assert connection.sql(query).fetchall(), query


def test_every_model_is_on_the_leaderboard_and_one_is_champion(finished: Finished) -> None:
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        rows = connection.sql(
            "select run_id, model, alias from ml.models where domain = 'tickets' and task = 'regression'"
        ).fetchall()
    models = {model: alias for _, model, alias in rows}
    assert set(models) == set(MODELS)
    assert sorted(models.values()).count("champion") == 1
    (run_id,) = {run_id for run_id, *_ in rows}
    best = finished.folder / "warehouse" / "models" / run_id / "best.txt"
    assert models[best.read_text().splitlines()[0]] == "champion"


def test_scorers_and_rankers_are_champions_of_their_own(finished: Finished) -> None:
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        served = connection.sql(
            "select domain, task, model from ml.models where task <> 'regression' and alias = 'champion'"
        ).fetchall()
        all_of_them = connection.sql("select count(*) from ml.models where task <> 'regression'").fetchall()
        late = connection.sql(
            "select count(*) > 100, min(y_pred) >= 0, max(y_pred) <= 1 from ml.predictions "
            "where model = 'late_scorer'"
        ).fetchall()
    assert {("tickets", "binary", "late_scorer"), ("tickets", "ranking", "triage_ranker")} <= set(served)
    assert all_of_them == [(len(served),)]
    assert late == [(True, True, True)]


def test_open_tickets_are_told_of_as_of_the_end_of_their_records(finished: Finished) -> None:
    """What they are older than is not shown, and scorer and ranker have their say."""
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        wrong, n, places = connection.sql(
            """
            select
                count(*) filter (where
                    expected_closing_at < observed_at or remaining_p10 < 0 or remaining_p90 < remaining_p10
                    or remaining_hours is null or len(reasons) = 0
                    or age_days < 0 or waiting_days > age_days + 1e-6 or p_within_7d > p_within_30d
                    or (late_probability is null) <> (age_days >= 7)
                    or abs(epoch(observed_at) - epoch(created_at) - 86400 * age_days) > 1
                ),
                count(*), count(distinct (repository, triage_rank))
            from tickets.predictions
            """
        ).fetchall()[0]
    assert wrong == 0 and n == places > 100


def test_people_are_proposed_for_open_tickets(finished: Finished) -> None:
    """Of each open ticket the first five, best first, with reasons; programs and placeholders never."""
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        lists = connection.sql(
            """
            select
                item_id, list(rank order by rank), list(probability order by rank),
                list(login order by rank), min(len(reasons)), count(distinct model_version)
            from tickets.assignee_candidates group by item_id
            """
        ).fetchall()
        open_tickets = {
            item for (item,) in connection.sql("select item_id from tickets.predictions").fetchall()
        }
    assert len(lists) > 100
    for item, ranks, probabilities, logins, reasons, versions in lists:
        assert item in open_tickets and 1 <= len(ranks) <= 5
        assert ranks == list(range(1, len(ranks) + 1)) and len(set(logins)) == len(logins)
        assert all(0 <= p <= 1 for p in probabilities) and sum(probabilities) <= 1
        assert probabilities == sorted(probabilities, reverse=True)
        assert not any(login.endswith("bot]") or login in ("ghost", "gopherbot") for login in logins)
        assert reasons == 5 and versions == 1


def test_open_tickets_know_what_was_like_them(finished: Finished) -> None:
    """Five earlier tickets of the repository, the likest first, with what became of those that are closed."""
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        ((tickets, wrong),) = connection.sql(
            """
            select
                count(distinct item_id),
                count(*) filter (
                    split_part(similar_item_id, '#', 1) <> repository
                    or split_part(similar_item_id, '#', 2)::bigint >= number
                    or score <= 0 or rank not between 1 and 5 or url is not null
                    or (state = 'open') <> (resolution_kind is null)
                    or (state = 'open' and resolution_hours is not null)
                )
            from tickets.similar
            """
        ).fetchall()
    assert tickets > 100 and wrong == 0


def test_no_item_is_in_two_parts(finished: Finished) -> None:
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        torn = connection.sql(
            "select item_id from ml.predictions group by item_id, task having count(distinct split) > 1"
        ).fetchall()
    assert torn == []


def test_synthetic_results_are_labelled_so(finished: Finished) -> None:
    assert "synthetic" in finished.log


def test_assets_show_their_pictures_and_round_their_figures(finished: Finished, tmp_path: Path) -> None:
    """Embedded, so that the page needs nothing else: where a reader of the UI looks for them."""
    learned = "how_it_learned"
    expected = {
        "training_snapshot": ["parts_in_time"],
        **{f"models/{model}": ["predicted_against_actual", learned] for model in (*MODELS, "remaining")},
        **{f"models/{model}": ["beside_baselines", learned] for model in SERVED},
        "trained_models": ["leaderboard_picture"],
        "bias_metrics": ["error_per_slice"],
        "remaining_bias": ["error_per_slice"],
        "alert_bias": ["recall_per_slice"],
        "assignee_bias": ["mrr_per_repository"],
        "service_levels": ["survival"],
    }
    # Whoever opens a history writes to its folder.
    history = shutil.copytree(
        finished.folder / "dagster", tmp_path / "dagster", copy_function=shutil.copyfile
    )
    with dg.DagsterInstance.from_config(str(history)) as instance:
        for asset, names in expected.items():
            event = instance.get_latest_materialization_event(dg.AssetKey.from_user_string(asset))
            assert event is not None and event.asset_materialization is not None
            for name in names:
                shown = str(event.asset_materialization.metadata[name].value)
                embedded = re.fullmatch(r"!\[[^\]]+\]\(data:image/png;base64,(\S+)\)", shown)
                assert embedded and base64.b64decode(embedded[1]).startswith(b"\x89PNG"), (asset, name)
        for key in instance.all_asset_keys():
            event = instance.get_latest_materialization_event(key)
            shown = {} if event is None else event.asset_materialization.metadata
            for name, one in shown.items():
                # dbt tells its own durations.
                if isinstance(one, dg.FloatMetadataValue) and one.value and "unique_id" not in shown:
                    assert float(f"{one.value:.4g}") == one.value, (key, name)
