"""Service levels of hand-made tickets: what is measured for whom, against plain recomputations."""

import itertools
import random
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import sqrt

import duckdb
import pandas as pd
import pytest

from orchestration.domains.tickets.service.levels import judge
from tests.dbt.conftest import Models, Transform
from tests.dbt.records import iso

END = datetime(2022, 7, 1)
START = datetime(2021, 1, 4)
HOUR = timedelta(hours=1)
SERVICE = ("int_issue__group", "int_repository__period", "int_service__", "service_metrics")
INPUTS = {
    "staging.stg_github__label": "item_id varchar, label varchar",
    "staging.stg_github__event": "item_id varchar, event_type varchar",
    "intermediate.int_issue__cleaned": "item_id varchar, repository varchar, author_login varchar,"
    " is_bot_author boolean, is_placeholder_author boolean, is_closed boolean, is_before_import boolean,"
    " created_at timestamp",
    "intermediate.int_issue__vanished": "item_id varchar, last_seen_at timestamp",
    "intermediate.int_person__fact": "repository varchar, login varchar, known_at timestamp",
    "intermediate.int_issue__event": "item_id varchar, repository varchar, actor_id varchar,"
    " actor_kind varchar, event_at timestamp, known_at timestamp",
    "intermediate.int_issue__closing": "item_id varchar, closed_at timestamp, resolution_kind varchar,"
    " is_resolution boolean, reopened_at timestamp, is_last boolean",
    "intermediate.int_issue__first_response": "item_id varchar, responded_at timestamp,"
    " observed_until timestamp, is_known boolean",
    "intermediate.int_issue__resolution": "item_id varchar, repository varchar, created_at timestamp,"
    " observed_until timestamp",
    "intermediate.int_repository__observed": "repository varchar, last_seen_at timestamp",
}


@dataclass(frozen=True)
class Closing:
    """A closing some hours after the creation."""

    hours: float
    kind: str = "completed"
    reopened: float | None = None


@dataclass(frozen=True)
class Ticket:
    """A ticket as the models below the service levels hand it on; hours are since its creation."""

    created_at: datetime = START
    author: str = "ada"
    answered: float | None = None
    closings: tuple[Closing, ...] = ()
    labels: tuple[str, ...] = ()
    is_bot: bool = False
    is_known: bool = True
    acts: tuple[tuple[str, float], ...] = field(default=())  # kind of actor, hours

    def at(self, hours: float | None) -> datetime | None:
        return None if hours is None else self.created_at + hours * HOUR


Measure = Callable[[Iterable[Ticket]], duckdb.DuckDBPyConnection]


@pytest.fixture(scope="module")
def measure(models: Models) -> Iterator[Measure]:
    """Run the service levels on tickets of one repository, which was last looked at at END."""
    own = [(name, sql) for name, sql in models if name.split(".")[1].startswith(SERVICE)]
    opened: list[duckdb.DuckDBPyConnection] = []

    def run(tickets: Iterable[Ticket]) -> duckdb.DuckDBPyConnection:
        opened.append(database := duckdb.connect())
        database.execute("set TimeZone = 'UTC'; create schema staging; create schema intermediate")
        for name, columns in INPUTS.items():
            database.execute(f"create table {name} ({columns})")
        fill(database, tickets)
        for name, sql in own:
            database.execute(f"create schema if not exists {name.split('.')[0]}")
            database.execute(f"create table {name} as ({sql}\n)")
        return database

    yield run
    for database in opened:
        database.close()


def fill(database: duckdb.DuckDBPyConnection, tickets: Iterable[Ticket]) -> None:
    rows: dict[str, list[Sequence[object]]] = {name.split("__")[1]: [] for name in INPUTS}
    rows["observed"] = [("o/r", END)]
    for number, one in enumerate(tickets, start=1):
        item, created = f"o/r#{number}", one.created_at
        last = one.closings[-1] if one.closings else None
        is_closed = last is not None and last.reopened is None
        seen = END if not is_closed or last.kind == "completed" else one.at(last.hours)
        rows["cleaned"].append((item, "o/r", one.author, one.is_bot, False, is_closed, False, created))
        rows["resolution"].append((item, "o/r", created, seen))
        rows["first_response"].append((item, one.at(one.answered), END, one.is_known))
        rows["fact"].append(("o/r", one.author, created))
        kind = "bot" if one.is_bot else "author"
        rows["event"].append((item, "o/r", one.author, kind, created, created))
        rows["event"] += [
            (item, "o/r", f"some {kind}", kind, one.at(hours), one.at(hours)) for kind, hours in one.acts
        ]
        rows["label"] += [(item, label) for label in one.labels]
        for closing in one.closings:
            at, again = one.at(closing.hours), one.at(closing.reopened)
            is_resolution = closing.kind == "completed" and closing is last and closing.reopened is None
            rows["closing"].append((item, at, closing.kind, is_resolution, again, closing is last))
            rows["event"].append((item, "o/r", "eve", "member", at, at))
            # The staging layer keeps what events told.
            database.execute("insert into staging.stg_github__event values (?, 'closed')", [item])
    rows.pop("vanished")
    for name in INPUTS:
        own = rows.get(name.split("__")[1], [])
        if own and name != "staging.stg_github__event":
            database.executemany(f"insert into {name} values ({', '.join('?' * len(own[0]))})", own)


def read(database: duckdb.DuckDBPyConnection, period: str = "all", group: str = "all") -> pd.DataFrame:
    """The metrics of a period and group, by their name."""
    found = database.execute(
        'select * from tickets.service_metrics where period = ? and "group" = ?', [period, group]
    )
    return found.df().set_index("metric")


def closed_tickets(count: int, seed: int) -> list[Ticket]:
    rng = random.Random(seed)
    return [
        Ticket(
            START + rng.randrange(5_000) * HOUR,
            author=rng.choice(["ada", "bob", "cyd"]),
            answered=round(rng.lognormvariate(1, 2), 3),
            closings=(Closing(round(rng.lognormvariate(2, 2), 3)),),
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_without_censoring_medians_are_those_of_the_plain_differences(measure: Measure, count: int) -> None:
    tickets = closed_tickets(count, seed=count)
    found = read(measure(tickets))
    closed, answered = [t.closings[0].hours for t in tickets], [t.answered for t in tickets]
    assert found["value"]["time_to_close_final_median"] == pytest.approx(statistics.median(closed), rel=1e-9)
    assert found["value"]["time_to_close_first_median"] == pytest.approx(statistics.median(closed), rel=1e-9)
    assert found["value"]["time_to_first_response_median"] == pytest.approx(
        statistics.median(answered), rel=1e-9
    )
    for days, (name, hours) in itertools.product(
        (1, 7, 30, 90), (("answered", answered), ("closed", closed))
    ):
        share = statistics.fmean(value <= 24 * days for value in hours)
        assert found["value"][f"{name}_within_{days}d"] == pytest.approx(share, abs=1e-9)
    waits = found[found.index.str.startswith("time_to_")]
    assert (waits["n"] == count).all() and (waits["n_censored"] == 0).all()


def test_from_records_without_censoring_the_medians_are_those_of_github_issue_metrics(
    transform: Transform,
) -> None:
    """Its definitions: the first comment by neither the author nor a bot; closed less created."""
    rng = random.Random(11)
    records, answered, closed = [], [], []
    for number in range(1, 32):
        opened = START + number * 50 * HOUR
        first, later = (timedelta(seconds=round(3600 * rng.lognormvariate(2, 1))) for _ in range(2))
        acts = {"build[bot]": first / 4, "ada": first / 2, "bob": first, "cyd": first + HOUR}
        end = opened + first + later + HOUR
        records.append(
            {
                "repository": "o/r", "number": number, "title": "a", "state": "closed", "labels": [],
                "user": {"login": "ada"}, "created_at": iso(opened), "closed_at": iso(end),
                "updated_at": iso(end),
                "comments_data": [
                    {"user": {"login": login}, "created_at": iso(opened + after), "body": "hm"}
                    for login, after in acts.items()
                ],
            }
        )  # fmt: skip
        answered.append(first)
        closed.append(end - opened)
    found = read(transform(records))
    for name, plain in (("first_response", answered), ("close_first", closed), ("close_final", closed)):
        row = found.loc[f"time_to_{name}_median"]
        assert row["value"] == pytest.approx(statistics.median(plain) / HOUR, rel=1e-9)
        assert (row["n"], row["n_censored"]) == (31, 0)


def test_open_tickets_never_shorten_a_median(measure: Measure) -> None:
    tickets = closed_tickets(15, seed=3)
    before = None
    for more in range(0, 20, 4):
        opened = [Ticket(START + 400 * k * HOUR) for k in range(more)]
        median = read(measure([*tickets, *opened]))["value"]["time_to_close_final_median"]
        assert before is None or pd.isna(median) or median >= before
        before = median
    assert pd.isna(before)  # in the end more are open than closed


def test_where_nothing_was_closed_no_median_is_reached(measure: Measure) -> None:
    found = read(measure([Ticket(), Ticket(START + 5 * HOUR)]))
    for name in ("time_to_close_first", "time_to_close_final", "time_to_first_response"):
        for quantile in ("median", "p90"):
            row = found.loc[f"{name}_{quantile}"]
            assert row[["value", "ci_low", "ci_high"]].isna().all()
            assert (row["reason"], row["n"], row["n_censored"]) == ("not reached", 2, 2)
    assert found["value"]["closed_within_30d"] == 0
    assert found["value"]["backlog"] == 2
    assert found.loc["stale_closed_share", "reason"] == "nothing to measure"


def test_a_repository_of_bots_only_is_measured_and_nobody_is_answered(measure: Measure) -> None:
    tickets = [Ticket(is_bot=True, author="b[bot]", acts=(("bot", 3.0),)) for _ in range(3)]
    database = measure(tickets)
    groups = database.sql('select distinct "group" from tickets.service_metrics order by all').fetchall()
    assert groups == [("all",), ("bot",)]
    found = read(database)
    assert found.loc["time_to_first_response_median", "reason"] == "not reached"
    # What bots did since is no attention.
    assert found["value"]["backlog_idle_median"] == found["value"]["backlog_age_median"]


def test_unknown_comments_are_no_missing_answers(measure: Measure) -> None:
    found = read(measure([Ticket(is_known=False, closings=(Closing(5),))]))
    assert not found.index.str.contains("answered|response").any()
    assert found["value"]["time_to_close_final_median"] == pytest.approx(5)


def test_what_a_stale_bot_closed_waited_until_then_and_was_not_resolved(measure: Measure) -> None:
    stale = [Ticket(closings=(Closing(1_000, "stale"),)) for _ in range(3)]
    resolved = [Ticket(closings=(Closing(hours),)) for hours in (10, 20)]
    found = read(measure([*stale, *resolved]))
    assert pd.isna(found["value"]["time_to_close_final_median"])
    assert found["n_censored"]["time_to_close_final_median"] == 3
    assert found["value"]["closed_within_7d"] == pytest.approx(0.4)
    assert found["value"]["stale_closed_share"] == pytest.approx(0.6)
    assert found["value"]["closure_ratio"] == 1
    assert found["value"]["resolution_ratio"] == pytest.approx(0.4)


def test_first_and_final_closing_and_what_was_reopened(measure: Measure) -> None:
    again = Ticket(closings=(Closing(10, reopened=20), Closing(50)))
    undone = Ticket(closings=(Closing(10, reopened=20),))
    once = Ticket(closings=(Closing(30),))
    found = read(measure([again, undone, once]))
    assert found["value"]["time_to_close_first_median"] == pytest.approx(10)
    # Ended after 30 and 50 hours, and one is open: a third, then two thirds.
    assert found["value"]["time_to_close_final_median"] == pytest.approx(50)
    assert found["value"]["reopen_rate"] == pytest.approx(2 / 3)
    assert found["value"]["issues_closed"] == 2
    assert found["value"]["backlog"] == 1


def test_a_year_has_the_backlog_of_its_end_and_the_closings_within_it(measure: Measure) -> None:
    old = Ticket(datetime(2021, 12, 1), closings=(Closing(24 * 60),), acts=(("other", 240.0),))  # 30 January
    fast = Ticket(datetime(2021, 12, 2), closings=(Closing(24),))
    young = Ticket(datetime(2022, 2, 1))
    database = measure([old, fast, young])
    first, second = read(database, "2021"), read(database, "2022")
    assert [first["value"][name] for name in ("issues_new", "issues_closed", "backlog")] == [2, 1, 1]
    assert [second["value"][name] for name in ("issues_new", "issues_closed", "backlog")] == [1, 1, 1]
    assert first["value"]["closure_ratio"] == 0.5
    assert first["value"]["backlog_age_median"] == pytest.approx(31 * 24, abs=1e-6)
    assert first["value"]["backlog_idle_median"] == pytest.approx(21 * 24, abs=1e-6)
    # The records end in July: that is the end of the year, never now.
    age = (END - young.created_at) / HOUR
    assert second["value"]["backlog_age_median"] == pytest.approx(age)
    assert read(database)["value"]["backlog_age_p90"] == pytest.approx(age)


def test_people_are_newcomers_once_and_members_from_when_it_is_known(measure: Measure) -> None:
    first = Ticket(START, author="bob")
    second = Ticket(START + HOUR, author="bob", closings=(Closing(5),))  # by eve, who shows her rights
    early = Ticket(START + 2 * HOUR, author="eve")
    late = Ticket(START + 100 * HOUR, author="EVE")
    database = measure([first, second, early, late])
    groups = database.sql(
        "select item_id, group_name from intermediate.int_issue__group where group_name <> 'all' order by all"
    ).fetchall()
    assert [group for _, group in groups] == ["newcomer", "regular", "newcomer", "member"]


def test_frequent_labels_are_groups(measure: Measure) -> None:
    tickets = [
        Ticket(labels=("bug", *(["rare"] if place < 29 else [])), closings=(Closing(5 + place),))
        for place in range(30)
    ]
    found = measure([*tickets, Ticket()])
    groups = found.sql('select distinct "group" from tickets.service_metrics').fetchall()
    assert ("label: bug",) in groups and ("label: rare",) not in groups
    assert read(found, group="label: bug")["n"]["time_to_close_final_median"] == 30


def test_the_same_tickets_in_any_order_give_the_same_table(measure: Measure) -> None:
    tickets = [*closed_tickets(40, seed=9), *(Ticket(author=f"p{k}") for k in range(9))]
    query = 'from tickets.service_metrics order by repository, period, "group", metric'
    one, other = (measure(order).sql(query).fetchall() for order in (tickets, tickets[::-1]))
    assert one == other


def compared(measure: Measure, members: list[Ticket], newcomers: list[Ticket]) -> pd.DataFrame:
    """Newcomers beside member eve, who showed her rights before."""
    shown = Ticket(START, author="bob", closings=(Closing(1),))
    query = "from intermediate.int_service__comparison where period = 'all' order by metric"
    return measure([shown, *members, *newcomers]).sql(query).df().set_index("metric")


def test_differences_have_the_error_of_two_shares(measure: Measure) -> None:
    later = START + 50 * HOUR
    newcomers = [
        Ticket(later, author=f"p{k}", answered=5.0 if k < 20 else 5_000, closings=(Closing(6_000),))
        for k in range(40)
    ]
    members = [
        Ticket(later + HOUR, author="eve", answered=5.0 if k < 10 else 5_000, closings=(Closing(6_000),))
        for k in range(40)
    ]
    found = compared(measure, members, newcomers).loc["answered_within_7d"]
    # Bob came first, and nobody answered him: 20 of 41 newcomers.
    assert found["value"] == pytest.approx(20 / 41 - 10 / 40)
    assert (found["n"], found["n_reference"], found["n_authors"]) == (41, 40, 1)
    assert pd.isna(found["standard_error"])  # one person is no sample of members
    judged = judge(found.to_frame().T.reset_index(names="metric").infer_objects())
    assert judged[["ci_low", "p_value", "q_value"]].isna().all(axis=None)


def test_tickets_of_one_author_share_a_fate(measure: Measure) -> None:
    later = START + 50 * HOUR
    alone = [
        Ticket(later, author=f"p{k}", answered=5.0 if k % 2 else 5_000, closings=(Closing(6_000),))
        for k in range(60)
    ]
    again = [
        Ticket(later + (1 + n) * HOUR, author=f"p{k}", answered=5.0 if k % 2 else 5_000)
        for k in range(60)
        for n in range(3)
    ]
    found = compared(measure, again, alone).loc["answered_within_7d"]
    newcomers, regulars = 61, 60
    share = 30 / newcomers
    variance = share * (1 - share) / newcomers * newcomers / (newcomers - 1)
    variance += 0.5 * 0.5 / regulars * regulars / (regulars - 1)  # of sixty people, not of 180 tickets
    assert found["reference"] == "regular"
    assert found["n_reference"] == 180
    assert found["standard_error"] == pytest.approx(sqrt(variance), rel=1e-6)
