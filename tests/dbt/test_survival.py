"""Kaplan-Meier curves, their quantiles and limits in SQL, against scikit-survival and plain medians."""

import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.dbt.conftest import Dbt

Wait = tuple[float, bool]  # hours, whether what was waited for happened
Curves = Callable[[Sequence[Wait]], pd.DataFrame]

# Few instants, so that events and censorings fall together, and many, so that none do.
hours = st.one_of(st.integers(0, 6).map(float), st.floats(0, 10_000).map(lambda value: round(value, 3)))
waits = st.lists(st.tuples(hours, st.booleans()), min_size=1, max_size=60)


@pytest.fixture(scope="module")
def macros(dbt: Dbt) -> tuple[str, str, str]:
    """The curves of `durations`, what is read from `curves`, and the limits of a share."""
    rendered = dbt.render(
        """
        {{ kaplan_meier('durations', ['cell']) }};
        select
            {{ survival_quantile(0.5) }} as median,
            {{ survival_quantile_limit(0.5, 'ci_low') }} as median_low,
            {{ survival_quantile_limit(0.5, 'ci_high') }} as median_high,
            {{ survival_quantile(0.9) }} as p90
        from curves group by cell order by cell;
        select {{ share_low('part', 'whole') }}, {{ share_high('part', 'whole') }}
        from (select ?::bigint as part, ?::bigint as whole)
        """
    )
    curves, quantiles, limits = rendered.split(";")
    return curves, quantiles, limits


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def curves(macros: tuple[str, str, str], database: duckdb.DuckDBPyConnection) -> Curves:
    """The curve of some waits; the database keeps it as `curves`."""

    def draw(waits: Sequence[Wait]) -> pd.DataFrame:
        rows = pd.DataFrame(waits, columns=["hours", "is_observed"]).assign(cell=1)  # noqa: F841
        database.execute("create or replace table durations as from rows")
        database.execute(f"create or replace table curves as {macros[0]}")
        return database.sql("from curves order by hours").df()

    return draw


@pytest.fixture(scope="module")
def quantiles(
    curves: Curves, macros: tuple[str, str, str], database: duckdb.DuckDBPyConnection
) -> Callable[[Sequence[Wait]], dict[str, float | None]]:
    def read(waits: Sequence[Wait]) -> dict[str, float | None]:
        curves(waits)
        row = database.execute(macros[1])
        names = [column for column, *_ in row.description]
        return dict(zip(names, row.fetchall()[0], strict=True))

    return read


@settings(max_examples=150, deadline=None)
@given(waits=waits)
def test_the_curve_and_its_limits_are_those_of_scikit_survival(curves: Curves, waits: list[Wait]) -> None:
    assert_as_the_oracle_says(curves(waits), waits)


def test_a_long_curve_is_as_exact(curves: Curves) -> None:
    rng = random.Random(1)
    long = [(round(rng.lognormvariate(3, 2), 2), rng.random() < 0.8) for _ in range(20_000)]
    assert_as_the_oracle_says(curves(long), long)


def test_sixty_thousand_waits_take_less_than_two_seconds(curves: Curves) -> None:
    rng = random.Random(2)
    many = [(round(rng.lognormvariate(3, 2), 4), rng.random() < 0.8) for _ in range(60_000)]
    started = time.process_time()
    curve = curves(many)
    assert time.process_time() - started < 2  # of the processor: a busy machine does not count
    assert curve["n_events"].sum() == sum(ended for _, ended in many)


def assert_as_the_oracle_says(curve: pd.DataFrame, waits: Sequence[Wait]) -> None:
    from sksurv.nonparametric import kaplan_meier_estimator

    hours, ended = np.array([w for w, _ in waits]), np.array([e for _, e in waits])
    if not ended.any():  # the oracle refuses what is censored altogether
        assert (curve["survival"] == 1).all()
        assert curve[["standard_error", "ci_low", "ci_high"]].isna().all(axis=None)
        return
    at, survival, (low, high) = kaplan_meier_estimator(ended, hours, conf_type="log-log")
    assert curve["hours"].tolist() == at.tolist()
    assert curve["n_at_risk"].tolist() == [int((hours >= instant).sum()) for instant in at]
    np.testing.assert_allclose(curve["survival"], survival, rtol=0, atol=1e-9)
    between = (survival > 1e-12) & (survival < 1 - 1e-12)
    np.testing.assert_allclose(curve["ci_low"][between], low[between], rtol=0, atol=1e-9)
    np.testing.assert_allclose(curve["ci_high"][between], high[between], rtol=0, atol=1e-9)
    # Before the first event and where nothing survives the formula knows no limits.
    assert curve.loc[~between, ["standard_error", "ci_low", "ci_high"]].isna().all(axis=None)
    greenwood = survival * np.sqrt(
        np.cumsum([d / (n * (n - d)) if n > d else 0 for n, d in curve[["n_at_risk", "n_events"]].to_numpy()])
    )
    np.testing.assert_allclose(curve["standard_error"][between], greenwood[between], rtol=0, atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(waited=st.lists(hours, min_size=1, max_size=60))
def test_without_censoring_the_median_is_that_of_the_hours(quantiles: Callable, waited: list[float]) -> None:
    read = quantiles([(hours, True) for hours in waited])
    assert read["median"] == pytest.approx(statistics.median(waited), rel=1e-9)
    # The p90 is the first instant at which nine tenths have ended; the middle where exactly nine tenths have.
    ordered, rank = sorted(waited), len(waited) * 0.9
    first = ordered[math.ceil(rank - 1e-9) - 1]
    is_exact = abs(rank - round(rank)) < 1e-9
    later = [hours for hours in ordered if hours > first]
    is_last_of_its_instant = is_exact and sum(hours <= first for hours in ordered) == round(rank)
    expected = (first + min(later)) / 2 if is_last_of_its_instant and later else first
    assert read["p90"] == pytest.approx(expected, rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(waits=waits, opened=st.lists(hours, min_size=1, max_size=20))
def test_open_tickets_never_shorten_the_median(
    quantiles: Callable, waits: list[Wait], opened: list[float]
) -> None:
    def reached(value: float | None) -> float:
        return math.inf if value is None else value

    fewer = quantiles(waits)
    more = quantiles([*waits, *((hours, False) for hours in opened)])
    for name in ("median", "p90"):
        assert reached(more[name]) >= reached(fewer[name])


@settings(max_examples=100, deadline=None)
@given(waits=waits)
def test_the_limits_of_the_median_are_where_those_of_the_curve_come_down(
    quantiles: Callable, curves: Curves, waits: list[Wait]
) -> None:
    read, curve = quantiles(waits), curves(waits)
    for name, limit in (("median_low", "ci_low"), ("median_high", "ci_high")):
        down = curve[curve[limit] <= 0.5 + 1e-9]["hours"]
        assert read[name] == (down.min() if len(down) else None)
    if read["median"] is not None and read["median_low"] is not None:
        assert read["median_low"] <= read["median"]
    if read["median"] is not None and read["median_high"] is not None:
        assert read["median"] <= read["median_high"]


def test_where_nothing_ever_ends_nothing_is_reached(quantiles: Callable) -> None:
    assert set(quantiles([(5.0, False), (700.0, False)]).values()) == {None}


def test_the_limits_of_a_share_are_wilsons(
    macros: tuple[str, str, str], database: duckdb.DuckDBPyConnection
) -> None:
    sql = macros[2]
    for part, whole in [(0, 1), (1, 1), (0, 30), (3, 10), (50, 100), (9_999, 10_000)]:
        wilson = stats.binomtest(part, whole).proportion_ci(method="wilson")
        found = database.execute(sql, [part, whole]).fetchall()[0]
        assert found == pytest.approx((wilson.low, wilson.high), abs=1e-9)
    assert database.execute(sql, [0, 0]).fetchall() == [(None, None)]
