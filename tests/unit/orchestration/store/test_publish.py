"""Publishing: readers of the published file are never disturbed and never see half of it."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.store.warehouse import open_pipeline_database, quoted
from orchestration.views import View
from tests.paths import ROOT
from tests.published import publish

SCHEMAS = ("ml", "bias", "tickets")


def write_generation(pipeline: Path, generation: int, rows: int = 1000) -> None:
    """Two tables that belong together: both hold the same generation."""
    with open_pipeline_database(pipeline) as connection:
        for table in ("ml.models", "bias.summary"):
            schema = table.partition(".")[0]
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(
                f"create or replace table {table} as"
                f" select {generation} as generation, range as n from range({rows})"
            )


def read(database: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_descriptions_become_comments_and_what_is_absent_is_left_out(tmp_path: Path) -> None:
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb"
    write_generation(pipeline, 1)
    described = {
        "ml.models": ("It's the models.", {"n": "The model's 'number'.", "no_column": "…"}),
        "ml.no_table": ("…", {}),
    }
    publish(pipeline, published, SCHEMAS, descriptions=described)
    assert read(published, "select table_name, comment from duckdb_tables() order by all") == [
        ("models", "It's the models."),
        ("summary", ""),
    ]
    query = "select column_name, comment from duckdb_columns() where table_name = 'models' order by all"
    assert read(published, query) == [("generation", None), ("n", "The model's 'number'.")]


def test_a_view_is_made_where_its_tables_are_and_reads_them_wherever_the_file_lies(tmp_path: Path) -> None:
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb"
    write_generation(pipeline, 1, rows=3)
    views = (
        View(
            "bias.largest",
            "It's the largest.",
            ["bias.summary"],
            "select max(n) as n, count(*) as rows from bias.summary",
            {"rows": "How many there are."},
        ),
        View("tickets.late", "…", ["tickets.predictions"], "from tickets.predictions"),
    )
    for rows in (3, 5):
        write_generation(pipeline, 1, rows)
        described = {"bias.summary": ("The summary.", {"n": "A number.", "generation": "Which."})}
        publish(pipeline, published, SCHEMAS, descriptions=described, views=views)
        moved = published.rename(tmp_path / "moved.duckdb")
        assert read(moved, "from bias.largest") == [(rows - 1, rows)]
    known = "select view_name, comment from duckdb_views() where not internal"
    assert read(moved, known) == [("largest", "It's the largest.")]
    columns = "select column_name, comment from duckdb_columns() where table_name = 'largest' order by 1"
    assert read(moved, columns) == [("n", "A number."), ("rows", "How many there are.")]
    assert not list(tmp_path.glob("*.wal"))


def test_a_table_of_an_earlier_version_is_published_without_the_view_that_asks_for_more(
    tmp_path: Path,
) -> None:
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb"
    write_generation(pipeline, 1)
    views = [View("ml.newer", "Newer.", ("ml.models",), "select since_then from ml.models")]
    views += [View("ml.plain", "Plain.", ("ml.models",), "select n from ml.models")]
    publish(pipeline, published, SCHEMAS, views=views)
    assert read(published, "select view_name from duckdb_views() where not internal") == [("plain",)]
    assert read(published, "select count(*) from ml.plain") == [(1000,)]


def test_copies_the_schemas_that_exist_and_no_other(tmp_path: Path) -> None:
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "public place" / "ware'house.duckdb"
    write_generation(pipeline, 1)
    odd = quoted('odd " name; drop table x --')
    with open_pipeline_database(pipeline) as connection:
        connection.execute("create view bias.worst as select max(n) as n from bias.summary")
        connection.execute(f"create table bias.{odd} as select timestamp '2024-01-01' as {odd}")
        connection.execute("create schema intermediate; create table intermediate.secret as select 1 as n")

    rows = publish(pipeline, published, SCHEMAS)

    assert rows == {
        "bias.odd \" name; drop table x --": 1,
        "bias.summary": 1000,
        "bias.worst": 1,
        "ml.models": 1000,
    }  # fmt: skip
    assert read(published, "select table_schema, table_name from information_schema.tables order by all") == [
        ("bias", 'odd " name; drop table x --'),
        ("bias", "summary"),
        ("bias", "worst"),
        ("ml", "models"),
    ]
    assert read(published, "from bias.worst") == [(999,)]
    assert [path.name for path in published.parent.iterdir()] == [published.name]


def test_other_domains_stay_as_they_are_published(tmp_path: Path) -> None:
    """A run of another domain that is under way, or was refused, is nobody's business yet."""
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "ware'house.duckdb"

    def train(*generations: int, more: str = "") -> None:
        with open_pipeline_database(pipeline) as connection:
            rows = [
                f"select '{domain}' as domain, {generation} as generation {more}"
                for domain, generation in zip(("a", "b"), generations, strict=True)
            ]
            connection.execute("create schema if not exists ml; create schema if not exists tickets")
            connection.execute(f"create or replace table ml.models as {' union all '.join(rows)}")
            connection.execute(f"create or replace table tickets.served as select {generations[0]} as n")

    query = "select domain, generation from ml.models order by all"
    train(1, 1)
    assert publish(pipeline, published, SCHEMAS, ["a"])["ml.models"] == 1
    assert read(published, query) == [("a", 1)], "what was never ready was never published"
    train(2, 2)
    assert publish(pipeline, published, SCHEMAS, ["b"]) == {"ml.models": 2, "tickets.served": 1}
    assert read(published, query) == [("a", 1), ("b", 2)]
    assert read(published, "from tickets.served") == [(2,)], "a table of one domain has no column for it"
    train(3, 3, more=", 'new' as added")
    publish(pipeline, published, SCHEMAS, ["b"])
    assert read(published, "from ml.models order by all") == [("a", 1, None), ("b", 3, "new")]
    publish(pipeline, published, SCHEMAS)
    assert read(published, query) == [("a", 3), ("b", 3)]
    assert [path.name for path in tmp_path.iterdir() if "publishing" in path.name] == []


def test_nothing_to_publish_leaves_the_published_file_alone(tmp_path: Path) -> None:
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb"
    write_generation(pipeline, 1)
    publish(pipeline, published, SCHEMAS)
    with pytest.raises(
        ValueError, match=r"nothing to publish: .* has no table in tickets; run the pipeline first"
    ):
        publish(pipeline, published, ("tickets",))
    assert read(published, "select distinct generation from ml.models") == [(1,)]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb"
    write_generation(pipeline, 1)
    with open_pipeline_database(pipeline) as connection:
        connection.execute("create schema tickets; create view tickets.broken as select error('broken') as n")
    with pytest.raises(duckdb.Error, match="broken"):
        publish(pipeline, published, SCHEMAS)
    assert [path.name for path in tmp_path.iterdir()] == [pipeline.name]


def damage_by_a_writer(published: Path, secret: Path) -> None:
    """A client that opens the file for writing, changes it and dies before it has tidied up."""
    code = """
import os, sys, duckdb
client = duckdb.connect(sys.argv[1])
client.execute("set checkpoint_threshold = '1GB'; insert into ml.models values ('b', 666)")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code, str(published)], check=True)
    assert published.with_name(f"{published.name}.wal").exists()


def damage_by_a_log(published: Path, secret: Path) -> None:
    published.with_name(f"{published.name}.wal").write_bytes(b"of another database")


def damage_by_a_view(published: Path, secret: Path) -> None:
    with duckdb.connect(str(published)) as client:
        client.execute("drop table ml.models")
        client.execute(
            "create view ml.models as select 'b' as domain, length(content) as generation"
            f" from read_text('{secret}')"
        )


def damage_by_a_cut(published: Path, secret: Path) -> None:
    published.write_bytes(published.read_bytes()[:5000])


def damage_by_another_file(published: Path, secret: Path) -> None:
    published.write_text("no database")


@pytest.mark.parametrize(
    "damage",
    [damage_by_a_writer, damage_by_a_log, damage_by_a_view, damage_by_a_cut, damage_by_another_file],
)
def test_whatever_was_done_to_the_published_file_the_next_one_is_right(
    tmp_path: Path, damage: Callable[[Path, Path], None]
) -> None:
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb"
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    with open_pipeline_database(pipeline) as connection:
        connection.execute(
            "create schema ml;"
            "create table ml.models as from (values ('a', 1), ('b', 1)) as t(domain, generation)"
        )
    publish(pipeline, published, SCHEMAS)
    with open_pipeline_database(pipeline) as connection:
        connection.execute("update ml.models set generation = 2")

    damage(published, secret)
    publish(pipeline, published, SCHEMAS, ["a"])

    assert read(published, "from ml.models order by all") == [("a", 2), ("b", 1)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [pipeline.name, "secret", published.name]


def test_what_another_wrote_into_the_published_file_is_not_taken_over(tmp_path: Path) -> None:
    """Even before the pipeline has published anything itself."""
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb"
    for database in (pipeline, published):
        with open_pipeline_database(database) as connection:
            connection.execute(
                "create schema ml; create table ml.models as from (values ('a', 1), ('b', 1)) as t(domain, n)"
            )
    assert publish(pipeline, published, SCHEMAS, ["a"]) == {"ml.models": 1}
    assert read(published, "from ml.models") == [("a", 1)]


READER = """
import sys, time
from pathlib import Path
import duckdb
published, stop = sys.argv[1], Path(sys.argv[2])
seen, reads, slowest = set(), 0, 0.0
while not stop.exists():
    started = time.monotonic()
    with duckdb.connect(published, read_only=True) as connection:
        both = connection.execute(
            "select (select any_value(generation) from ml.models), count(*), any_value(generation)"
            " from bias.summary"
        ).fetchall()
    slowest = max(slowest, time.monotonic() - started)
    [(one, rows, other)] = both
    assert one == other and rows == 1000, both
    seen.add(one)
    reads += 1
    if reads == 1:
        print("reading", flush=True)
print(reads, len(seen), slowest)
"""


def test_a_reader_that_polls_never_fails_and_never_blocks(tmp_path: Path) -> None:
    pipeline, published, stop = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb", tmp_path / "stop"
    write_generation(pipeline, 0)
    publish(pipeline, published, SCHEMAS)
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(published), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout
        assert reader.stdout.readline() == "reading\n"
        for generation in range(1, 11):
            write_generation(pipeline, generation)
            publish(pipeline, published, SCHEMAS)
        stop.touch()
        output, errors = reader.communicate(timeout=60)
    assert reader.returncode == 0, errors
    reads, generations, slowest = map(float, output.split())
    assert reads > 20
    assert generations >= 5
    assert slowest < 5


def test_a_reader_that_keeps_the_file_open_keeps_its_content(tmp_path: Path) -> None:
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb"
    write_generation(pipeline, 1)
    publish(pipeline, published, SCHEMAS)
    with duckdb.connect(str(published), read_only=True) as reader:
        write_generation(pipeline, 2)
        publish(pipeline, published, SCHEMAS)
        assert reader.execute("select distinct generation from ml.models").fetchall() == [(1,)]
    assert read(published, "select distinct generation from ml.models") == [(2,)]


PUBLISH = """
import sys
from pathlib import Path
from tests.published import publish
print("publishing", flush=True)
while True:
    publish(Path(sys.argv[1]), Path(sys.argv[2]), ("ml", "bias"))
"""


@pytest.mark.parametrize("seconds", [0.05, 0.15, 0.3])
def test_killed_while_publishing_leaves_a_whole_file_and_no_leftovers_for_long(
    tmp_path: Path, seconds: float
) -> None:
    pipeline, published = tmp_path / "pipeline.duckdb", tmp_path / "warehouse.duckdb"
    write_generation(pipeline, 1, rows=1000)
    publish(pipeline, published, SCHEMAS)
    write_generation(pipeline, 2, rows=1_000_000)
    with subprocess.Popen(
        [sys.executable, "-c", PUBLISH, str(pipeline), str(published)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "publishing\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)

    [(models,)] = read(published, "select count(*) from ml.models")
    [(summary,)] = read(published, "select count(*) from bias.summary")
    assert models == summary
    assert models in (1000, 1_000_000)
    # As a killed process may leave them, whenever it was killed.
    (tmp_path / ".warehouse.duckdb.publishing").write_text("half a file")
    (tmp_path / ".warehouse.duckdb.publishing.wal").write_text("half a log")
    publish(pipeline, published, SCHEMAS)
    assert read(published, "select count(*) from ml.models") == [(1_000_000,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [pipeline.name, published.name]
