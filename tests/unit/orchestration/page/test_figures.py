"""The README's figures: no word of them is typed, and they come from a published file of real issues."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.page.figures import BEGIN, END, put, read_kept, say, write_figures
from tests.paths import ROOT
from tests.published import ORIGIN, insert, write_published

README = f"Before {BEGIN}\nold\n{END} and after"


def test_the_readme_says_what_the_figures_say() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    kept = read_kept()
    assert put(readme, say(kept)) == readme, "run `python -m orchestration figures` on the corpus"
    claims: list[tuple[str, str, dict[str, Any]]] = [
        ("not every gain excludes zero", "late_scorer", {"auc_gain_vs_repository": [0.1, -0.1, 0.3]}),
        ("has a test MAE of log hours of 9.99 [9.98, 10.00]", "hours", {"mae_log": [9.99, 9.98, 10.0]}),
        ("Newcomers wait longer", "newcomers", {"difference": 0.02, "low": 0.01}),
        # Without an interval there is none.
        ("AUC of .50 against", "alert_scorer", {"auc": [0.5, None, None]}),
    ]
    for claim, name, changed in claims:
        assert claim in _line(say(kept | {name: kept[name] | changed})) and claim not in _line(readme)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A published file with the figures of the README; of the counts one of each."""
    path = write_published(tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(path)) as database:
        database.execute("create table feature_store.training_snapshots (domain varchar, rows bigint)")
        database.execute("insert into feature_store.training_snapshots values ('tickets', 1234)")
        for name, figures in read_kept().items():
            domain, model = ("tickets", "linear") if name == "hours" else (name, name)
            origin = {**ORIGIN, "domain": domain, "model": model}
            if name not in ("hours", "remaining"):
                insert(database, "ml.models", **origin, alias="champion")
            for metric, value in figures.items():
                if isinstance(value, list):
                    origin["run_id"] = "r2" if name == "remaining" else "r1"
                    row = dict(zip(("value", "ci_low", "ci_high"), value, strict=True))
                    split = "origins" if metric.startswith("origins_") else "test"
                    own = metric.removeprefix("origins_")
                    database.execute(
                        "delete from ml.model_metrics where (model, metric, split) = (?, ?, ?)",
                        [model, own, split],
                    )
                    insert(database, "ml.model_metrics", **origin, split=split, metric=own, **row)
        left = {**ORIGIN, "run_id": "r2", "domain": "remaining", "model": "remaining"}
        insert(
            database,
            "ml.model_metrics",
            **left,
            split="validation",
            metric="remaining_coverage_80",
            value=0.75,
        )
        for metric in ("auc", "auc_group_rate", "auc_gain_vs_group_rate", "brier_gain_vs_group_rate"):
            insert(
                database, "ml.horizon_metrics", **left, split="test", metric=metric, value=0.5, ci_low=0.25
            )
        insert(database, "ml.predictions", model="response_7d", item_id="a/b#1", split="test")
    return path


def test_what_is_published_is_what_is_said(published: Path, tmp_path: Path) -> None:
    readme, figures = tmp_path / "README.md", tmp_path / "figures.json"
    readme.write_text(README)
    found = write_figures(published, readme, figures)
    assert readme.read_text() == put(README, say(found)) and read_kept(figures) == found
    kept = read_kept()
    for name, own in kept.items():
        assert {metric: v for metric, v in own.items() if isinstance(v, list)}.items() <= found[name].items()
        assert set(found[name]) == set(own)
    assert found["issues"] == {"rows": 1234, "repositories": 2}
    assert (found["remaining"]["pairs"], found["remaining"]["nearer"]) == (1, 1)
    # Hours of 10 that took 10, 11, 12 and 4,000: the middle is (1 + 12) / (1 + 10) and (1 + 11) / (1 + 10).
    assert found["hours"]["factor"] == pytest.approx((13 * 12) ** 0.5 / 11, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update tickets.repositories set is_synthetic = true", "are synthetic"),
        ("delete from ml.model_metrics where metric = 'ndcg@10_words'", "ndcg@10_words of triage_ranker"),
        ("drop table tickets.response_gaps", "a row in tickets.response_gaps"),
    ],
)
def test_what_is_no_figure_changes_nothing(published: Path, tmp_path: Path, change: str, said: str) -> None:
    readme, figures = tmp_path / "README.md", tmp_path / "figures.json"
    readme.write_text(README)
    with duckdb.connect(str(published)) as database:
        database.execute(change)
    with pytest.raises(ValueError, match=said):
        write_figures(published, readme, figures)
    assert readme.read_text() == README and not figures.exists()


def _line(text: str) -> str:
    return " ".join(text.split())
