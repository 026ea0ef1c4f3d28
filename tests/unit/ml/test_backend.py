"""Fits on other processes and on a cluster: the same numbers, and a sentence where there are none."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from ml.backend import CONNECT_SECONDS, TrainingBackend, each
from ml.data.dataset import Dataset
from ml.models import find, names
from ml.runs.train import training_key
from ml.tasks import DURATION, LATE, RANKER
from ml.tasks.duration.task import TrainingConfig
from ml.tasks.scoring.settings import ScoringConfig
from tests.paths import ROOT
from tests.unit.ml import crews, synthetic

PROCESSES = TrainingBackend("processes", workers=2)


def fingerprints(data: Dataset, scored: Dataset) -> dict[str, str]:
    """A hash of the predictions of every family, and of a scorer and a ranker."""
    quick = TrainingConfig(trials=0, replicates=0)
    tables = {name: DURATION.train(data, quick, name).predictions for name in names()}
    few = ScoringConfig(replicates=0, cv_folds=2, horizon_days=2)
    tables |= {task.kind: task.train(scored, few).predictions for task in (LATE, RANKER)}
    return {name: hashlib.sha256(table.to_csv().encode()).hexdigest() for name, table in tables.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Dataset]:
    folder = tmp_path_factory.mktemp("data")
    items, labels = synthetic.frames(300)
    labels["relevance"] = (labels["y"].fillna(1e9) <= 24).astype("Int64")
    scored = Dataset.from_dir(synthetic.write(folder / "scored", items, labels))
    return Dataset.from_dir(crews.folder(folder / "hours", n=300)), scored


@pytest.fixture(scope="module")
def at_home(data: tuple[Dataset, Dataset]) -> dict[str, str]:
    """In a process that has more than the one thread of a worker."""
    with threadpool_limits(2):
        return fingerprints(*data)


def test_processes_give_the_same_predictions(data: Any, at_home: dict[str, str]) -> None:
    with PROCESSES.in_force():
        assert fingerprints(*data) == at_home


@pytest.mark.cluster
def test_a_cluster_gives_the_same_predictions(data: Any, at_home: dict[str, str]) -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: make setup-cluster")
    with TrainingBackend("dask", workers=2).in_force():
        assert len(set(each(process, [()] * 8))) == 2
        assert fingerprints(*data) == at_home


@pytest.mark.cluster
def test_the_rows_of_a_fit_are_spread_where_that_is_asked_for() -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: make setup-cluster")
    from distributed import get_task_stream

    spec, rng = find("xgboost"), np.random.default_rng(0)
    x = rng.normal(size=(3000, 6))
    y = x[:, 0] + np.abs(x[:, 1]) + rng.normal(scale=0.3, size=3000)
    fit, seen, rest = slice(0, 1501), slice(1501, 2000), slice(2000, 3000)
    weight = rng.uniform(0.5, 1.5, 3000)

    def fitted() -> tuple[list[np.ndarray], int | None, str]:
        one, *alike = (
            spec.build({**spec.defaults, "n_estimators": 25, "learning_rate": 0.3}, seed, "absolute")
            for seed in range(3)
        )
        spec.fit(one, x[fit], y[fit], weight[fit], (x[seen], y[seen], weight[seen]))
        spec.fit_alike(alike, x[fit], y[fit], weight[fit])
        key = training_key("any", DURATION, TrainingConfig(), "xgboost")
        return [each.predict(x[rest]) for each in (one, *alike)], spec.best_iteration(one), key

    at_home, rounds, key = fitted()
    backend = TrainingBackend("dask_rows", workers=2)
    with backend.in_force(), get_task_stream(backend.cluster()) as done:
        spread, own_rounds, own_key = fitted()
        median = training_key("any", DURATION, TrainingConfig(), "median")
    assert len({task["worker"] for task in done.data}) == 2
    # Only what is grown from spread rows is another model.
    assert key != own_key and median == training_key("any", DURATION, TrainingConfig(), "median")
    assert rounds and own_rounds and max(rounds, own_rounds) <= 25
    errors = [[np.abs(y[rest] - one).mean() for one in predicted] for predicted in (at_home, spread)]
    assert errors[1] == pytest.approx(errors[0], rel=0.05) and max(errors[1]) < 0.5
    assert not np.array_equal(spread[1], spread[2])


def process() -> int:
    time.sleep(0.2)
    return os.getpid()


def die(flag: Path, times: int) -> int:
    """Kill the own process so many times, then go on."""
    done = len(list(flag.iterdir()))
    if done < times:
        (flag / str(done)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return done


def test_the_jobs_of_a_killed_worker_are_tried_again_once(tmp_path: Path) -> None:
    with PROCESSES.in_force():
        assert os.getpid() not in each(process, [()] * 4)
        assert each(die, [(tmp_path, 1)]) == [1]
        again = tmp_path / "again"
        again.mkdir()
        with pytest.raises(ValueError, match="killed twice"):
            each(die, [(again, 5)])
        assert each(pow, [(2, 3), (3, 2)]) == [8, 9]


def test_an_error_of_a_job_is_the_caller_s(tmp_path: Path) -> None:
    with PROCESSES.in_force(), pytest.raises(FileNotFoundError):
        each(os.stat, [(tmp_path,), (tmp_path / "absent",)])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"name": "threads"}, "no training backend 'threads': choose from local, processes, dask, dask_rows"),
        ({"name": "processes", "workers": -1}, "0 .* or more, not -1"),
    ],
)
def test_what_cannot_be_meant_is_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TrainingBackend(**settings)


@pytest.mark.cluster
def test_where_no_scheduler_answers_it_is_said_in_time() -> None:
    pytest.importorskip("distributed", reason="Dask is not installed: make setup-cluster")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        backend = TrainingBackend("dask", scheduler=address)
        with pytest.raises(ValueError, match=f"No Dask scheduler answers at '{address}'"), backend.in_force():
            pass
        assert time.monotonic() - started < CONNECT_SECONDS + 10
    for nobody in ("http://127.0.0.1:1", "tls://127.0.0.1:1", "tcp://127.0.0.1:port", "tcp://"):
        backend = TrainingBackend("dask", scheduler=nobody)
        with pytest.raises(ValueError, match=f"at '{nobody}'.*: start it, correct"), backend.in_force():
            pass


def test_workers_find_the_package_where_its_loader_left_no_path_to_it(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from ml.backend import TrainingBackend, each, workers_that_fit
sys.path.remove({str(ROOT)!r})
with TrainingBackend("processes", 2).in_force():
    assert min(each(workers_that_fit, [(), ()])) >= 1
""")
    subprocess.run([sys.executable, script], check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""})
