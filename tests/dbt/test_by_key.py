"""What is carried over from the last build is what a full build gives, whatever has changed meanwhile."""

import json
import random
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from orchestration.store.feature_registry import lineage
from tests.dbt.conftest import Dbt, Models, run_models
from tests.dbt.records import Record, iso, random_records


@pytest.fixture(scope="module")
def by_key(compiled: Path) -> dict[str, list[str]]:
    """The models that are built by key, and all that is upstream of each, by their names with schemas."""
    manifest = json.loads((compiled / "target" / "manifest.json").read_text())
    names = {key: f"{node['schema']}.{node['name']}" for key, node in manifest["nodes"].items()}
    return {
        names[key]: [names[read] for read in lineage(manifest, key) if read in names and read != key]
        for key, node in manifest["nodes"].items()
        if node["config"]["materialized"] == "by_key"
    }


def history(rng: random.Random) -> list[Record]:
    """A random history with many people in it."""
    records = random_records(rng.randrange(1000), repositories=2, items=100)
    for record in records:
        for told in (record, *record["comments_data"]):
            if told["user"] and rng.random() < 0.9:
                told["user"] = {"login": f"{told['user']['login']}{rng.randrange(30)}", "type": "User"}
    return records


def later(records: list[Record], rng: random.Random) -> list[Record]:
    """The records some time after: some are gone, new, edited, closed, open, or tell of something earlier."""
    left = [json.loads(json.dumps(record)) for record in records if rng.random() > 0.02]
    for record in rng.sample(left, 3):
        record["title"] = rng.choice(["golang, c++ or c#?", "see #7"])
        record["body"] = rng.choice([None, "- [ ] https://example.org\n> quoted?"])
    for record in rng.sample(left, 3):
        opened = datetime.fromisoformat(record["created_at"]).replace(tzinfo=None)
        told = {"user": {"login": f"ada{rng.randrange(40)}"}, "created_at": iso(opened + timedelta(hours=1))}
        record["comments_data"] = [{**told, "body": "Same here."}, *record["comments_data"]]
        closed = iso(opened + timedelta(hours=rng.randrange(1, 500)))
        record |= (
            {"state": "open", "closed_at": None}
            if record["closed_at"]
            else {"state": "closed", "closed_at": closed}
        )
    return left + [
        {**record, "number": 1000 + rng.randrange(10**6)} for record in rng.sample(history(rng), 3)
    ]


@pytest.mark.parametrize("seed", [1])
def test_carried_rows_are_those_of_a_full_build(
    dbt: Dbt, models: Models, by_key: dict[str, list[str]], tmp_path: Path, seed: int
) -> None:
    rng, file = random.Random(seed), tmp_path / "memory.duckdb"
    upstream = {name for read in by_key.values() for name in read} - set(by_key)
    needed = [(name, sql) for name, sql in models if name in {*by_key, *upstream}]
    records = history(rng)
    for turn in range(3):
        if turn:
            records = later(records, rng)
        with run_models(needed, records) as full:
            full.execute(f"attach '{file}' as built")
            for name in upstream:
                full.execute(f"create schema if not exists built.{name.split('.')[0]}")
                full.execute(f"create or replace table built.{name} as from {name}")
            full.execute("detach built")
            done = dbt("run", "--select", *[name.split(".")[1] for name in by_key], database=file)
            assert done.returncode == 0, done.stdout
            full.execute(f"attach '{file}' as built (read_only)")
            for name in by_key:
                columns = ", ".join(row[0] for row in full.sql(f"describe {name}").fetchall())
                here, there = f"select {columns} from {name}", f"select {columns} from built.{name}"
                assert full.sql(f"select count(*) from {name}").fetchall()[0][0] > 100
                assert not full.sql(
                    f"({here} except all {there}) union all ({there} except all {here})"
                ).fetchall()
                noted = f"built.carried.{name.split('.')[1]}__"
                n_changed, n_keys = (
                    full.sql(f"select count(*) from {noted}{what}").fetchall()[0][0]
                    for what in ("changed", "digest")
                )
                assert n_changed == n_keys if turn == 0 else 0 < n_changed < n_keys / 2, name
