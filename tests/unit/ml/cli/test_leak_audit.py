"""``leak-audit`` names what knows the end, in whatever dress, and no honest feature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.cli import main
from tests.unit.ml import grouped, synthetic

Frames = tuple[pd.DataFrame, pd.DataFrame]
Random = np.random.Generator
Leak = Callable[[pd.DataFrame, pd.DataFrame, Random], object]


def lives(n: int = 2000, seed: int = 0) -> Frames:
    """The parcels forty times slower: weeks to years, so that a tenth of them has not ended yet."""
    items, labels = synthetic.frames(n, seed)
    hours = labels["y"].fillna(1e5) * 40
    end = items["event_at"] + pd.to_timedelta(hours.clip(upper=1e5), unit="h")
    is_open = end > synthetic.END
    ended = {"y": hours.where(~is_open), "labelled_at": end.where(~is_open).astype("datetime64[us]")}
    return items, labels.assign(is_censored=is_open, **ended)


def visits(n: int = 700, seed: int = 0) -> Frames:
    """Every item seen at its start and 3 days later, with a count that is honest at both times."""
    items, labels = lives(n, seed)
    later = items.assign(event_at=items["event_at"] + pd.Timedelta(days=3))
    seen = labels["y"].fillna(1e5) > 72
    both = pd.concat([items.assign(calls=0), later[seen].assign(calls=1)], ignore_index=True)
    return both[both["event_at"] < synthetic.END].reset_index(drop=True), labels


def spent(items: pd.DataFrame, labels: pd.DataFrame) -> pd.Series:
    """Hours until the end or, of open items, until nobody looked any more."""
    return labels["y"].fillna((labels["observed_until"] - items["event_at"]) / pd.Timedelta(hours=1))


def ends(items: pd.DataFrame, labels: pd.DataFrame) -> pd.Series:
    return items["event_at"] + pd.to_timedelta(labels["y"], unit="h")


def audit(folder: Path, frames: Frames, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], str]:
    """The exit code, the names of the suspects and the whole text."""
    code = main(["leak-audit", "--data-dir", str(synthetic.write(folder, *frames))])
    text = capsys.readouterr().out
    return code, [line.split()[1] for line in text.splitlines() if line.startswith("suspect ")], text


DURATION_LEAKS: dict[str, Leak] = {
    "the label": lambda i, y, r: y["y"],
    "the label and some noise": lambda i, y, r: np.log(spent(i, y)) + r.normal(0, 0.3, len(i)),
    "the label and more noise": lambda i, y, r: np.log(spent(i, y)) + r.normal(0, 0.6, len(i)),
    "the label and noise, turned round": lambda i, y, r: -np.log(spent(i, y)) + r.normal(0, 0.5, len(i)),
    "a flag of the ended": lambda i, y, r: ~y["is_censored"],
    "a flag of half of the ended": lambda i, y, r: ~y["is_censored"] & (r.random(len(i)) < 0.5),
    "a count that goes on": lambda i, y, r: r.poisson(spent(i, y) / 960),
    "a count at each item's own pace": lambda i, y, r: r.poisson(
        spent(i, y) / 240 * r.lognormal(0, 1, len(i))
    ),
    "missing until the end": lambda i, y, r: pd.Series(r.normal(size=len(i))).where(~y["is_censored"]),
    "rare, and missing until the end": lambda i, y, r: pd.Series(r.normal(size=len(i))).where(
        ~y["is_censored"] & (r.random(len(i)) < 0.4)
    ),
    "an outcome in words": lambda i, y, r: pd.Series(r.choice(["done", "lost"], len(i)), dtype=object).where(
        ~y["is_censored"], "waiting"
    ),
    "a status in the middle": lambda i, y, r: np.where(y["is_censored"], 2, r.choice([1, 3], len(i))),
    "the date of the end": lambda i, y, r: ends(i, y).dt.strftime("%Y-%m-%d").where(y["y"].notna(), None),
    "about the second of the end": lambda i, y, r: (
        ends(i, y).astype("int64").where(y["y"].notna()) / 1e6 + r.normal(0, 2e5, len(i))
    ),
}

BINARY_LEAKS: dict[str, Leak] = {
    "the label and noise": lambda i, y, r: y["y"] + r.normal(0, 0.3, len(i)),
    "a flag of half of the positives": lambda i, y, r: (y["y"] > 0) & (r.random(len(i)) < 0.5),
    "missing but for positives": lambda i, y, r: pd.Series(r.normal(size=len(i))).where(
        (y["y"] > 0) | (r.random(len(i)) < 0.01)
    ),
    "a count of what follows": lambda i, y, r: r.poisson(0.1 + 6 * y["y"]),
    "a verdict in words": lambda i, y, r: np.where(
        y["y"] > 0, r.choice(["sent", "filed"], len(i)), r.choice(["shut", "idle"], len(i))
    ),
    "the date of the verdict": lambda i, y, r: (
        y["labelled_at"].dt.strftime("%Y-%m-%d").where(y["y"] > 0, None)
    ),
}


@pytest.mark.parametrize("kind", DURATION_LEAKS)
def test_what_knows_the_duration_is_named(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items, labels = lives()
    leak = DURATION_LEAKS[kind](items, labels, np.random.default_rng(3))
    code, named, text = audit(tmp_path, (items.assign(innocent=leak), labels), capsys)
    assert (code, named) == (2, ["innocent"]), text


@pytest.mark.parametrize("kind", BINARY_LEAKS)
def test_what_knows_the_class_is_named(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items, labels = grouped.frames(size=120)
    leak = BINARY_LEAKS[kind](items, labels, np.random.default_rng(3))
    code, named, text = audit(tmp_path, (items.assign(innocent=leak), labels), capsys)
    assert (code, named) == (2, ["innocent"]), text


def test_skill_that_the_row_before_has_not_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items, labels = visits()
    y = labels.set_index("item_id")["y"].reindex(items["item_id"]).to_numpy()
    random = np.random.default_rng(3)
    is_later = items["calls"] > 0
    known = np.log(np.nan_to_num(y, nan=1e4)) + random.normal(0, 1, len(items))
    items = items.assign(innocent=np.where(is_later, known, random.normal(5, 2, len(items))))
    code, named, text = audit(tmp_path, (items, labels), capsys)
    assert (code, named) == (2, ["innocent"]) and "as of the row before" in text


def test_a_name_of_the_end_is_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items, labels = lives(300)
    code, named, text = audit(tmp_path, (items.assign(closed_at=1.0), labels), capsys)
    assert (code, named) == (2, ["closed_at"]) and "is named like" in text


@pytest.mark.parametrize("seed", [0, 1, 109, 116])
@pytest.mark.parametrize(
    "frames",
    [
        lambda seed: synthetic.frames(600, seed),
        lambda seed: lives(600, seed),
        lambda seed: lives(1500, seed),
        lambda seed: visits(500, seed),
        lambda seed: grouped.frames(seed=seed),
        lambda seed: grouped.frames(14, 400, seed),
    ],
    ids=["hours", "few lives", "lives", "visits", "few classes", "classes"],
)
def test_no_honest_feature_is_named(
    frames: Callable[[int], Frames], seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items, labels = frames(seed)
    random = np.random.default_rng(seed)
    since = (items["event_at"] - items["event_at"].min()) / pd.Timedelta(days=1)
    # A number that grows with the calendar, one that came into use late, a rare flag, many levels.
    items = items.assign(
        running=since.round() + random.integers(0, 3, len(items)),
        late=pd.Series(random.normal(size=len(items))).where(since > since.median()),
        rare=random.random(len(items)) < 0.02,
        clerk=random.choice([f"clerk {k}" for k in range(200)], len(items)),
    )
    assert audit(tmp_path, (items, labels), capsys) == (0, [], "no suspect\n")


def test_odd_values_are_no_error_and_no_suspect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items, labels = lives(500)
    odd = np.arange(len(items)) % 2 == 0
    items = items.assign(
        infinite=np.where(odd, np.inf, 1.0),
        huge=np.where(odd, 1e308, -1e308),
        flag=pd.array(np.where(odd, True, None), dtype="boolean"),
        grade=pd.Categorical(np.where(odd, 1, 2)),
        empty=None,
        constant=3,
    )
    assert audit(tmp_path, (items, labels), capsys) == (0, [], "no suspect\n")


def test_the_same_rows_in_another_order_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items, labels = lives(800)
    leak = DURATION_LEAKS["the label and some noise"](items, labels, np.random.default_rng(3))
    items = items.assign(innocent=leak)
    shuffled = items.sample(frac=1, random_state=1), labels.sample(frac=1, random_state=2)
    first, again = audit(tmp_path, (items, labels), capsys), audit(tmp_path, shuffled, capsys)
    assert first == again and first[0] == 2


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda i, y: (i, y.assign(y=np.nan, is_censored=True, labelled_at=pd.NaT)),
            "no two different known",
        ),
        (lambda i, y: (i[["item_id", "event_at", "entity_id", "group_id"]], y), "no feature column"),
        (lambda i, y: (i.drop(columns="event_at"), y), "event_at"),
        (lambda i, y: (i.iloc[:0], y.iloc[:0]), ""),
    ],
    ids=["no label", "no feature", "no time", "no row"],
)
def test_bad_input_is_a_sentence(
    spoil: Callable[[pd.DataFrame, pd.DataFrame], Frames],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    synthetic.write(tmp_path, *spoil(*lives(60)))
    assert main(["leak-audit", "--data-dir", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and said in error and error.count("\n") == 1


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leak-audit", "--data-dir", str(tmp_path / "nowhere")]) == 1
    assert "There is no training set at" in capsys.readouterr().err
