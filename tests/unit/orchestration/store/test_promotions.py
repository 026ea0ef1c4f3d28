"""The champion in DuckDB: always the journal's, with figures and bias, also when it left the leaderboard."""

import os
import random
import signal
import time
from pathlib import Path

import duckdb
import pytest

from ml.encoding.matrix import PreprocessingConfig
from ml.reports.bias import bias_tables, write_bias
from ml.runs.promote import challenge, roll_back
from ml.runs.train import train_models
from ml.store.promotions import PROMOTED, Promotion, Promotions
from ml.store.run_folder import RunFolder
from ml.tasks.duration.task import TrainingConfig
from orchestration.store.promotions import champion, follow_promotions
from orchestration.store.results import current_models, load_bias, load_training, retire_models
from tests.unit.ml import synthetic

NAMES = ["median", "linear"]
CONFIG = TrainingConfig(
    trials=0, replicates=0, preprocessing=PreprocessingConfig(text_buckets=64, text_components=2)
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs on two snapshots; the median of the first was promoted, then its linear model."""
    folder = tmp_path_factory.mktemp("runs")
    for run, rows in {"early": 200, "late": 250}.items():
        data = synthetic.dataset(rows)
        write_bias(data, train_models(data, NAMES, folder / run, CONFIG), folder / run)
        for name in NAMES if run == "early" else []:
            promoted = RunFolder(folder / run).evaluation(name)
            assert challenge(promoted, data, folder, who="ann", gate="", passes=True).is_promoted
    return folder


def load(database: duckdb.DuckDBPyConnection, run_dir: Path) -> None:
    load_training(database, run_dir, NAMES)
    retire_models(database, "parcels", "regression", NAMES)
    tables = bias_tables(RunFolder(run_dir).evaluations())
    load_bias(database, "parcels", ["regression"], [run_dir], tables)


def version(runs: Path, run: str, model: str) -> str:
    return RunFolder(runs / run).evaluation(model).model_version


CHAMPIONS = "select model_version from ml.models where alias = 'champion'"


def test_the_champion_is_marked_where_it_stands(runs: Path) -> None:
    with duckdb.connect() as database:
        load(database, runs / "early")
        follow_promotions(database, runs, "parcels", "regression")
        assert database.sql(CHAMPIONS).fetchall() == [(version(runs, "early", "linear"),)]
        assert database.sql("select count(*) from ml.models").fetchall() == [(2,)]
        journal = database.sql(
            "select from_version, to_version, (figures ->> 'mae_log_gain')::double > 0 from ml.promotions"
        ).fetchall()
    median, linear = (version(runs, "early", name) for name in NAMES)
    assert journal == [(None, median, None), (median, linear, True)]


def test_one_that_left_the_leaderboard_comes_with_figures_and_bias_and_goes_again(runs: Path) -> None:
    with duckdb.connect() as database:
        for _ in range(2):  # the second time nothing is there twice
            load(database, runs / "late")
            follow_promotions(database, runs, "parcels", "regression")
            follow_promotions(database, runs, "parcels", "regression")
            best = champion(database, "parcels", "regression")
            assert best is not None and best.model_version == version(runs, "early", "linear")
            assert [one.run_id for one in current_models(database, "parcels", ["regression"])] == ["late"] * 2
            counts = database.sql(
                """
                with champion as (from ml.models where alias = 'champion')
                select
                    (select count(*) from ml.models),
                    (select count(*) from ml.model_metrics semi join champion using (run_id, domain, model)),
                    (select count(*) from ml.predictions semi join champion using (run_id, domain, model)),
                    (select count(*) from bias.summary semi join champion using (run_id, domain, model))
                """
            ).fetchall()
            folder = RunFolder(runs / "early")
            summary = folder.table("summary")
            assert counts == [
                (
                    3,
                    len(folder.evaluation("linear").metrics),
                    len(folder.predictions("linear")),
                    int((summary["model"] == "linear").sum()),
                )
            ]
        load(database, runs / "early")
        follow_promotions(database, runs, "parcels", "regression")
        assert database.sql("select count(*) from ml.models").fetchall() == [(2,)]


def test_without_a_word_of_the_journal_nothing_is_changed(runs: Path, tmp_path: Path) -> None:
    with duckdb.connect() as database:
        load(database, runs / "early")
        before = database.sql("from ml.models order by all").fetchall()
        assert follow_promotions(database, tmp_path, "parcels", "regression") is None
        assert database.sql("from ml.models order by all").fetchall() == before


def test_a_hundred_kills_leave_one_champion_in_the_database(runs: Path, tmp_path: Path) -> None:
    """Processes that promote, load and roll back in turns are killed at any moment."""
    file, rng, seen = tmp_path / "pipeline.duckdb", random.Random(1), set()
    with duckdb.connect(str(file)) as database:
        load(database, runs / "late")
        follow_promotions(database, runs, "parcels", "regression")
    for _ in range(100):
        child = os.fork()
        if child == 0:
            try:
                for turn in range(1000):
                    turn_over(runs)
                    with duckdb.connect(str(file)) as database:
                        load(database, runs / ("early" if turn % 2 else "late"))
                        follow_promotions(database, runs, "parcels", "regression")
            finally:
                os._exit(1)
        time.sleep(rng.uniform(0, 0.1))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, "the child must not have ended by itself"
        with duckdb.connect(str(file)) as database:
            follow_promotions(database, runs, "parcels", "regression")
            found = database.execute(CHAMPIONS).fetchall()
        last = Promotions(runs).champion("parcels", "regression")
        assert last is not None and found == [(last.to_version,)]
        seen.add(found[0][0])
    assert len(seen) == 2, "hardly any kill hit a promotion"


def turn_over(runs: Path) -> None:
    """The other one of the two promoted versions becomes champion."""
    journal = Promotions(runs)
    now = journal.champion("parcels", "regression")
    assert now is not None
    other = "median" if now.model == "linear" else "linear"
    to_version = next(one.to_version for one in journal.all() if one.model == other)
    journal.append(
        Promotion(
            "parcels", "regression", PROMOTED, other, "early", "s", now.to_version, to_version, "ann", "turn"
        )
    )


def test_a_rollback_is_followed(runs: Path) -> None:
    with duckdb.connect() as database:
        load(database, runs / "late")
        before = Promotions(runs).champion("parcels", "regression")
        done = roll_back(runs, "parcels", "regression", who="bob", why="too early")
        follow_promotions(database, runs, "parcels", "regression")
        assert before is not None and done.to_version != before.to_version
        assert database.sql(CHAMPIONS).fetchall() == [(done.to_version,)]
