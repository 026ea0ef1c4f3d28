"""A search that is shared, cut down and resumed: no trial is lost, none is failed for another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import optuna
import pytest
import yaml
from optuna.trial import TrialState

from ml.cli import main
from ml.search.budget import tune
from ml.search.journal import OWNER, SharedJournal, own_name
from ml.search.study import SearchRequest, objective_for, search
from ml.tasks.scoring.settings import ScoringConfig
from ml.tasks.task import Objective
from tests.unit.ml import grouped, synthetic

CONFIG = ScoringConfig(validation_groups=3, test_groups=4, params={"max_depth": 2})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return synthetic.write(tmp_path / "data", *grouped.frames(size=30), "{}")


def study_of(request: SearchRequest, journal: Path) -> optuna.Study:
    return optuna.load_study(
        study_name=objective_for(request).name,
        storage=optuna.storages.JournalStorage(SharedJournal(journal)),
    )


def test_no_search_ends_below_the_defaults(data: Path, tmp_path: Path) -> None:
    request = SearchRequest("scorer", data, 0, CONFIG)
    objective = objective_for(request).objective
    result = search(request, 1, tmp_path / "j.journal")
    assert result.best_params == objective.defaults and result.best_params["max_depth"] == 2
    assert result.best_value == pytest.approx(objective.score(objective.defaults, lambda value, step: None))
    more = search(request, 3, tmp_path / "j.journal")
    assert more.best_value >= result.best_value
    assert set(more.search_space) <= set(objective.defaults) | set(more.best_params)


def test_a_budgeted_search_tries_the_defaults_first_in_either_direction() -> None:
    for direction, sign in (("minimize", 1.0), ("maximize", -1.0)):
        objective = Objective(
            "distance",
            direction,  # type: ignore[arg-type]
            {"x": 10.0},
            lambda trial: {"x": trial.suggest_float("x", 0.0, 1.0)},
            lambda params, report, sign=sign: sign * abs(params["x"] - 10.0),  # type: ignore[misc]
        )
        assert tune(objective, 4, 60.0, 0) == {"x": 10.0}
    assert tune(objective, 0, 60.0, 0) == {}


def test_only_trials_of_dead_processes_are_given_up(data: Path, tmp_path: Path) -> None:
    request, journal = SearchRequest("scorer", data, 0, CONFIG), tmp_path / "j.journal"
    search(request, 1, journal)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    owners = [own_name(), [own_name()[0], ended.pid], ["another-machine", ended.pid], None]
    study = study_of(request, journal)
    for owner in owners:
        trial = study.ask()
        if owner is not None:
            trial.set_user_attr(OWNER, owner)
    search(request, 2, journal)
    states = [trial.state for trial in study_of(request, journal).get_trials()[1:5]]
    assert states == [TrialState.RUNNING, TrialState.FAIL, TrialState.RUNNING, TrialState.RUNNING]


def test_a_cut_line_of_the_journal_is_skipped(data: Path, tmp_path: Path) -> None:
    request, journal = SearchRequest("scorer", data, 0, CONFIG), tmp_path / "j.journal"
    search(request, 2, journal)
    for cut in (b'{"op_code":4,"worker_id":"x', b"\\x00\\xff{", b"[1, 2]\n"):
        with journal.open("ab") as stream:
            stream.write(cut)
        trials = len(study_of(request, journal).get_trials())
        assert search(request, trials + 1, journal).trials == trials + 1


def test_two_commands_share_one_journal(data: Path, tmp_path: Path) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text("validation_groups: 3\ntest_groups: 4\n")
    output = tmp_path / "best.yaml"
    command = [
        sys.executable, "-m", "ml", "tune", "--model-type", "scorer", "--data-dir", str(data),
        "--config", str(settings), "--trials", "6", "--output", str(output),
    ]  # fmt: skip
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    ends = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    request = SearchRequest("scorer", data, config=ScoringConfig(validation_groups=3, test_groups=4))
    trials = study_of(request, output.with_suffix(".journal")).get_trials()
    assert {trial.state for trial in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert 6 <= len(trials) <= 7


def test_the_seed_of_the_file_counts_unless_another_is_given(data: Path, tmp_path: Path) -> None:
    settings, output = tmp_path / "settings.yaml", tmp_path / "best.yaml"
    settings.write_text("seed: 7\nvalidation_groups: 3\ntest_groups: 4\n")
    command = [
        "tune", "--model-type", "scorer", "--data-dir", str(data), "--config", str(settings),
        "--trials", "1", "--output", str(output),
    ]  # fmt: skip
    assert main(command) == 0
    assert yaml.safe_load(output.read_text())["seed"] == 7
    assert main([*command, "--seed", "3"]) == 0
    assert yaml.safe_load(output.read_text())["seed"] == 3


def test_the_output_never_replaces_the_journal(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "best.journal"
    command = ["tune", "--model-type", "scorer", "--data-dir", str(data), "--output", str(output)]
    assert main(command) == 1
    assert "own journal" in capsys.readouterr().err
    assert not output.exists()
