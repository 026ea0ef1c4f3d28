"""The whole pipeline on the embedded sample: what it publishes, again and again, killed and resumed."""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration.descriptions import descriptions
from tests.integration.pipeline import MODELS, command, environment, materialize, tables
from tests.paths import ROOT

READER = """
import sys, time, duckdb
from pathlib import Path
published, stop = Path(sys.argv[1]), Path(sys.argv[2])
reads, slowest = 0, 0.0
while not stop.exists():
    if published.exists():
        started = time.perf_counter()
        with duckdb.connect(str(published), read_only=True) as c:
            assert c.sql("select count(*) from ml.models").fetchall()[0][0] > 0
        reads, slowest = reads + 1, max(slowest, time.perf_counter() - started)
    time.sleep(0.02)
print(reads, slowest)
"""

COLUMNS = {
    "ml.runs": "run_id domain snapshot_id started_at finished_at git_sha engine seed status",
    "ml.model_metrics": "run_id domain task model split metric value ci_low ci_high n",
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
        p_within_30d p_within_90d p_within_365d model_version scored_at""",
    "tickets.assignee_candidates": """item_id repository number login rank probability reasons observed_at
        model_version""",
    "bias.ranking_metrics": """run_id domain task model split dimension slice metric n_lists n_relevant value
        ci_low ci_high q_value assessable flagged""",
    "feature_store.feature_registry": """feature_view feature dtype entity owner description ttl sql_hash
        version""",
    "feature_store.feature_stats": "snapshot_id feature null_share mean",
    "feature_store.training_snapshots": "snapshot_id sha256 rows feature_versions git_sha",
}


@dataclass(frozen=True)
class Finished:
    """A warehouse after one run, and what a reader saw during a second one."""

    folder: Path
    log: str
    published: Path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("pipeline")
    answer = materialize(folder)
    assert answer.returncode == 0, answer.stdout[-4000:]
    return Finished(folder, answer.stdout, folder / "warehouse" / "warehouse.duckdb")


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


def test_the_queries_of_the_readme_run_as_printed(finished: Finished) -> None:
    queries = re.findall(r"```sql\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    assert len(queries) >= 3
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        for query in queries:
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
        assert all(0 <= p <= 1 for p in probabilities)
        assert probabilities == sorted(probabilities, reverse=True)
        assert not any(login.endswith("bot]") or login in ("ghost", "gopherbot") for login in logins)
        assert reasons == 5 and versions == 1


def test_no_item_is_in_two_parts(finished: Finished) -> None:
    with duckdb.connect(str(finished.published), read_only=True) as connection:
        torn = connection.sql(
            "select item_id from ml.predictions group by item_id, task having count(distinct split) > 1"
        ).fetchall()
    assert torn == []


def test_synthetic_results_are_labelled_so(finished: Finished) -> None:
    assert "synthetic" in finished.log


def test_a_second_run_changes_nothing_trains_nothing_and_never_disturbs_a_reader(finished: Finished) -> None:
    before = tables(finished.published)
    models = {path: path.stat().st_mtime_ns for path in finished.folder.rglob("*.skops")}
    stop = finished.folder / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(finished.published), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    answer = materialize(finished.folder)
    stop.touch()
    output, error = reader.communicate(timeout=60)
    assert answer.returncode == 0, answer.stdout[-4000:]
    assert reader.returncode == 0, error
    assert int(output.split()[0]) > 100
    assert {path: path.stat().st_mtime_ns for path in finished.folder.rglob("*.skops")} == models
    assert tables(finished.published) == before


def test_trained_models_alone_trains_what_is_missing(finished: Finished) -> None:
    config = {
        "trained_models": {"config": {"models": ["linear", "median"], "run_id": "my_run_123", "trials": 0}}
    }
    answer = materialize(finished.folder, "trained_models", config)
    assert answer.returncode == 0, answer.stdout[-4000:]
    folder = finished.folder / "warehouse" / "models" / "my_run_123"
    assert {path.name for path in folder.glob("*.skops")} == {"linear.skops", "median.skops"}


# What the log says when a stage is under way.
STAGES = (
    "START sql table model staging",
    "START sql table model training",
    "forest: ",
    "svm: ",
    "xgboost: done",
)


def test_killed_at_any_stage_and_run_again_gives_the_same_tables(finished: Finished, tmp_path: Path) -> None:
    for stage in STAGES:
        process = subprocess.Popen(
            command(),
            env=environment(tmp_path),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        seen = next((line for line in process.stdout if stage in line), None)
        # dbt is a child of the run: both must be gone.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert seen is not None, f"the run ended before {stage!r}"
    answer = materialize(tmp_path)
    assert answer.returncode == 0, answer.stdout[-4000:]
    resumed = tables(tmp_path / "warehouse" / "warehouse.duckdb")
    for table, rows in tables(finished.published).items():
        assert resumed[table] == rows, table


@pytest.mark.parametrize(
    ("settings", "select", "config", "sentence"),
    [
        ({"ISSUES_SOURCE": "nowhere"}, "raw_issues", {}, "There is no source 'nowhere'"),
        ({"ISSUES_SOURCE": "github"}, "raw_issues", {}, "github"),
        (
            {"ISSUES_SOURCE": "archive", "ISSUES_ARCHIVE": "/does/not/exist"},
            "raw_issues",
            {},
            "does not exist",
        ),
        ({"TICKET_SCOPE": "some"}, "raw_issues", {}, "must be one of all, assigned"),
        ({}, "trained_models", {}, "There is no training snapshot"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, settings: dict[str, str], select: str, config: dict[str, object], sentence: str
) -> None:
    answer = materialize(tmp_path, select, config, **settings)
    assert answer.returncode != 0
    assert sentence in answer.stdout
    assert not list(tmp_path.rglob("warehouse.duckdb"))


def test_an_unknown_model_is_refused_by_name(finished: Finished) -> None:
    config = {"trained_models": {"config": {"models": ["oracle"], "trials": 0}}}
    answer = materialize(finished.folder, "trained_models", config)
    assert answer.returncode != 0
    assert "There is no model 'oracle': choose from" in answer.stdout


def test_an_archive_of_nothing_useful_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "empty.jsonl").write_text(json.dumps({"no": "issue"}) + "\nnot json\n")
    answer = materialize(tmp_path, "raw_issues", {}, ISSUES_SOURCE="archive", ISSUES_ARCHIVE=str(archive))
    assert answer.returncode != 0
    assert "brought no issue that could be loaded (2 of 2 lines were rejected)" in answer.stdout
