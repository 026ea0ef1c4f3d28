"""Transforms on a Spark cluster of two executor processes, by settings alone: the rows are DuckDB's.

Of the sample the contract's relations; where that is asked for (`make test-scale`), all models and all their
tests on a cut of about 5,000 issues of the corpus, too.
"""

import gzip
import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import psutil
import pytest

from orchestration.settings import DBT_MANIFEST
from orchestration.store.feature_registry import lineage
from tests.integration.pipeline import Finished, materialize
from tests.paths import ISSUES

pytestmark = pytest.mark.cluster
# Sums and means of doubles, logarithms and roots: their last digits are each engine's own.
RELATIVE = 1e-9
# Of the records of every repository, so that about 5,000 are issues.
SHARE = 0.0735
# Little data, and each query runs once: what is compiled for it would cost more than it saves.
CONF = """
spark.ui.enabled false
spark.ui.showConsoleProgress false
spark.driver.memory 1g
spark.driver.defaultJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.executor.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.default.parallelism 2
spark.sql.shuffle.partitions 2
spark.sql.adaptive.enabled false
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
"""


def contract() -> list[str]:
    """The training and label relations, and every model that they are made of."""
    manifest = json.loads(DBT_MANIFEST.read_text())
    nodes = manifest["nodes"]
    wanted = {key for key in nodes if key.rpartition(".")[2].startswith(("train_", "label_"))}
    needed = wanted.union(*(lineage(manifest, key) for key in wanted))
    return sorted(
        nodes[key]["name"] for key in needed & set(nodes) if nodes[key]["resource_type"] in ("model", "seed")
    )


class Executors(threading.Thread):
    """Counts the executor processes of Spark that this process has started, however indirectly."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: Counter[int] = Counter()
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.wait(0.5):
            for process in psutil.Process().children(recursive=True):
                try:
                    if any("CoarseGrainedExecutorBackend" in word for word in process.cmdline()):
                        self.seen[process.pid] += 1
                except psutil.Error:
                    continue

    def lasting(self) -> list[int]:
        """Those that were there for most of the time: at its end a cluster starts others for a moment."""
        return [pid for pid, times in self.seen.items() if times > max(self.seen.values()) / 2]


def cut(target: Path) -> None:
    """Write the first part of every dump of the corpus."""
    target.mkdir()
    for dump in sorted(ISSUES.glob("*.jsonl.gz")):
        lines = gzip.decompress(dump.read_bytes()).decode().splitlines()
        part = "\n".join(lines[: max(1, round(len(lines) * SHARE))])
        (target / dump.name).write_bytes(gzip.compress(part.encode()))


@pytest.fixture(scope="module", params=["sample", pytest.param("cut", marks=pytest.mark.scale)])
def on_duckdb(
    request: pytest.FixtureRequest, finished: Finished, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The pipeline's database after DuckDB has transformed what is in it."""
    if request.param == "sample":
        return finished.folder / "warehouse" / "pipeline.duckdb"
    if request.config.option.markexpr != "scale":
        pytest.skip("it takes minutes: make test-scale")
    if not ISSUES.is_dir():
        pytest.skip(f"{ISSUES} is not there")
    folder = tmp_path_factory.mktemp("cut")
    cut(folder / "archive")
    settings = {"ISSUES_SOURCE": "archive", "ISSUES_ARCHIVE": str(folder / "archive")}
    answer = materialize(folder, "key:raw_issues or key:raw_alerts or kind:dbt", {}, **settings)
    assert answer.returncode == 0, answer.stdout[-4000:]
    return folder / "warehouse" / "pipeline.duckdb"


@pytest.fixture(scope="module")
def on_spark(
    request: pytest.FixtureRequest, on_duckdb: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The pipeline's database after the same raw tables were transformed on Spark."""
    pytest.importorskip("dbt.adapters.spark", reason="dbt-spark is not installed: make setup-cluster")
    pytest.importorskip("pyspark", reason="pyspark is not installed: make setup-cluster")
    if not shutil.which("java"):
        pytest.skip("there is no Java: install openjdk-17-jre-headless")
    folder = tmp_path_factory.mktemp("spark")
    (folder / "warehouse").mkdir()
    (folder / "conf").mkdir()
    (folder / "conf" / "spark-defaults.conf").write_text(CONF)
    database = folder / "warehouse" / "pipeline.duckdb"
    shutil.copyfile(on_duckdb, database)
    is_whole = request.config.option.markexpr == "scale"
    # Of the sample the rows are compared whole: asking them more would cost minutes.
    own = {} if is_whole else {"DBT_EXCLUDE_RESOURCE_TYPES": "test unit_test"}
    left_over = folder / "warehouse" / "spark" / "tables" / "training.db" / "label_tickets"
    left_over.mkdir(parents=True)
    (left_over / "of-a-killed-run").touch()
    executors = Executors()
    executors.start()
    answer = materialize(
        folder,
        select="kind:dbt" if is_whole else ",".join(contract()),
        config={},
        DBT_TARGET="spark",
        SPARK_MASTER="local-cluster[2,1,1100]",
        SPARK_CONF_DIR=str(folder / "conf"),
        **own,
    )
    executors.is_over.set()
    assert answer.returncode == 0, answer.stdout[-4000:]
    assert len(executors.lasting()) == 2
    yield database


def difference(database: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    """What differs between the engines' rows, compared in the order of all but their doubles."""
    columns = database.execute(f"describe duck.training.{relation}").fetchall()
    if columns != database.execute(f"describe spark.training.{relation}").fetchall():
        return ["columns"]
    doubles = [name for name, kind, *_ in columns if kind == "DOUBLE"]
    exact = [f'"{name}"' for name, *_ in columns if name not in doubles]
    numbered = (
        f"select *, row_number() over (order by {', '.join(exact)}) as place from {{}}.training.{relation}"
    )
    same = [f"duck.{name} is not distinct from spark.{name}" for name in exact] + [
        f'(duck."{name}" is not distinct from spark."{name}" or abs(duck."{name}" - spark."{name}")'
        f' <= {RELATIVE} * greatest(abs(duck."{name}"), abs(spark."{name}")))'
        for name in doubles
    ]
    counts = ", ".join(f"count(*) filter ({one} is not true)" for one in same)
    found = database.execute(
        f"select {counts} from ({numbered.format('duck')}) as duck"
        f" full join ({numbered.format('spark')}) as spark using (place)"
    ).fetchone()
    names = [*exact, *doubles]
    return [f"{names[i]}: {count} rows" for i, count in enumerate(found or ()) if count]


def test_every_training_and_label_relation_has_equal_rows_on_both(on_duckdb: Path, on_spark: Path) -> None:
    with duckdb.connect() as database:
        database.execute("set TimeZone = 'UTC'")
        database.execute(f"attach '{on_duckdb}' as duck (read_only)")
        database.execute(f"attach '{on_spark}' as spark (read_only)")
        relations = [name for name in contract() if name.startswith(("train_", "label_"))]
        views = database.execute(
            "select table_name from information_schema.tables"
            " where table_catalog = 'spark' and table_schema = 'training' and table_type = 'VIEW'"
        ).fetchall()
        rows = {
            name: (database.execute(f"select count(*) from duck.training.{name}").fetchone() or (0,))[0]
            for name in relations
        }
        assert {name for (name,) in views} >= set(relations) and len(relations) >= 10
        assert all(rows.values())
        assert not {name: found for name in relations if (found := difference(database, name))}
