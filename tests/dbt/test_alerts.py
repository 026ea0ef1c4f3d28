"""The alerts: no label among the features, nothing later than T, no row lost or doubled."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ml.data.contract import LABEL_COLUMNS, is_feature
from ml.data.dataset import Dataset, snapshot_id_of
from orchestration.domains.alerts.loading import create_alert_tables, load_alert_batches
from orchestration.domains.alerts.sources.batches import (
    FILES,
    AlertBatchSource,
    AlertSampleSource,
    AlertSource,
)
from orchestration.store.feature_registry import DDL
from orchestration.store.snapshots import take_snapshot
from orchestration.store.warehouse import open_pipeline_database
from tests.paths import ALERT_BATCHES, ROOT

MODELS = ROOT / "dbt_project" / "models"
TRAINING = {"train_alerts": "label_alerts", "train_alert_clusters": "label_alert_clusters"}
TABLES = [*(f"alert_{name}" for name in FILES), "alert_batches", "alert_accounts"]

Models = list[tuple[str, str]]
Build = Callable[..., duckdb.DuckDBPyConnection]
Rows = list[dict[str, Any]]


def land_and_load(source: AlertSource, folder: Path) -> Path:
    """Load a source into a database of its own and return its file."""
    with open_pipeline_database(folder / "pipeline.duckdb") as database:
        load_alert_batches(database, source.land(folder / "landing"), source=source.name)
    return folder / "pipeline.duckdb"


@pytest.fixture(scope="module")
def models(models: Models) -> Models:
    own = {path.stem for path in MODELS.glob("*/alerts/*.sql")}
    return [(name, sql) for name, sql in models if name.split(".")[1] in own]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return land_and_load(AlertSampleSource(), tmp_path_factory.mktemp("alerts"))


@pytest.fixture(scope="module")
def build(models: Models) -> Iterator[Build]:
    """Run the models on the raw tables of a file, changed by some statements first."""
    opened = []

    def run(file: Path, changes: Sequence[str] = (), order: str = "all") -> duckdb.DuckDBPyConnection:
        database = duckdb.connect()
        opened.append(database)
        database.execute("set TimeZone = 'UTC'; set threads = 1")
        create_alert_tables(database)
        database.execute(f"attach '{file}' as loaded (read_only)")
        for table in TABLES:
            database.execute(f"insert into raw.{table} by name (from loaded.raw.{table} order by {order})")
        database.execute("detach loaded")
        for change in changes:
            database.execute(change)
        for name, sql in models:
            database.execute(f"create schema if not exists {name.split('.')[0]}")
            database.execute(f"create table {name} as ({sql}\n)")
        return database

    yield run
    for database in opened:
        database.close()


@pytest.fixture(scope="module")
def full(build: Build, sample: Path) -> duckdb.DuckDBPyConnection:
    return build(sample)


def rows(database: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    relation = database.sql(sql)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def features(database: duckdb.DuckDBPyConnection, relation: str, where: str = "true") -> Rows:
    columns = "columns(lambda name: not starts_with(name, 'slice_'))"
    return rows(database, f"select {columns} from training.{relation} where {where} order by item_id")


def differences(one: Rows, other: Rows) -> list[str]:
    assert [row["item_id"] for row in one] == [row["item_id"] for row in other]
    return sorted({name for a, b in zip(one, other, strict=True) for name in a if a[name] != b[name]})


# Everything that became known at the cut or later is gone, and what is left of the future is turned around.
def forget(cut: datetime) -> list[str]:
    return [
        *(f"delete from raw.alert_{name} where processing_date >= '{cut}'" for name in FILES),
        f"delete from raw.alert_ground_truth where labelled_at >= '{cut}'",
    ]


def scramble(cut: datetime) -> list[str]:
    return [
        f"update raw.alert_ground_truth set ground_truth = 1 - ground_truth where labelled_at >= '{cut}'",
        f"update raw.alert_alerts set severity = 'critical', volume_usd = 1, alert_confidence_score = .1 "
        f"where processing_date >= '{cut}'",
        f"update raw.alert_features set kcore = 99, reciprocity_ratio = .5 where processing_date >= '{cut}'",
        f"delete from raw.alert_money_flows where processing_date >= '{cut}'",
        f"delete from raw.alert_clusters where processing_date >= '{cut}'",
    ]


def test_staging_holds_no_label(full: duckdb.DuckDBPyConnection, build: Build, sample: Path) -> None:
    columns = full.sql("from staging.stg_alerts__alert").columns
    assert columns == [
        "alert_id", "batch_id", "processing_date", "window_days", "network", "address", "typology",
        "pattern_id", "severity", "severity_rank", "rule_confidence", "volume_usd",
        "n_indicators", "created_at",
    ]  # fmt: skip
    query = "from staging.stg_alerts__alert order by alert_id"
    unlabelled = build(sample, ["delete from raw.alert_ground_truth"])
    assert unlabelled.sql(query).fetchall() == full.sql(query).fetchall()


def test_one_alert_in_one_item_out(full: duckdb.DuckDBPyConnection) -> None:
    for table, key, relations in (
        ("alert_alerts", "alert_id", ("train_alerts", "label_alerts")),
        ("alert_clusters", "cluster_id", ("train_alert_clusters", "label_alert_clusters")),
    ):
        expected = full.sql(f"select {key} from raw.{table} order by 1").fetchall()
        for relation in relations:
            assert full.sql(f"select item_id from training.{relation} order by 1").fetchall() == expected


def test_other_rows_of_an_address_neither_double_nor_change_an_alert(
    full: duckdb.DuckDBPyConnection, build: Build, sample: Path
) -> None:
    """The same address in another network, and in a batch with another window, is somebody else's row."""
    window = "insert into raw.alert_features by name select * replace ({0}) from raw.alert_features"
    changed = build(
        sample,
        [
            window.format("'elsewhere' as network, 0.77 as pagerank, 0.9 as reciprocity_ratio"),
            window.format("batch_id || '0' as batch_id, 280 as window_days, 0.88 as pagerank"),
        ],
    )
    for relation in TRAINING:
        assert differences(features(full, relation), features(changed, relation)) == []


def two_networks(seed: int, accounts: str, kept: str = "ab") -> list[str]:
    """Two networks `a` and `b` that share all addresses, each with a life of its own (or one of them).

    On `b` every address plays another's part in the graph and the outcomes are turned around. The accounts
    list `all` addresses on both, `none`, or (`others`) the networks that the sample knew.
    """

    def part(column: str) -> str:
        return f"(select part from parts where parts.address = copied.{column})"

    on_b = {
        "alerts": f"{part('address')} as address, 'b' || alert_id as alert_id",
        "features": f"{part('address')} as address",
        "clusters": f"{part('primary_address')} as primary_address, 'b' || cluster_id as cluster_id,"
        " 'b' || primary_alert_id as primary_alert_id,"
        " list_transform(related_alert_ids, lambda id: 'b' || id) as related_alert_ids",
        "money_flows": f"{part('from_address')} as from_address, {part('to_address')} as to_address",
    }
    changes = [
        "create table addresses as select from_address as address from raw.alert_money_flows"
        " union select to_address from raw.alert_money_flows union select address from raw.alert_features",
        f"""
        create table parts as
        with ordered as (select address, row_number() over (order by address) as place from addresses),
        drawn as (
            select address, row_number() over (order by hash(address || '{seed}')) as place from addresses
        )
        select ordered.address, drawn.address as part from ordered join drawn using (place)
        """,
    ]
    for name, replaced in on_b.items():
        table = f"raw.alert_{name}"
        changes += [
            f"update {table} set network = 'a'",
            f"insert into {table} by name"
            f" select * replace ('b' as network, {replaced}) from {table} as copied",
            f"delete from {table} where not contains('{kept}', network)",
        ]
    changes += [
        "insert into raw.alert_ground_truth by name"
        " select * replace ('b' || alert_id as alert_id, 1 - ground_truth as ground_truth)"
        " from raw.alert_ground_truth",
        "delete from raw.alert_ground_truth where alert_id not in (select alert_id from raw.alert_alerts)",
    ]
    if accounts != "others":
        changes.append("delete from raw.alert_accounts")
    if accounts == "all":
        changes.append(
            "insert into raw.alert_accounts select network, address, 'of ' || network, 'x', 'sample'"
            " from addresses cross join (values ('a'), ('b')) as networks(network)"
        )
    return changes


@pytest.mark.parametrize(("seed", "accounts"), [(1, "all"), (2, "none"), (3, "others")])
def test_an_address_on_two_networks_is_two_parties(
    build: Build, sample: Path, seed: int, accounts: str
) -> None:
    """Two networks with the same addresses give what two runs with one network each give."""
    both, *alone = (build(sample, two_networks(seed, accounts, kept)) for kept in ("ab", "a", "b"))
    # How sure a rule is within its batch is asked of the whole batch, whatever the networks.
    of_the_batch = {"train_alerts": ["confidence_pct_in_batch"], "train_alert_clusters": []}
    for relation in TRAINING:
        query = f"from training.{relation} order by item_id"
        together = rows(both, query)
        apart = sorted((row for one in alone for row in rows(one, query)), key=lambda row: row["item_id"])
        assert len(together) > 100
        assert differences(together, apart) == of_the_batch[relation]


def test_label_columns_are_never_features(full: duckdb.DuckDBPyConnection) -> None:
    raw_labels = set(full.sql("from raw.alert_ground_truth").columns) - {
        "batch_id",
        "processing_date",
        "alert_id",
    }
    slices = {"network", "region", "age_band"}
    for train, label in TRAINING.items():
        columns = set(full.sql(f"from training.{train}").columns)
        assert set(full.sql(f"from training.{label}").columns) == set(LABEL_COLUMNS)
        assert columns & (set(LABEL_COLUMNS) | raw_labels | slices | {"is_reported"}) == {"item_id"}


@pytest.mark.parametrize("cut", [datetime(2024, 3, 4), datetime(2024, 3, 20, 12), datetime(2024, 4, 8)])
@pytest.mark.parametrize("undo", [forget, scramble])
def test_later_facts_change_no_feature(
    full: duckdb.DuckDBPyConnection,
    build: Build,
    sample: Path,
    cut: datetime,
    undo: Callable[[datetime], list[str]],
) -> None:
    past = build(sample, undo(cut))
    for relation in TRAINING:
        before = f"event_at < '{cut}'"
        now = features(full, relation, before)
        assert len(now) > 50
        assert differences(now, features(past, relation, before)) == []


def test_the_outcome_of_an_alert_is_not_in_its_own_features(
    full: duckdb.DuckDBPyConnection, build: Build, sample: Path
) -> None:
    """Of every batch in turn: what is not known at its T, its own labels above all, is turned around."""
    for (day,) in full.sql("select distinct processing_date from raw.alert_alerts order by 1").fetchall()[
        ::4
    ]:
        flipped = build(
            sample,
            [
                "update raw.alert_ground_truth set ground_truth = 1 - ground_truth "
                f"where labelled_at >= '{day}'"
            ],
        )
        for relation in TRAINING:
            here = f"event_at = '{day}'"
            assert differences(features(full, relation, here), features(flipped, relation, here)) == []
        query = "select sum(y) from training.label_alerts join training.train_alerts using (item_id) "
        query += f"where {here}"
        assert flipped.sql(query).fetchall() != full.sql(query).fetchall()


def test_labels_that_were_known_are_used(full: duckdb.DuckDBPyConnection, build: Build, sample: Path) -> None:
    flipped = build(sample, ["update raw.alert_ground_truth set ground_truth = 1 - ground_truth"])
    changed = differences(features(full, "train_alerts"), features(flipped, "train_alerts"))
    assert changed == [
        "days_since_dismissed", "days_since_neighbour_reported", "days_since_reported",
        "n_prior_reported", "n_recently_reported_neighbours", "n_reported_neighbours",
        "n_reported_second_neighbours", "prior_reported_rate", "volume_share_with_reported",
    ]  # fmt: skip


def test_the_order_of_the_rows_does_not_matter(
    full: duckdb.DuckDBPyConnection, build: Build, sample: Path
) -> None:
    shuffled = build(sample, order="hash(columns(*)::varchar)")
    for relation in (*TRAINING, *TRAINING.values()):
        query = f"from training.{relation} order by item_id"
        assert rows(shuffled, query) == rows(full, query)


def test_history_and_neighbourhood_as_written_naively(full: duckdb.DuckDBPyConnection) -> None:
    alerts = rows(
        full, "from raw.alert_alerts join raw.alert_ground_truth using (batch_id, processing_date, alert_id)"
    )
    flows = rows(full, "from raw.alert_money_flows")
    volumes: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    payments: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for flow in flows:
        for one, other in (
            (flow["from_address"], flow["to_address"]),
            (flow["to_address"], flow["from_address"]),
        ):
            volumes[flow["batch_id"], one][other] += flow["amount_usd_sum"]
            payments[flow["batch_id"], one][other] += flow["tx_count"]
    alerted: dict[str, set[str]] = defaultdict(set)
    by_address: dict[str, Rows] = defaultdict(list)
    for alert in alerts:
        alerted[alert["batch_id"]].add(alert["address"])
        by_address[alert["address"]].append(alert)

    found = {row["item_id"]: row for row in features(full, "train_alerts")}
    wrong = []
    seen: dict[str, set[object]] = defaultdict(set)
    for alert in alerts[::7]:
        batch, address = alert["batch_id"], alert["address"]
        at = datetime.combine(alert["processing_date"], datetime.min.time())

        def known(who: str, at: datetime = at) -> Rows:
            return [a for a in by_address[who] if a["labelled_at"] < at]

        def reported(who: str) -> Rows:
            return [a for a in known(who) if a["ground_truth"]]

        prior = [a for a in by_address[address] if a["processing_date"] < alert["processing_date"]]
        around = volumes[batch, address]
        neighbours = set(around)
        marked = {who for who in neighbours if reported(who)}
        second = {who for other in neighbours for who in volumes[batch, other]} - {address}
        links = {who: len(set(volumes[batch, who]) & alerted[batch]) for who in neighbours}
        expected = {
            "n_prior_alerts": len(prior),
            "is_new_address": not prior,
            "days_since_prior_alert": min(
                ((alert["processing_date"] - a["processing_date"]).days for a in prior), default=None
            ),
            "n_prior_labelled": len(known(address)),
            "n_prior_reported": len(reported(address)),
            "prior_reported_rate": len(reported(address)) / len(known(address)) if known(address) else None,
            "days_since_reported": min(
                ((alert["processing_date"] - a["processing_date"]).days for a in reported(address)),
                default=None,
            ),
            "n_rules_same_address": sum(a["batch_id"] == batch for a in by_address[address]),
            "n_neighbours": len(neighbours),
            "n_alerted_neighbours": len(neighbours & alerted[batch]),
            "volume_share_with_alerted": sum(around[who] for who in neighbours & alerted[batch])
            / sum(around.values()),
            "n_reported_neighbours": len(marked),
            "volume_share_with_reported": sum(around[who] for who in marked) / sum(around.values()),
            "n_shared_neighbours": sum(n > 1 for n in links.values()),
            "max_alerted_links_of_neighbours": max(links.values()),
            "share_one_off_neighbours": sum(n == 1 for n in payments[batch, address].values())
            / len(neighbours),
            "n_second_neighbours": len(second),
            "n_reported_second_neighbours": sum(bool(reported(who)) for who in second),
            "volume_log": math.log1p(alert["volume_usd"]),
        }
        for name, value in expected.items():
            seen[name].add(value)
            if found[alert["alert_id"]][name] != (value if value is None else pytest.approx(value, abs=1e-8)):
                wrong.append((alert["alert_id"], name, found[alert["alert_id"]][name], value))
    assert wrong == []
    assert all(len(values) > 1 for values in seen.values()), "a constant column proves nothing"


def test_an_alert_without_a_label_is_censored(build: Build, sample: Path) -> None:
    cut = datetime(2024, 4, 20)
    database = build(sample, [f"delete from raw.alert_ground_truth where labelled_at >= '{cut}'"])
    censored = rows(database, "from training.label_alerts where is_censored")
    assert len(censored) > 50
    assert {(row["y"], row["relevance"], row["labelled_at"]) for row in censored} == {(None, None, None)}
    assert max(row["observed_until"] for row in censored) < cut
    open_clusters = "select count(*) from training.label_alert_clusters where is_censored"
    assert database.sql(open_clusters).fetchall()[0][0] > 0


def test_no_labels_at_all_still_gives_items_to_score(build: Build, sample: Path) -> None:
    database = build(sample, ["delete from raw.alert_ground_truth"])
    labels = rows(database, "select distinct y, is_censored from training.label_alerts")
    assert labels == [{"y": None, "is_censored": True}]
    assert database.sql("select max(n_prior_labelled) from training.train_alerts").fetchall() == [(0,)]


@pytest.mark.parametrize(("train", "label"), TRAINING.items())
def test_the_harness_takes_both_training_sets(
    full: duckdb.DuckDBPyConnection, tmp_path: Path, train: str, label: str
) -> None:
    full.execute(DDL)
    snapshot = take_snapshot(
        full,
        tmp_path,
        train=train,
        label=label,
        domain={"name": "alerts"},
        identify=snapshot_id_of,
        is_feature=is_feature,
        git_sha="test",
    )
    dataset = Dataset.from_dir(snapshot.path)
    assert dataset.snapshot_id == snapshot.snapshot_id == snapshot.path.name
    assert len(dataset.items) == snapshot.rows
    assert set(dataset.slices) == {
        "slice_network", "slice_region", "slice_age_band", "slice_typology", "slice_new_address"
    }  # fmt: skip
    assert set(dataset.labels["y"].dropna()) == {0.0, 1.0}
    assert dataset.labels["relevance"].dtype.kind in "iu"


@pytest.mark.skipif(not ALERT_BATCHES.exists(), reason="the corpus is not on this machine")
def test_the_real_batches(build: Build, tmp_path: Path) -> None:
    file = land_and_load(AlertBatchSource(ALERT_BATCHES), tmp_path)
    real = build(file)
    assert rows(
        real,
        """
        select
            count(*) as alerts, count(distinct group_id) as batches, count(distinct entity_id) as addresses,
            round(avg(y), 3) as share, count(*) filter (slice_region = '(unknown)') as unknown
        from training.train_alerts join training.label_alerts using (item_id)
        """,
    ) == [{"alerts": 4683, "batches": 22, "addresses": 1798, "share": 0.211, "unknown": 0}]
    assert rows(real, "select count(*) as n from training.train_alert_clusters") == [{"n": 806}]
    for cut in (datetime(2024, 3, 11), datetime(2024, 5, 1, 12), datetime(2024, 5, 20) + timedelta(days=1)):
        past = build(file, forget(cut))
        for relation in TRAINING:
            before = f"event_at < '{cut}'"
            assert differences(features(real, relation, before), features(past, relation, before)) == []
