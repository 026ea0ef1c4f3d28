"""Time travel: deleting every fact later than a cut-off changes no feature of an earlier item."""

import gzip
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.dbt.conftest import Models, Transform, run_models
from tests.dbt.records import START, Record, random_records, undo_after
from tests.paths import ISSUES

READS = (
    "training.train_tickets",
    "training.label_tickets",
    "training.train_response",
    "training.train_remaining",
    "features.feat_repository_state",
    "intermediate.int_repository__observed",
)

# Two with events, one with a bulk day, and a small one; all fifty, golang/go's import among them, on demand.
SUBSET = [
    "venomous0x/WhatsAPI",
    "bitcoin-core/gui",
    "oauth-wg/oauth-selective-disclosure-jwt",
    "core-wg/href",
]
FEATURES = "columns(lambda name: not starts_with(name, 'slice_'))"
WHOLE = os.environ.get("WHOLE_CORPUS") == "1"


def changed_features(
    full: duckdb.DuckDBPyConnection, past: duckdb.DuckDBPyConnection, cut: datetime
) -> list[str]:
    """Names of the features that differ for some row observed before the cut-off, each with such a row."""
    names = []
    for relation in ("train_tickets", "train_response"):
        now, then = (features(database, relation, cut) for database in (full, past))
        assert list(now.index) == list(then.index)
        names += changed(now, then)
    return names + changed_later(full, past, cut)


def changed_later(
    full: duckdb.DuckDBPyConnection, past: duckdb.DuckDBPyConnection, cut: datetime
) -> list[str]:
    """The same of the rows of `train_remaining`, those at a later age among them.

    What was closed in bulk after the cut-off is seen at its creation only, and before the cut-off at later
    ages, too. What nobody can have seen yet, because the records end before it, is not there.
    """
    now, then = (features(database, "train_remaining", cut) for database in (full, past))
    ends = past.sql("select repository, last_seen_at from intermediate.int_repository__observed").fetchall()
    seen = now.index.get_level_values("event_at") <= now["repository"].map(dict(ends))
    assert not now[seen].index.difference(then.index).size
    both = now.index.intersection(then.index)
    assert now.loc[both, "age_days"].nunique() > 2
    return changed(now.loc[both], then.loc[both])


def features(database: duckdb.DuckDBPyConnection, relation: str, cut: datetime) -> pd.DataFrame:
    """The rows observed before the cut-off, by item and time."""
    query = f"select {FEATURES} from training.{relation} where event_at < '{cut}'"
    rows = database.sql(query).df().set_index(["item_id", "event_at"]).sort_index()
    assert len(rows) > 0
    return rows


def changed(now: pd.DataFrame, then: pd.DataFrame) -> list[str]:
    """Names of the columns that differ, each with a row where they do."""
    names = []
    for name in now.columns:
        left, right = now[name], then[name]
        same = (left == right) | (left.isna() & right.isna())
        if left.dtype.kind == "f":
            # Sums over windows of another length may differ in the last bit.
            same |= (left - right).abs() < 1e-9
        if not same.all():
            names.append(f"{name} of {left.index[~same][0]}")
    return names


@pytest.mark.parametrize("seed", [1, 2])
def test_later_facts_change_no_feature(transform: Transform, seed: int) -> None:
    records = random_records(seed)
    full = transform(records)
    for day in (20, 74, 75.5, 76, 110):
        cut = START + timedelta(days=day)
        past = transform(undo_after(records, cut))
        assert changed_features(full, past, cut) == []
        assert past.sql("select distinct slice_label from training.train_tickets").fetchall() == [
            (["scrambled"],)
        ]


def test_the_future_is_seen_where_it_may_be(transform: Transform) -> None:
    """Labels and slices do change: the records of the past are not simply the same."""
    records = random_records(1)
    full, past = transform(records), transform(undo_after(records, START + timedelta(days=110)))
    query = f"""
        select count(*) filter (is_censored)
        from training.label_tickets inner join training.train_tickets using (item_id)
        where event_at < '{START + timedelta(days=100)}'
    """
    assert past.sql(query).fetchall()[0][0] > full.sql(query).fetchall()[0][0]


@pytest.mark.parametrize(
    ("honest", "leaking"),
    [
        (
            "observed.event_at > matched.available_at",
            "observed.event_at > matched.available_at - interval 3 days",
        ),
        ("resolutions.labelled_at as known_at", "records.created_at as known_at"),
    ],
)
def test_a_leak_is_caught(models: Models, honest: str, leaking: str) -> None:
    """The comparison is worth something: with the future let in, features change."""
    leaky = [(name, sql.replace(honest, leaking)) for name, sql in models]
    assert leaky != models
    records, cut = random_records(1), START + timedelta(days=110)
    with run_models(leaky, records) as full, run_models(leaky, undo_after(records, cut)) as past:
        assert changed_features(full, past, cut) != []


def test_an_import_is_forgotten_before_its_day_only(transform: Transform) -> None:
    """Decisions made before an import are withdrawn when its day is over, and not a moment earlier."""
    full = transform(random_records(1))
    before, after = (
        full.sql(
            "select count(*) filter (repository_share_resolved_1d = 0), count(repository_share_resolved_1d) "
            f"from features.feat_repository_state where repository = 'owner/repo0' and event_at {where}"
        ).fetchall()[0]
        for where in (f"< '{START + timedelta(days=75)}'", f">= '{START + timedelta(days=80)}'")
    )
    assert before[0] == before[1] > 0, "before the import no issue was ever seen closed in time"
    assert after[0] < after[1], "after it only the issues opened since count"


def read(files: list[Path]) -> list[Record]:
    records: list[Record] = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            records.extend(json.loads(line) for line in lines)
    return records


@pytest.mark.skipif(not ISSUES.exists(), reason="the corpus is not on this machine")
def test_later_facts_change_no_feature_of_real_issues(transform: Transform) -> None:
    names = [f"{name.replace('/', '__')}.jsonl.gz" for name in SUBSET]
    records = read(sorted(ISSUES.glob("*.jsonl.gz")) if WHOLE else [ISSUES / name for name in names])
    full = transform(records)
    cuts = [datetime(2013, 6, 1), datetime(2022, 11, 8, 12), datetime(2024, 11, 12)]
    if WHOLE:
        cuts = [datetime(2014, 12, 8, 12), datetime(2014, 12, 9), datetime(2016, 5, 24, 18)]
    for cut in cuts:
        assert changed_features(full, transform(undo_after(records, cut)), cut) == []
