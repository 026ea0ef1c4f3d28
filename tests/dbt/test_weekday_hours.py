"""weekday_hours, a closed form, against counting day by day."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dbt.conftest import Dbt

moments = st.datetimes(datetime(1965, 1, 1), datetime(2040, 1, 1))
spans = st.tuples(moments, st.timedeltas(timedelta(0), timedelta(days=400)))


@pytest.fixture(scope="module")
def weekday_hours(dbt: Dbt) -> Iterator[Callable[[datetime, datetime], float]]:
    """The rendered macro as a function."""
    sql = dbt.render(
        "select {{ weekday_hours('start_at', 'end_at') }} from (select ? as start_at, ? as end_at)"
    )
    with duckdb.connect() as database:
        yield lambda start, end: database.execute(sql, [start, end]).fetchall()[0][0]


def counted(start: datetime, end: datetime) -> float:
    """Hours of Monday to Friday between two times, day by day."""
    total, day = timedelta(0), datetime(start.year, start.month, start.day)
    while day < end:
        following = day + timedelta(days=1)
        if day.weekday() < 5:
            total += min(end, following) - max(start, day)
        day = following
    return total.total_seconds() / 3600


@settings(max_examples=200, deadline=None)
@given(span=spans)
def test_equals_counting(
    weekday_hours: Callable[[datetime, datetime], float], span: tuple[datetime, timedelta]
) -> None:
    start, end = span[0], span[0] + span[1]
    assert weekday_hours(start, end) == pytest.approx(counted(start, end), abs=1e-6)
