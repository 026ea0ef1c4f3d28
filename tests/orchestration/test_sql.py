"""`python -m orchestration sql`: a question to the published file."""

import csv
import io
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from ml.bias.tables import columns
from ml.bias.tables.layout import typed
from orchestration.__main__ import main
from orchestration.tables import descriptions
from orchestration.views import VIEWS
from tests.published import publish, write_published


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is published, with the views, which need what the pipeline's own file holds."""
    pipeline = write_published(tmp_path / "pipeline.duckdb")
    with duckdb.connect(str(pipeline)) as database:
        database.execute(
            """
            create table bias.slice_metrics as
                select
                    'r1' as run_id, 'tickets' as domain, 'regression' as task, 'linear' as model,
                    'test' as split,
                    'repo' as dimension, slice, 50 as n, 1.0 as mae_log, 0.9 as ci_low, 1.1 as ci_high,
                    0.2 as effect, 0.01 as q_value, slice = 'a/c' as flagged, true as assessable,
                    -36.0 as mean_error, 0.1234 as skill
                from (values ('a/b'), ('a/c')) as slices (slice)
            """
        )
        for name in ("summary", "score_metrics"):
            nothing = typed(pd.DataFrame(columns=[column.name for column in columns(name)]), name)
            database.execute(f"create or replace table bias.{name} as from nothing")
            assert nothing.empty
    schemas = ("ml", "bias", "tickets", "history", "feature_store")
    publish(pipeline, tmp_path / "warehouse.duckdb", schemas, descriptions=descriptions(), views=VIEWS)
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    return tmp_path


def test_the_most_urgent_tickets_are_one_question_away(
    warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql", "from tickets.likely_late limit 2"]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["repository", "number", "title"]
    assert "The thing number 1 breaks" in first and "later no answer for 12 days" in first
    assert "a/b" in second
    assert main(["sql", "--csv", "select slice, flagged from bias.worst_slices"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["slice", "flagged"], ["a/c", "True"], ["a/b", "False"]]


def test_the_remaining_time_stands_beside_the_models_of_the_hours(
    warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    query = "select distinct model from tickets.leaderboard where split = 'test'"
    assert main(["sql", "--csv", query]) == 0
    said = set(capsys.readouterr().out.split())
    assert {"remaining", "linear"} < said and "late_scorer" not in said


def test_the_report_names_the_first_tickets_with_their_reasons(
    warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report"]) == 0
    head, first, *others, nothing, page = capsys.readouterr().out.splitlines()
    assert head.split() == ["ticket", "days_old", "open_in_7_days", "title", "why"]
    # The overdue one is aside, and one has no prediction.
    assert first.split()[:4] == ["a/c#1", "1", "80", "%"] and "no answer for 12 days" in first
    assert len(others) == 1 and not nothing and Path(page).is_file()


def test_every_column_of_a_view_says_what_it_is(warehouse: Path) -> None:
    with duckdb.connect(str(warehouse / "warehouse.duckdb"), read_only=True) as database:
        found = database.execute(
            """
            select view_name, column_name, columns.comment
            from duckdb_views() as views inner join duckdb_columns() as columns
                on views.view_name = columns.table_name and views.schema_name = columns.schema_name
            where not views.internal
            """
        ).fetchall()
    assert {view for view, *_ in found} == {view.name.split(".")[1] for view in VIEWS}
    assert [row for row in found if not row[2]] == []


def test_without_a_question_it_says_what_can_be_asked_about(
    warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql"]) == 0
    said = capsys.readouterr().out
    assert "tickets.likely_late" in said and "What is likely to be late?" in said and "ml.models" in said


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("select nothing from nowhere", "nowhere does not exist"),
        ("selct 1", "syntax error"),
        ("drop table ml.models", "read-only"),
        ("from read_text('/etc/hostname')", "disabled"),
        ("copy (select 1) to '/tmp/out.csv'", "disabled"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_sentence(
    warehouse: Path, capsys: pytest.CaptureFixture[str], query: str, sentence: str
) -> None:
    assert main(["sql", query]) == 1
    told = capsys.readouterr().err
    assert sentence in told and len(told.splitlines()) == 1


def test_a_name_is_answered_with_what_its_columns_mean(
    warehouse: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the end of the sentence, of a table and of a view; of what is not there in one sentence."""
    for name, column, meaning in (
        ("ml.models", "sha256", "Hash of that file, checked when it is loaded."),
        ("bias.promises", "mean_error_days", "negative promises too early an end."),
    ):
        assert main(["sql", name]) == 0
        (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{column} ")]
        assert line.endswith(meaning)
    assert main(["sql", "tickets.nothing"]) == 1
    told = capsys.readouterr().err
    assert "tickets.nothing" in told and "lists what is" in told and len(told.splitlines()) == 1


def test_before_anything_is_published_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    assert main(["sql", "select 1"]) == 1
    assert "run the pipeline first" in capsys.readouterr().err
