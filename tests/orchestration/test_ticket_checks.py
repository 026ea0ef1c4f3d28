"""The checks that every run makes of the tickets: their number per repository, and their kind."""

from collections.abc import Iterator

import duckdb
import pandas as pd
import pytest

from orchestration.definitions import defs
from orchestration.domains.tickets.checks import HOURS, odd_volumes, shifts
from tests.unit.ml import synthetic


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema raw; create schema published;
            create table raw.issues as
                select repository
                from
                    (values ('a/same', 200), ('a/lost', 150), ('a/grown', 900), ('a/small', 90),
                        ('a/new', 5000))
                        as today (repository, n),
                    range(n);
            """
        )
        yield connection


def test_what_was_lost_or_grew_by_a_multiple_is_told(database: duckdb.DuckDBPyConnection) -> None:
    assert odd_volumes(database).empty, "nothing was published before"
    database.execute(
        """
        create table published."tickets.repositories" as
            select * from (values
                ('a/same', 195, false), ('a/lost', 170, false), ('a/grown', 200, false),
                ('a/small', 3, false), ('a/gone', 10, false), ('synthetic/x', 600, true)
            ) as before (repository, records, is_synthetic)
        """
    )
    assert odd_volumes(database).values.tolist() == [
        ["a/gone", 10, 0],
        ["a/grown", 200, 900],
        ["a/lost", 170, 150],
    ]


def test_a_feature_that_moved_comes_first_and_prose_is_not_compared() -> None:
    before, now = synthetic.dataset(900), synthetic.dataset(900)
    now.items["size"] = now.items["size"] * 50
    before.items["text"] = now.items["text"] = [f"text {number}" for number in range(900)]
    hours = pd.DataFrame({"split": ["validation"] * 90 + ["test"] * 90, "y_pred": [1.0, 2.0, 3.0] * 60})
    table = shifts(before, now, hours).set_index("column")
    assert table.index[0] == "size"
    assert table["psi"]["size"] > 1 > table["noise"]["size"]
    assert table["psi"][HOURS] == pytest.approx(0)
    assert "text" not in table.index and {"kind", "is_fragile"} <= set(table.index)
    assert table["psi"]["is_fragile"] < 0.1


def test_every_snapshot_is_audited_for_leaks_and_the_check_blocks() -> None:
    graph = defs.resolve_asset_graph()
    snapshots = {key for key in graph.materializable_asset_keys if key.path[-1].endswith("snapshot")}
    audited = {key.asset_key for key in graph.asset_check_keys if key.name == "leakage"}
    assert audited == snapshots and len(snapshots) == 6
    for key in snapshots:
        (spec,) = [one for one in graph.get(key).assets_def.check_specs if one.name == "leakage"]
        assert spec.blocking


def test_the_checks_stand_on_their_assets() -> None:
    keys = {(key.asset_key.to_user_string(), key.name) for key in defs.resolve_asset_graph().asset_check_keys}
    assert {("raw_issues", "volume"), ("best_model", "drift")} <= keys
