"""A copy of the label is found in whatever dress, and no honest feature is taken for one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset, DomainConfig
from tests.unit.ml import grouped, synthetic

Frames = tuple[pd.DataFrame, pd.DataFrame]
Copy = Callable[[pd.DataFrame, pd.DataFrame], object]


def with_feature(frames: Frames, values: object, name: str = "innocent") -> Dataset:
    items, labels = frames
    return Dataset(items.assign(**{name: values}), labels, DomainConfig(timeline="slice_kind"))


def hours(items: pd.DataFrame, labels: pd.DataFrame) -> pd.Series:
    """The label of every row; of open items a number that says nothing, as an export would have it."""
    return labels["y"].fillna(0.0)


def gap(values: pd.Series, row: int = 3) -> pd.Series:
    return values.where(np.arange(len(values)) != row)


def periodic(items: pd.DataFrame, unit: str) -> pd.Series:
    """An offset that jumps from period to period."""
    codes = pd.factorize(items["event_at"].dt.to_period(unit))[0]
    return pd.Series(np.random.default_rng(8).normal(0, 1e4, codes.max() + 1)[codes])


DURATION_COPIES: dict[str, Copy] = {
    "itself": lambda i, y: y["y"],
    "one value missing": lambda i, y: gap(y["y"]),
    "a third missing": lambda i, y: y["y"].where(np.arange(len(y)) % 3 > 0),
    "days": lambda i, y: y["y"] / 24,
    "seconds in whole numbers": lambda i, y: (y["y"] * 3600).round().astype("Int64"),
    "whole hours": lambda i, y: y["y"].round(),
    "whole days": lambda i, y: (y["y"] / 24).round(),
    "an offset": lambda i, y: y["y"] + 1234.5,
    "negated": lambda i, y: -y["y"],
    "a logarithm": lambda i, y: np.log1p(y["y"]),
    "a root with a gap": lambda i, y: gap(np.sqrt(y["y"])),
    "its inverse": lambda i, y: 1 / (1 + y["y"]),
    "a rank": lambda i, y: y["y"].rank(),
    "a percentile": lambda i, y: y["y"].rank(pct=True).round(3),
    "capped": lambda i, y: y["y"].clip(upper=y["y"].quantile(0.8)),
    "a few deciles": lambda i, y: np.ceil(10 * y["y"].rank(pct=True)),
    "over a bound": lambda i, y: y["y"] > 24,
    "a grade in words": lambda i, y: np.where(y["y"] > 48, "slow", np.where(y["y"] > 12, "middling", "fast")),
    "a number as text": lambda i, y: y["y"].map("{:.2f}".format).where(y["y"].notna(), None),
    "a number with its unit": lambda i, y: y["y"].map("{:.1f} h".format).where(y["y"].notna(), None),
    "a number with thousands": lambda i, y: (y["y"] * 1e4).map("{:,.0f}".format),
    "a number in words": lambda i, y: y["y"].map("closed after {:.1f} hours".format),
    "a code in order": lambda i, y: y["y"].rank(method="first").map("r{:06.0f}".format),
    "decimals": lambda i, y: y["y"].map(str).astype("category"),
    "one in a hundred wrong": lambda i, y: y["y"].where(np.arange(len(y)) % 100 > 0, 5.0),
    "a little noise": lambda i, y: y["y"] * (1 + np.random.default_rng(1).normal(0, 0.005, len(y))),
    "the time of the end": lambda i, y: (y["labelled_at"] - pd.Timestamp(0)) / pd.Timedelta(seconds=1),
    "the time of the end in days": lambda i, y: (y["labelled_at"] - pd.Timestamp(0)) / pd.Timedelta(days=1),
    "the time of the end as text": lambda i, y: y["labelled_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "an offset a month": lambda i, y: y["y"] + periodic(i, "M"),
    "an offset a year, negated": lambda i, y: periodic(i, "Y") - y["y"],
    "an offset a week": lambda i, y: y["y"] + periodic(i, "W"),
    "an offset a group": lambda i, y: y["y"] + 1e4 * pd.factorize(i["group_id"])[0],
    "an offset a timeline": lambda i, y: np.log1p(y["y"]) + 50 * pd.factorize(i["slice_kind"])[0],
    "an offset a person": lambda i, y: y["y"] + 1e5 * pd.factorize(i["entity_id"])[0],
    "a rank a month": lambda i, y: y["y"].groupby(i["event_at"].dt.to_period("M")).rank(),
}  # fmt: skip


@pytest.mark.parametrize("copy", DURATION_COPIES.values(), ids=DURATION_COPIES)
def test_a_copy_of_a_duration_is_named(copy: Copy) -> None:
    items, labels = synthetic.frames(1500, seed=4)
    with pytest.raises(ValueError, match=r"^The feature 'innocent' .+: a leak; drop it\.$"):
        with_feature((items, labels), copy(items, labels))


@pytest.mark.parametrize("copy", ["itself", "one value missing", "days", "negated", "a number as text"])
def test_a_copy_on_few_rows_is_named(copy: str) -> None:
    items, labels = synthetic.frames(40)
    with pytest.raises(ValueError, match=r"'innocent' .*equals the label"):
        with_feature((items, labels), DURATION_COPIES[copy](items, labels))


BINARY_COPIES: dict[str, Copy] = {
    "itself": lambda i, y: y["y"],
    "one value missing": lambda i, y: gap(y["y"]),
    "turned round": lambda i, y: 1 - y["y"],
    "a truth": lambda i, y: y["y"] > 0,
    "another unit and offset": lambda i, y: 40 * y["y"] - 7,
    "text": lambda i, y: y["y"].map("{:g}".format),
    "text with a gap": lambda i, y: gap(y["y"].map("{:g}".format)),
    "words": lambda i, y: y["y"].map({0.0: "refuted", 1.0: "confirmed"}),
    "its absence": lambda i, y: pd.Series(1.0, index=y.index).where(y["y"] > 0),
    "its presence": lambda i, y: pd.Series(1.0, index=y.index).where(y["y"] == 0),
    "what it was made from": lambda i, y: np.random.default_rng(0).random(len(y)) + y["y"],
    "an offset a group": lambda i, y: y["y"] + 3 * pd.factorize(i["group_id"])[0],
    "a random offset a group": lambda i, y: (
        y["y"] + np.random.default_rng(5).normal(0, 9, 99)[pd.factorize(i["group_id"])[0]]
    ),
    "a threshold a group": lambda i, y: (
        np.random.default_rng(0).random(len(y)) + y["y"] + 3 * pd.factorize(i["group_id"])[0]
    ),
    "an offset a person": lambda i, y: y["y"] + 0.1 * pd.factorize(i["entity_id"])[0],
}


@pytest.mark.parametrize("copy", BINARY_COPIES.values(), ids=BINARY_COPIES)
def test_a_copy_of_a_class_is_named(copy: Copy) -> None:
    items, labels = grouped.frames()
    with pytest.raises(ValueError, match=r"^The feature 'innocent' .*tells every positive.+: a leak; drop"):
        with_feature((items, labels), copy(items, labels))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("strength", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("on", ["hours", "logarithm", "rank"])
def test_no_honest_feature_of_a_duration_is_named(seed: int, strength: float, on: str) -> None:
    items, labels = synthetic.frames([60, 200, 1000][seed % 3], seed=seed)
    y = labels["y"].fillna(labels["y"].median())
    y = {"hours": y, "logarithm": np.log1p(y), "rank": y.rank()}[on]
    noise = np.random.default_rng(seed).normal(size=len(y))
    honest = strength * (y - y.mean()) / y.std() + np.sqrt(1 - strength**2) * noise
    dataset = with_feature((items, labels), honest)
    assert "innocent" in dataset.features
    coarse = pd.qcut(honest, 4, labels=["a", "b", "c", "d"]).astype(str)
    assert "grade" in with_feature((items, labels), coarse, "grade").features
    counts = np.round(np.exp(honest)).astype("Int64").where(noise < 1.5)
    assert "count" in with_feature((items, labels), counts, "count").features


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("strength", [0.5, 0.8, 0.9])
def test_no_honest_feature_of_a_class_is_named(seed: int, strength: float) -> None:
    items, labels = grouped.frames(14, [20, 60, 200][seed % 3], seed=seed)
    rng = np.random.default_rng(seed)
    cause = rng.normal(size=len(items))
    labels["y"] = (strength * cause + np.sqrt(1 - strength**2) * rng.normal(size=len(items)) > 0.5) * 1.0
    offset = rng.normal(0, 9, 99)[pd.factorize(items["group_id"])[0]]
    items = items.assign(cause=cause, moved=cause + offset, count=np.round(np.exp(cause)))
    assert {"cause", "moved", "count"} <= set(Dataset(items, labels, grouped.CONFIG).features)


def test_what_grows_with_time_or_names_its_row_is_honest() -> None:
    items, labels = synthetic.frames(800)
    start = items["event_at"]
    items = items.assign(
        opened=(start - pd.Timestamp(0)) / pd.Timedelta(seconds=1),
        opened_text=start.dt.strftime("%Y-%m-%d"),
        serial=items["item_id"],
        number=np.arange(len(items)),
        year=start.dt.year,
        always_absent=np.nan,
        constant=1,
    )
    assert {"opened", "serial", "year"} <= set(Dataset(items, labels).features)


def test_a_copy_of_grades_is_named_by_the_ranker() -> None:
    from ml.tasks.scoring.ranker import ranking_target

    items, labels = grouped.frames(14, 60, seed=2)
    ranking_target(Dataset(items, labels, grouped.CONFIG))
    labels["y"] = np.random.default_rng(0).permutation(labels["y"].to_numpy())
    for copy in (labels["relevance"] * 2.5 - 1, gap(labels["relevance"].astype(float))):
        with pytest.raises(ValueError, match=r"'innocent' .*a leak; drop it"):
            ranking_target(Dataset(items.assign(innocent=copy), labels, grouped.CONFIG))
