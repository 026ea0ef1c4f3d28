"""as_of_join against brute force on random histories with late facts, ties and a TTL."""

import random
from datetime import datetime, timedelta

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dbt.conftest import Dbt

ORIGIN = datetime(2020, 1, 1)
Fact = tuple[str, int, int, int, float]  # entity, event second, known second, id, value
Look = tuple[str, int]  # entity, T


def at(second: int) -> datetime:
    return ORIGIN + timedelta(seconds=second)


def rendered(dbt: Dbt, more: str = "") -> str:
    arguments = "spine='spine', history='history', key=['entity'], features=['value'], ttl='TTL seconds'"
    return dbt.render(f"{{{{ as_of_join({arguments}{more}) }}}}")


@pytest.fixture(scope="module")
def sql(dbt: Dbt) -> str:
    """The rendered macro; the TTL is filled in per test."""
    return rendered(dbt)


@pytest.fixture(scope="module")
def sql_in_order(dbt: Dbt) -> str:
    """The same for histories whose facts are known when they are true, one at a time."""
    return rendered(dbt, ", in_order=true")


def joined(sql: str, facts: list[Fact], looks: list[Look], ttl: int) -> list[float | None]:
    """Answers of the macro, in the order of the look-ups."""
    with duckdb.connect() as database:
        history = pd.DataFrame(facts, columns=["entity", "event_s", "known_s", "id", "value"])
        spine = pd.DataFrame(looks, columns=["entity", "t_s"])
        database.register("history_frame", history)
        database.register("spine_frame", spine.assign(item_id=range(len(spine))))
        database.execute(
            """
            create table history as select
                entity::varchar as entity, id::bigint as id, value::double as value,
                timestamp '2020-01-01' + to_seconds(event_s::bigint) as event_timestamp,
                timestamp '2020-01-01' + to_seconds(greatest(event_s, known_s)::bigint) as available_at
            from history_frame;
            create table spine as select entity::varchar as entity, item_id,
                timestamp '2020-01-01' + to_seconds(t_s::bigint) as event_at
            from spine_frame
            """
        )
        rows = database.sql(sql.replace("TTL", str(ttl)).strip()).order("item_id").fetchall()
    assert len(rows) == len(looks), "every look-up has exactly one answer"
    return [row[-1] for row in rows]


def brute_force(facts: list[Fact], looks: list[Look], ttl: int) -> list[float | None]:
    """The same by definition: of what was known before T, the newest fact, unless it is too old."""
    answers: list[float | None] = []
    for entity, now in looks:
        known = [
            (event, max(event, known), identifier, value)
            for name, event, known, identifier, value in facts
            if name == entity and max(event, known) < now
        ]
        newest = max(known, default=None)
        answers.append(newest[3] if newest and newest[0] >= now - ttl else None)
    return answers


seconds = st.integers(0, 12)
facts = st.lists(
    st.tuples(st.sampled_from("ab"), seconds, seconds, st.integers(0, 3)),
    unique_by=lambda fact: (fact[0], fact[1], max(fact[1], fact[2]), fact[3]),
    max_size=12,
).map(lambda drawn: [(*fact, float(index)) for index, fact in enumerate(drawn)])
looks = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 14)), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(facts=facts, looks=looks, ttl=st.integers(0, 15))
def test_small_histories_full_of_ties(sql: str, facts: list[Fact], looks: list[Look], ttl: int) -> None:
    assert joined(sql, facts, looks, ttl) == brute_force(facts, looks, ttl)


@settings(max_examples=30, deadline=None)
@given(facts=facts, looks=looks, ttl=st.integers(0, 15))
def test_histories_that_are_in_order(
    sql_in_order: str, facts: list[Fact], looks: list[Look], ttl: int
) -> None:
    orderly = list(
        {(entity, event): (entity, event, event, *rest) for entity, event, _, *rest in facts}.values()
    )
    assert joined(sql_in_order, orderly, looks, ttl) == brute_force(orderly, looks, ttl)


def test_thousands_of_look_ups_with_late_facts(sql: str) -> None:
    rng = random.Random(7)
    history: list[Fact] = []
    for number in range(3000):
        event = rng.randrange(5000)
        late = rng.choice([0, 0, 0, rng.randrange(2000)])
        history.append((f"e{rng.randrange(60)}", event, event + late, number, float(number)))
    look_ups = [(f"e{rng.randrange(65)}", rng.randrange(6000)) for _ in range(6400)]
    answers = joined(sql, history, look_ups, 1500)
    assert answers == brute_force(history, look_ups, 1500)

    def newest_arrival(entity: str, now: int) -> float | None:
        known = [(max(e, k), e, i, v) for name, e, k, i, v in history if name == entity and max(e, k) < now]
        newest = max(known, default=None)
        return newest[3] if newest and newest[1] >= now - 1500 else None

    wrong = sum(newest_arrival(*look) != answer for look, answer in zip(look_ups, answers, strict=True))
    assert wrong > 100, "the histories must contain what the simple join gets wrong"


def test_a_fact_of_the_same_instant_is_not_yet_known(sql: str) -> None:
    assert joined(sql, [("a", 5, 5, 0, 1.0)], [("a", 5), ("a", 6)], 100) == [None, 1.0]
