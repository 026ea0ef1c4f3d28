"""Words are scored by what was known before the item began, once per snapshot, and served the same way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.data.parts.splits import split_by_time
from ml.encoding.encoders import TextEncoder
from ml.encoding.matrix import PreprocessingConfig, prepare
from ml.encoding.text_score import chained_scores
from ml.stats.metrics import auc
from ml.store.trusted import dump_trusted, load_trusted
from tests.unit.ml import synthetic

WORDS = TextEncoder(["text"], buckets=2**10)
SCORED = PreprocessingConfig(text_score=True, text_buckets=2**10, text_components=4)


def test_the_planted_word_is_found_and_the_first_items_have_no_score() -> None:
    data = synthetic.dataset(3000)
    split = split_by_time(data)
    text, scores = chained_scores(data, split, WORDS)
    assert scores.shape == (3000, 6)
    hours, weekly = scores[:, -1], scores[:, 1]
    test = split.rows("test")
    hurried = data.items["text"].str.contains("hurry").to_numpy()
    assert hours[test & hurried].max() < hours[test & ~hurried].min()
    within = split.outcomes(data).within(7)
    seen = test & ~np.isnan(within)
    assert auc(within[seen], weekly[seen].astype(float))[0] > 0.6
    start = data.items["event_at"].to_numpy()
    for depot in ("north", "south"):
        own = (data.items["slice_depot"] == depot).to_numpy()
        first = np.argsort(start[own])[: int(own.sum() * 0.7 / 6) - 1]
        assert not scores[own][first].any()
    np.testing.assert_allclose(text.transform(data.items[test]), scores[test], atol=1e-6)


def test_an_item_that_is_still_open_is_scored_as_before_it_was_learned_from() -> None:
    items, labels = synthetic.frames(3000)
    still = labels["is_censored"] | (labels.index % 10 == 0)
    labels = labels.assign(
        y=labels["y"].where(~still),
        is_censored=still,
        labelled_at=labels["labelled_at"].where(~still),
        observed_until=labels["observed_until"].max(),
    )
    data = Dataset(items, labels, replace(synthetic.CONFIG, timeline=None))
    split = split_by_time(data)
    text, scores = chained_scores(data, split, WORDS)
    is_open = data.row_labels()["is_censored"].to_numpy() & ~split.rows("test")
    np.testing.assert_allclose(text.transform(data.items[is_open]), scores[is_open], atol=1e-6)
    unknown = data.items[is_open].assign(item_id="new")
    assert np.abs(text.transform(unknown) - scores[is_open]).max() > 0.01


def test_rows_of_one_item_are_scored_alike() -> None:
    items, labels = synthetic.frames(1500)
    later = items.assign(event_at=items["event_at"] + pd.Timedelta(days=1))
    one, two = (
        Dataset(frame, labels, synthetic.CONFIG)
        for frame in (items, pd.concat([later, items], ignore_index=True))
    )
    (_, plain), (_, both) = (chained_scores(d, split_by_time(d), WORDS) for d in (one, two))
    known = pd.DataFrame(plain, index=one.items["item_id"])
    np.testing.assert_allclose(both, known.loc[two.items["item_id"]], atol=1e-3)


@pytest.mark.parametrize("share", [0.4, 0.6, 0.75])
def test_what_ended_later_changes_no_earlier_score(share: float) -> None:
    items, labels = synthetic.frames(3000)
    data = Dataset(items, labels, replace(synthetic.CONFIG, timeline=None))
    split = split_by_time(data)
    cut = data.items["event_at"].quantile(share)
    later = labels["labelled_at"] >= cut
    other = labels.assign(
        y=labels["y"].where(~later),
        is_censored=labels["is_censored"] | later,
        labelled_at=labels["labelled_at"].where(~later),
    )
    changed = Dataset(items, other, data.config)
    before = (data.items["event_at"] < cut).to_numpy()
    (_, one), (_, two) = (chained_scores(d, split, WORDS) for d in (data, changed))
    np.testing.assert_array_equal(one[before], two[before])
    assert (one[~before] != two[~before]).any()


def test_the_encoder_that_is_saved_scores_new_items_and_names_what_it_reads() -> None:
    data = synthetic.dataset(1500)
    split = split_by_time(data)
    prepared = prepare(data, split, SCORED)
    names = list(prepared.encoder.get_feature_names_out())
    assert names[-6:] == [f"text_score_{t}" for t in ("1d", "7d", "30d", "90d", "365d", "log_hours")]
    assert prepared.encoder.sources()[-6:] == ["text"] * 6
    again = load_trusted(dump_trusted(prepared.encoder), "encoder")
    test = split.rows("test")
    np.testing.assert_allclose(again.transform(data.items[test]), prepared.matrix[test], atol=1e-5)
    without = pd.DataFrame(data.items.drop(columns="text"))
    plain = prepare(Dataset(without, data.labels, data.config), split, SCORED)
    assert not [n for n in plain.encoder.get_feature_names_out() if n.startswith("text_score")]
