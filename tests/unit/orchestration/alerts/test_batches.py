"""Alert batches: a damaged one is refused as a whole, the others load, and nothing is loaded twice."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from orchestration.domains.alerts.loading import AlertLoadReport, load_alert_batches
from orchestration.domains.alerts.sources.batches import (
    FILES,
    AlertBatchSource,
    AlertSampleSource,
    LandedBatch,
    get_alert_source,
)
from orchestration.domains.alerts.sources.sample import write_sample
from orchestration.store.landing import SourceError
from orchestration.store.warehouse import open_pipeline_database
from tests.paths import ALERT_BATCHES

BATCH = "2024-02-19/28"
TABLES = ["raw.alert_batches", *(f"raw.alert_{name}" for name in FILES), "raw.alert_accounts"]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, bytes]:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def delivered(pristine: dict[Path, bytes], tmp_path: Path) -> Path:
    """The first three batches of the sample, delivered as if they were real."""
    days = sorted({path.parts[1] for path in pristine if path.parts[0] == "batches"})[:3]
    for path, content in pristine.items():
        if path.parts[0] != "batches" or path.parts[1] in days:
            (tmp_path / "delivered" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "delivered" / path).write_bytes(content)
    return tmp_path / "delivered"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_pipeline_database(tmp_path / "pipeline.duckdb") as opened:
        yield opened


def load(connection: duckdb.DuckDBPyConnection, folder: Path, landing: Path) -> AlertLoadReport:
    source = AlertBatchSource(folder)
    return load_alert_batches(
        connection, source.land(landing), source=source.name, loaded_at=datetime(2024, 6, 1)
    )


def change(
    folder: Path, name: str, edit: Callable[[pa.Table], pa.Table], batch: str = BATCH, *, declare: bool = True
) -> None:
    """Edit one file of a batch; `declare` brings META.json up to date with it."""
    home = folder / "batches" / batch
    path = home / f"{name}.parquet"
    table = edit(pq.read_table(path))
    pq.write_table(table, path)
    if declare:
        meta = json.loads((home / "META.json").read_text())
        md5 = hashlib.md5(path.read_bytes()).hexdigest()
        meta["files"][path.name] = {"rows": table.num_rows, "md5": md5}
        (home / "META.json").write_text(json.dumps(meta))


def put(column: str, value: object, row: int = 0) -> Callable[[pa.Table], pa.Table]:
    """Replace one value."""

    def edit(table: pa.Table) -> pa.Table:
        values = table[column].to_pylist()
        values[row] = value
        position = table.schema.get_field_index(column)
        return table.set_column(position, column, pa.array(values, type=table.schema.field(column).type))

    return edit


def twice(table: pa.Table) -> pa.Table:
    return pa.concat_tables([table, table.slice(0, 1)])


def content(
    connection: duckdb.DuckDBPyConnection, *, but: tuple[str, ...] = ()
) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: connection.sql(f"from {name} order by all").fetchall() for name in TABLES if name not in but
    }


def test_loads_every_row_and_accounts_for_every_batch(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    report = load(connection, delivered, tmp_path / "landing")

    batches = sorted((delivered / "batches").glob("*/*"))
    assert report.loaded == tuple(f"{path.parent.name}/{path.name}" for path in batches)
    assert report.refused == {}
    for name in FILES:
        rows = sum(pq.read_metadata(path / f"{name}.parquet").num_rows for path in batches)
        assert report.rows[f"alert_{name}"] == rows > 0
        assert connection.sql(f"select count(*) from raw.alert_{name}").fetchall() == [(rows,)]
    status, files, landed = connection.sql(
        f"select status, files, source from raw.alert_batches where batch_id = '{BATCH}'"
    ).fetchall()[0]
    assert (status, landed) == ("loaded", "alert_batches")
    declared = json.loads((delivered / "batches" / BATCH / "META.json").read_text())["files"]
    assert {file["file"]: {"rows": file["row_count"], "md5": file["md5"]} for file in files} == declared
    for file in files:
        assert hashlib.md5((tmp_path / "landing" / file["landed_as"]).read_bytes()).hexdigest() == file["md5"]


def test_values_and_accounts_arrive_as_delivered(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    load(connection, delivered, tmp_path / "landing")
    expected = pq.read_table(delivered / "batches" / BATCH / "alerts.parquet").sort_by("alert_id").to_pylist()
    columns = ["alert_id", "address", "volume_usd", "risk_indicators", "created_at"]
    found = connection.sql(
        f"select {', '.join(columns)} from raw.alert_alerts where batch_id = '{BATCH}' order by alert_id"
    ).fetchall()
    assert found == [tuple(row[column] for column in columns) for row in expected]
    accounts = pq.read_table(delivered / "accounts.parquet").num_rows
    assert connection.sql("select count(*) from raw.alert_accounts").fetchall() == [(accounts,)]


def test_the_same_batches_again_change_nothing(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    load(connection, delivered, tmp_path / "landing")
    before = content(connection)
    report = load(connection, delivered, tmp_path / "landing")
    assert (report.loaded, report.unchanged) == ((), 3)
    assert content(connection) == before


def test_a_layout_without_the_folder_batches_is_the_same(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    report = load(connection, delivered / "batches", tmp_path / "landing")
    assert len(report.loaded) == 3
    assert "alert_accounts" not in report.rows


Break = Callable[[Path], object]

BREAKS: dict[str, tuple[Break, str]] = {
    "a missing file": (
        lambda folder: (folder / "batches" / BATCH / "clusters.parquet").unlink(),
        r"clusters\.parquet: the file is missing",
    ),
    "no META.json": (
        lambda folder: (folder / "batches" / BATCH / "META.json").unlink(),
        r"META\.json: the file is missing",
    ),
    "META.json of another batch": (
        lambda folder: (folder / "batches" / BATCH / "META.json").write_bytes(
            (folder / "batches" / "2024-02-12" / "28" / "META.json").read_bytes()
        ),
        r"META\.json: it describes the batch 2024-02-12/28, not 2024-02-19/28",
    ),
    "a broken META.json": (
        lambda folder: (folder / "batches" / BATCH / "META.json").write_text("{"),
        r"META\.json: it is no JSON",
    ),
    "a META.json without a file": (
        lambda folder: (folder / "batches" / BATCH / "META.json").write_text(
            '{"processing_date": "2024-02-19", "window_days": 28, "files": {}}'
        ),
        r"META\.json: it says nothing about alerts\.parquet",
    ),
    "a wrong md5": (
        lambda folder: change(folder, "features", put("kcore", 9.0), declare=False),
        r"features\.parquet: its md5 is [0-9a-f]{32}, META\.json says [0-9a-f]{32}",
    ),
    "a wrong row count": (
        lambda folder: (folder / "batches" / BATCH / "META.json").write_text(
            json.dumps(with_rows(json.loads((folder / "batches" / BATCH / "META.json").read_text()), 7))
        ),
        r"money_flows\.parquet: it has \d+ rows, META\.json says 7",
    ),
    "a missing column": (
        lambda folder: change(folder, "features", lambda table: table.drop_columns(["pagerank"])),
        r"features\.parquet: the required column pagerank is missing",
    ),
    "a number that is none": (
        lambda folder: change(
            folder,
            "money_flows",
            lambda table: table.set_column(
                table.schema.get_field_index("tx_count"), "tx_count", pa.array(["many"] * table.num_rows)
            ),
        ),
        r"money_flows\.parquet: \d+ values of the column tx_count are empty or no bigint",
    ),
    "an alert without an address": (
        lambda folder: change(folder, "alerts", put("address", None)),
        r"alerts\.parquet: 1 values of the column address are empty or no varchar",
    ),
    "a number without end": (
        lambda folder: change(folder, "features", put("total_in_usd", float("inf"))),
        r"features\.parquet: 1 values of the column total_in_usd are empty or no finite number",
    ),
    "a negative volume": (
        lambda folder: change(folder, "alerts", put("volume_usd", -1.0)),
        r"alerts\.parquet: the volume of SYNTHETIC-\S+ is negative",
    ),
    "an alert twice": (
        lambda folder: change(folder, "alerts", twice),
        r"alerts\.parquet: alert_id SYNTHETIC-\S+ occurs twice",
    ),
    "an unknown severity": (
        lambda folder: change(folder, "alerts", put("severity", "grave")),
        r"alerts\.parquet: severity grave is none of info, low, medium, high, critical",
    ),
    "a confidence above one": (
        lambda folder: change(folder, "alerts", put("alert_confidence_score", 1.5)),
        r"alerts\.parquet: the confidence of SYNTHETIC-\S+ is not between 0 and 1",
    ),
    "an address twice": (
        lambda folder: change(folder, "features", twice),
        r"features\.parquet: address synthetic\d+ occurs twice in its network",
    ),
    "rows of another day": (
        lambda folder: change(folder, "clusters", put("processing_date", date(2024, 2, 12))),
        r"clusters\.parquet: 1 rows have another processing_date",
    ),
    "a cluster of unknown alerts": (
        lambda folder: change(folder, "clusters", put("related_alert_ids", ["nobody"])),
        r"clusters\.parquet: alert nobody is not in alerts\.parquet",
    ),
    "a label of an unknown alert": (
        lambda folder: change(folder, "ground_truth", put("alert_id", "nobody")),
        r"ground_truth\.parquet: alert nobody is not in alerts\.parquet",
    ),
    "a third label": (
        lambda folder: change(folder, "ground_truth", put("ground_truth", 2)),
        r"ground_truth\.parquet: the label 2 is neither 0 nor 1",
    ),
    **{
        f"a label that a cast would round: {label!r}": (
            lambda folder, label=label: change(folder, "ground_truth", labels_like(label)),
            r"ground_truth\.parquet: \d+ values of the column ground_truth are empty or no bigint",
        )
        for label in (0.4, 0.6, 1.49, "0.6", "yes", float("nan"), float("inf"))
    },
    **{
        f"META.json with the rows {text}": (
            lambda folder, text=text: declare_rows(folder / "batches" / BATCH, text),
            rf"META\.json: {reason}",
        )
        for text, reason in {
            "Infinity": "inf is no number of rows",
            "NaN": "nan is no number of rows",
            "1e400": "inf is no number of rows",
            "9" * 30: r"9{30} is no number of rows",
            "9" * 5000: ".*digits.*",
            "-1": "-1 is no number of rows",
            "1.5": r"1\.5 is no number of rows",
            "true": "True is no number of rows",
            "[" * 100_000 + "]" * 100_000: "it is nested too deeply",
            '{"a": 1}': r"\{'a': 1\} is no number of rows",
            " " * 2_000_000 + "1": "it has more than 1,048,576 bytes",
        }.items()
    },
    "a label before the batch": (
        lambda folder: change(folder, "ground_truth", put("labelled_at", datetime(2024, 2, 18))),
        r"ground_truth\.parquet: the label of SYNTHETIC-\S+ is older than the batch",
    ),
    "a file that is no Parquet": (
        lambda folder: spoil(folder / "batches" / BATCH),
        r"alerts\.parquet: it cannot be read \(.+\)",
    ),
}


def with_rows(meta: dict[str, dict[str, dict[str, int]]], rows: int) -> dict[str, dict[str, dict[str, int]]]:
    meta["files"]["money_flows.parquet"]["rows"] = rows
    return meta


def labels_like(label: object) -> Callable[[pa.Table], pa.Table]:
    """All labels of the type of `label`, which takes the place of the first."""

    def edit(table: pa.Table) -> pa.Table:
        labels = [type(label)(value) for value in table["ground_truth"].to_pylist()]  # type: ignore[call-arg]
        position = table.schema.get_field_index("ground_truth")
        return table.set_column(position, "ground_truth", pa.array([label, *labels[1:]]))

    return edit


def declare_rows(home: Path, text: str) -> None:
    """Write the JSON `text` where META.json gives the rows of a file."""
    meta = with_rows(json.loads((home / "META.json").read_text()), 123_456_789)
    (home / "META.json").write_text(json.dumps(meta).replace("123456789", text))


def spoil(home: Path) -> None:
    (home / "alerts.parquet").write_bytes(b"no parquet at all")
    meta = json.loads((home / "META.json").read_text())
    meta["files"]["alerts.parquet"]["md5"] = hashlib.md5(b"no parquet at all").hexdigest()
    (home / "META.json").write_text(json.dumps(meta))


@pytest.mark.parametrize("name", BREAKS)
def test_a_damaged_batch_is_refused_as_a_whole_and_the_others_load(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path, name: str
) -> None:
    damage, reason = BREAKS[name]
    damage(delivered)

    report = load(connection, delivered, tmp_path / "landing")

    assert report.loaded == ("2024-02-12/28", "2024-02-26/28")
    assert list(report.refused) == [BATCH]
    for file in FILES:
        batches = connection.sql(f"select distinct batch_id from raw.alert_{file} order by 1").fetchall()
        assert batches == [("2024-02-12/28",), ("2024-02-26/28",)]
    status, found = connection.sql(
        f"select status, reason from raw.alert_batches where batch_id = '{BATCH}'"
    ).fetchall()[0]
    assert status == "refused"
    assert re.fullmatch(reason, found), found


def test_an_alert_of_an_earlier_batch_is_refused(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    first = pq.read_table(delivered / "batches" / "2024-02-12" / "28" / "alerts.parquet")["alert_id"][
        0
    ].as_py()
    alerts = pq.read_table(delivered / "batches" / BATCH / "alerts.parquet")
    in_no_cluster = pc.index(
        pc.is_in(
            alerts["alert_id"],
            pq.read_table(delivered / "batches" / BATCH / "clusters.parquet")["related_alert_ids"]
            .combine_chunks()
            .flatten(),
        ),
        False,
    ).as_py()
    change(delivered, "alerts", put("alert_id", first, in_no_cluster))
    change(delivered, "ground_truth", put("alert_id", first, in_no_cluster))

    report = load(connection, delivered, tmp_path / "landing")

    assert report.refused == {
        BATCH: f"alerts.parquet: alert_id {first} is in the batch 2024-02-12/28 already"
    }


def test_a_repaired_batch_is_loaded_and_its_refusal_forgotten(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    path = delivered / "batches" / BATCH / "clusters.parquet"
    sound = path.read_bytes()
    path.unlink()
    load(connection, delivered, tmp_path / "landing")
    path.write_bytes(sound)

    report = load(connection, delivered, tmp_path / "landing")

    assert (report.loaded, report.unchanged) == ((BATCH,), 2)
    assert connection.sql("select distinct status, reason from raw.alert_batches").fetchall() == [
        ("loaded", None)
    ]


def test_a_corrected_batch_replaces_what_was_loaded_of_it(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    load(connection, delivered, tmp_path / "landing")
    rows = connection.sql("select count(*) from raw.alert_ground_truth").fetchall()
    change(delivered, "ground_truth", put("labelled_at", datetime(2024, 3, 30)))

    report = load(connection, delivered, tmp_path / "landing")

    assert report.loaded == (BATCH,)
    assert connection.sql("select count(*) from raw.alert_ground_truth").fetchall() == rows
    changed = "select count(*) from raw.alert_ground_truth where labelled_at = '2024-03-30'"
    assert connection.sql(f"{changed} and batch_id = '{BATCH}'").fetchall() == [(1,)]


def test_a_damaged_delivery_of_a_loaded_batch_keeps_what_was_loaded(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    load(connection, delivered, tmp_path / "landing")
    before = content(connection, but="raw.alert_batches")
    (delivered / "batches" / BATCH / "clusters.parquet").unlink()

    for _ in range(2):
        report = load(connection, delivered, tmp_path / "landing")
        assert list(report.refused) == [BATCH]
        assert content(connection, but="raw.alert_batches") == before
        assert connection.sql(
            f"select status, reason from raw.alert_batches where batch_id = '{BATCH}'"
        ).fetchall() == [("loaded", "a later delivery was refused: clusters.parquet: the file is missing")]


def test_a_failure_in_the_middle_leaves_nothing_behind(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    (delivered / "accounts.parquet").write_bytes(b"no parquet")
    with pytest.raises(SourceError, match=r"accounts\.parquet needs the columns address, network, region"):
        load(connection, delivered, tmp_path / "landing")
    assert all(rows == [] for rows in content(connection).values())


def test_an_account_without_a_network_is_refused_in_one_sentence(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    path = delivered / "accounts.parquet"
    pq.write_table(put("network", None)(pq.read_table(path)), path)
    with pytest.raises(SourceError, match="has an address without a network, on which"):
        load(connection, delivered, tmp_path / "landing")


def test_a_warehouse_older_than_the_network_of_flows_is_read_again(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    load(connection, delivered, tmp_path / "landing")
    new = content(connection)
    connection.execute("alter table raw.alert_money_flows drop column network")
    connection.execute("create or replace table raw.alert_accounts (address varchar primary key)")

    assert len(load(connection, delivered, tmp_path / "landing").loaded) == 3
    assert content(connection) == new

    connection.execute("alter table raw.alert_money_flows drop column network")
    before = content(connection)
    shutil.rmtree((delivered / "batches" / BATCH).parent)
    with pytest.raises(SourceError, match=f"its batch {BATCH} is not delivered any more: put it back"):
        load(connection, delivered, tmp_path / "landing")
    assert content(connection) == before


def test_synthetic_alerts_make_room_for_real_ones(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    sample = AlertSampleSource()
    synthetic = load_alert_batches(connection, sample.land(tmp_path / "landing"), source=sample.name)
    report = load(connection, delivered, tmp_path / "landing")

    assert report.synthetic_removed == synthetic.rows["alert_alerts"]
    assert len(report.loaded) == 3
    assert connection.sql(
        "select distinct source, count(*) from raw.alert_batches group by 1"
    ).fetchall() == [("alert_batches", 3)]
    for name in FILES:
        assert connection.sql(f"select count(distinct batch_id) from raw.alert_{name}").fetchall() == [(3,)]


def test_synthetic_alerts_are_refused_beside_real_ones(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    load(connection, delivered, tmp_path / "landing")
    before = content(connection)
    sample = AlertSampleSource()
    with pytest.raises(SourceError, match="holds 3 real alert batches; synthetic ones never join them"):
        load_alert_batches(connection, sample.land(tmp_path / "landing"), source=sample.name)
    assert content(connection) == before


def test_the_sample_has_the_same_bytes_every_time(pristine: dict[Path, bytes], tmp_path: Path) -> None:
    write_sample(tmp_path)
    assert {
        path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    } == pristine
    assert len([path for path in pristine if path.name == "META.json"]) == 10


def test_the_sample_says_what_it_is_and_has_something_to_learn(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    source = get_alert_source(None)
    report = load_alert_batches(connection, source.land(tmp_path / "landing"), source=source.name)

    assert (source.name, len(report.loaded), report.refused) == ("sample", 10, {})
    assert connection.sql(
        "select bool_and(starts_with(alert_id, 'SYNTHETIC-')) from raw.alert_alerts"
    ).fetchall() == [(True,)]
    share, gap, late = connection.sql(
        """
        select
            avg(ground_truth),
            avg(reciprocity_ratio) filter (ground_truth = 1)
                - avg(reciprocity_ratio) filter (ground_truth = 0),
            bool_and(date_diff('day', processing_date, labelled_at) between 5 and 30)
        from raw.alert_ground_truth
        join raw.alert_alerts using (batch_id, processing_date, alert_id)
        join raw.alert_features using (batch_id, processing_date, network, address)
        """
    ).fetchall()[0]
    assert 0.1 < share < 0.35
    assert gap > 0.1
    assert late


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: None, "does not exist: set ALERT_BATCHES"),
        (lambda folder: folder.mkdir(), "holds no batch"),
        (lambda folder: (folder / "2024-02-31" / "28").mkdir(parents=True), "is named after no day"),
    ],
)
def test_a_folder_without_batches_is_an_error_in_one_sentence(
    tmp_path: Path, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path / "nothing")
    with pytest.raises(SourceError, match=message):
        get_alert_source(tmp_path / "nothing").land(tmp_path / "landing")


def test_the_identity_of_a_batch_is_its_content() -> None:
    day = date(2024, 1, 1)
    assert LandedBatch(day, 28).content_id == LandedBatch(day, 28).content_id
    assert LandedBatch(day, 28).content_id != LandedBatch(day, 28, problem="a file is missing").content_id


@pytest.mark.skipif(not ALERT_BATCHES.exists(), reason="the corpus is not on this machine")
def test_all_real_batches_load(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = load(connection, ALERT_BATCHES, tmp_path / "landing")
    assert (len(report.loaded), report.refused) == (22, {})
    assert report.rows == {
        "alert_alerts": 4683,
        "alert_features": 3766,
        "alert_clusters": 806,
        "alert_money_flows": 24856,
        "alert_ground_truth": 4683,
        "alert_accounts": 6000,
    }


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("0xAbC123", "0xABC123"),
        ("0XABCDEF", "0xabcdef"),
        ("AB" * 20, "ab" * 20),
        ("DeadBeef" * 8, "deadbeef" * 8),
    ],
)
def test_hexadecimal_addresses_are_the_same_in_any_case(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path, address: str, same: str
) -> None:
    name_an_address(delivered, BATCH, address)
    name_an_address(delivered, "2024-02-26/28", same)
    load(connection, delivered, tmp_path / "landing")
    for column in ("alerts.address", "clusters.primary_address", "money_flows.from_address"):
        table, _, name = column.partition(".")
        found = connection.execute(
            f"select {name}, count(distinct batch_id) from raw.alert_{table} where lower({name}) = lower($1)"
            " group by all",
            [address],
        ).fetchall()
        assert found == [(address.lower(), 2)], column
    involved = "select count(*) from raw.alert_clusters where list_contains(addresses_involved, $1)"
    assert connection.execute(involved, [address.lower()]).fetchall()[0][0] >= 2


def test_addresses_of_other_alphabets_keep_their_case(
    connection: duckdb.DuckDBPyConnection, delivered: Path, tmp_path: Path
) -> None:
    for batch, address in ((BATCH, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT"), ("2024-02-26/28", "0xNoHex")):
        name_an_address(delivered, batch, address)
    load(connection, delivered, tmp_path / "landing")
    found = connection.execute(
        "select address from raw.alert_alerts where address <> lower(address)"
    ).fetchall()
    assert {address for (address,) in found} >= {"1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "0xNoHex"}


def name_an_address(folder: Path, batch: str, address: str) -> None:
    """Call the primary address of the batch's first cluster `address` wherever it occurs."""
    clusters = pq.read_table(folder / "batches" / batch / "clusters.parquet")
    alerts = pq.read_table(folder / "batches" / batch / "alerts.parquet")
    flows = pq.read_table(folder / "batches" / batch / "money_flows.parquet")
    paying = set(flows["from_address"].to_pylist()) & set(alerts["address"].to_pylist())
    old = next(primary for primary in clusters["primary_address"].to_pylist() if primary in paying)

    def edit(table: pa.Table) -> pa.Table:
        for position, name in enumerate(table.column_names):
            if "address" in name:
                values = [
                    [address if each == old else each for each in value]
                    if isinstance(value, list)
                    else address
                    if value == old
                    else value
                    for value in table[name].to_pylist()
                ]
                table = table.set_column(position, name, pa.array(values, type=table.schema.field(name).type))
        return table

    for name in FILES:
        if any(
            "address" in column
            for column in pq.read_schema(folder / "batches" / batch / f"{name}.parquet").names
        ):
            change(folder, name, edit, batch)
