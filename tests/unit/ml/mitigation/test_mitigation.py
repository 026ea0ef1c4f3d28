"""Mitigation end to end: a planted bias that can be repaired is, noise is not, and nothing is tried twice."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.data.dataset import Dataset
from ml.data.parts.splits import split_by_time
from ml.mitigation.methods import Fitting, Target
from ml.mitigation.models import main_slices, slices_by_size
from ml.mitigation.run import (
    MitigationConfig,
    accepted_models,
    mitigate_models,
    target_dimension,
)
from ml.models import find
from ml.reports.bias import write_bias
from ml.runs.select import choose_best
from ml.runs.train import train_models
from ml.store.record import Evaluation
from ml.store.run_folder import RunFolder
from ml.tasks.duration.fit import Weighting, Workbench
from ml.tasks.duration.task import TrainingConfig
from tests.unit.ml import crews, synthetic

QUICK = TrainingConfig(trials=0, replicates=20)


def trained(folder: Path, **options: float) -> tuple[Dataset, list[Evaluation], Path]:
    dataset = Dataset.from_dir(crews.folder(folder / "data", **options))
    run_dir = folder / "runs" / "r"
    evaluations = train_models(dataset, ["median", "linear"], run_dir, QUICK)
    write_bias(dataset, evaluations, run_dir)
    return dataset, evaluations, run_dir


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, list[Evaluation], Path]:
    return trained(tmp_path_factory.mktemp("planted"), factor=5.0)


@pytest.fixture(scope="module")
def repaired(planted: tuple[Dataset, list[Evaluation], Path]) -> pd.DataFrame:
    return mitigate_models(*planted).ledger


def test_a_planted_bias_is_reduced_and_accepted(repaired: pd.DataFrame) -> None:
    assert set(repaired["method"]) == {
        "baseline", "sample_weights", "resampling", "prediction_adjustment", "exponentiated_gradient",
    }  # fmt: skip
    assert set(repaired["dimension"]) == {"crew"} and set(repaired["worst_slice"]) == {"night"}
    line = repaired.set_index("method").loc["prediction_adjustment"]
    assert line["accepted"] and line["ci_high"] < 0
    assert line["worst_after"] < 0.8 * line["worst_before"]
    assert line["gap_after"] < 0.5 * line["gap_before"]
    assert not repaired.set_index("method").loc["baseline", "accepted"]


def test_the_reduction_says_whether_its_bound_was_met(repaired: pd.DataFrame) -> None:
    line = repaired.set_index("method").loc["exponentiated_gradient"]
    assert line["n_fits"] > 3 and line["seconds"] > 0
    assert "bound" in line["note"] and "met" in line["note"]


def test_an_accepted_model_is_saved_serves_and_can_be_champion(
    planted: tuple[Dataset, list[Evaluation], Path], repaired: pd.DataFrame
) -> None:
    dataset, evaluations, run_dir = planted
    accepted = mitigate_models(dataset, evaluations, run_dir).accepted
    names = [evaluation.model for evaluation in accepted]
    assert "linear+prediction_adjustment" in names and names == accepted_models(run_dir)
    assert set(names) == {f"linear+{m}" for m in repaired.loc[repaired["accepted"], "method"]}
    for name in names:
        stored = pd.read_parquet(run_dir / f"predictions_{name}.parquet")
        test = stored[stored["split"] == "test"].set_index("item_id")
        items = dataset.items[dataset.items["item_id"].isin(test.index)]
        served = RunFolder(run_dir).model(name).predict(items)
        for column in ("y_pred", "p10", "p90", "p_within_7d"):
            expected = test.loc[items["item_id"], column].to_numpy()
            np.testing.assert_allclose(served[column].to_numpy(), expected, rtol=1e-6)
    both = [*evaluations, *accepted]
    tables = write_bias(dataset, both, run_dir)
    assert tables is not None
    choice = choose_best(both, tables["summary"])
    assert choice.model in names


def test_nothing_is_tried_twice_unless_something_changed(
    planted: tuple[Dataset, list[Evaluation], Path], repaired: pd.DataFrame, tmp_path: Path
) -> None:
    dataset, evaluations, run_dir = planted
    again = mitigate_models(dataset, evaluations, run_dir)
    assert not again.is_new
    pd.testing.assert_frame_equal(again.ledger, repaired)
    copy = tmp_path / "runs" / "r"
    shutil.copytree(run_dir, copy)
    adjustment = MitigationConfig(methods=("prediction_adjustment",))
    changed = mitigate_models(dataset, evaluations, copy, adjustment)
    assert changed.is_new and set(changed.ledger["method"]) == {"baseline", "prediction_adjustment"}
    (copy / "linear+prediction_adjustment.skops").write_bytes(b"damaged")
    assert accepted_models(copy) == []
    assert mitigate_models(dataset, evaluations, copy, adjustment).is_new
    train_models(dataset, ["linear"], copy, replace(QUICK, seed=7))
    assert accepted_models(copy) == []
    retrained = mitigate_models(dataset, RunFolder(copy).evaluations(["median", "linear"]), copy, adjustment)
    assert retrained.is_new and [e.seed for e in retrained.accepted] == [7]


def test_noise_is_not_accepted(tmp_path: Path) -> None:
    dataset, evaluations, run_dir = trained(tmp_path)
    done = mitigate_models(dataset, evaluations, run_dir)
    assert len(done.ledger) == 5 and done.accepted == []
    assert not done.ledger["accepted"].any()
    assert not list(run_dir.glob("*+*"))


def test_predictions_are_not_corrected_by_what_is_not_known_at_prediction(
    planted: tuple[Dataset, list[Evaluation], Path], tmp_path: Path
) -> None:
    dataset, evaluations, run_dir = planted
    copy = tmp_path / "runs" / "r"
    shutil.copytree(run_dir, copy)
    config = MitigationConfig(dimension="slice_kind", methods=("sample_weights", "prediction_adjustment"))
    ledger = mitigate_models(dataset, evaluations, copy, config).ledger
    assert set(ledger["method"]) == {"baseline", "sample_weights"} and set(ledger["dimension"]) == {"kind"}


def test_bad_input_is_named(planted: tuple[Dataset, list[Evaluation], Path], tmp_path: Path) -> None:
    dataset, evaluations, run_dir = planted
    with pytest.raises(ValueError, match="no method 'magic'"):
        MitigationConfig(methods=("magic",))
    with pytest.raises(ValueError, match="no slice column 'slice_colour'"):
        mitigate_models(dataset, evaluations, run_dir, MitigationConfig(dimension="colour"))
    with pytest.raises(ValueError, match="no model beside the baseline"):
        mitigate_models(dataset, evaluations[:1], run_dir)
    outcome = replace(dataset, config=replace(dataset.config, outcome_slices=("slice_crew",)))
    with pytest.raises(ValueError, match="made from the outcome"):
        mitigate_models(outcome, evaluations, run_dir, MitigationConfig(dimension="crew"))
    copy = tmp_path / "runs" / "r"
    shutil.copytree(run_dir, copy)
    (copy / "mitigation.json").unlink(missing_ok=True)
    elsewhere = [replace(e, settings={**e.settings, "speed": 7}) for e in evaluations]
    with pytest.raises(ValueError, match="settings of the run are of another version"):
        mitigate_models(dataset, elsewhere, copy)


def test_the_flagged_dimension_with_the_largest_gap_is_mitigated(
    planted: tuple[Dataset, list[Evaluation], Path],
) -> None:
    dataset = replace(planted[0], config=replace(planted[0].config, mitigated_slices=None))

    def summary(**flags: tuple[bool, float, int]) -> pd.DataFrame:
        return pd.DataFrame(
            [
                {"model": "m", "split": split, "dimension": name, "n_assessable": n, "flagged": flagged}
                | {"shrunk_gap": gap, "is_outcome": False}
                for name, (flagged, gap, n) in flags.items()
                for split in ("validation", "test")
            ]
        )

    some = summary(depot=(True, 0.2, 2), kind=(True, 0.5, 3), crew=(False, 0.9, 2))
    assert target_dimension(dataset, some, "m") == "kind"
    none = summary(depot=(False, 0.2, 1), kind=(False, 0.5, 3), crew=(False, 0.9, 2))
    assert target_dimension(dataset, none, "m") == "kind"
    assert target_dimension(dataset, summary(depot=(False, 0.2, 1)), "m") is None


@pytest.mark.parametrize("method", ["sample_weights", "resampling", "exponentiated_gradient"])
def test_each_method_moves_the_fit_towards_the_small_group(method: str) -> None:
    """Two groups pull a linear model in opposite directions; the small one loses unless it counts more."""
    items, labels = synthetic.frames(1200)
    rng = np.random.default_rng(5)
    small = rng.random(len(items)) < 0.12
    items["size"] = rng.lognormal(3, 1, len(items))
    slope = np.where(small, -1.0, 1.0)
    labels["y"] = np.expm1(np.clip(3 + slope * (np.log(items["size"]) - 3), 0.1, None))
    labels["is_censored"] = False
    labels["labelled_at"] = items["event_at"] + pd.to_timedelta(labels["y"], unit="h")
    items["slice_crew"] = np.where(small, "small", "large")
    dataset = Dataset(items, labels, synthetic.CONFIG)
    split = split_by_time(dataset)
    x = np.log(dataset.items[["size"]].to_numpy())
    rows, outcomes = split.rows("train"), split.outcomes(dataset)
    bench = Workbench(dataset, split, x, rows, Weighting(group_power=0.0, censoring_cap=1.0), 0)
    spec, target = find("linear"), Target.of(dataset, "slice_crew", rows)
    fitting = Fitting(bench, spec, spec.defaults, target, constrained_rows=800, max_groups=30)
    assert target.order == ["large", "small"]

    def error(regressor: object, group: str) -> float:
        chosen = split.rows("test") & (target.groups == group)
        logs = np.log1p(outcomes.hours[chosen])
        return float(np.abs(regressor.predict(x[chosen]) - logs).mean())  # type: ignore[attr-defined]

    plain, _ = bench.fit_regressor(spec, spec.defaults, rows, outcomes)
    fitted = fitting.by(method, rows, outcomes)
    assert fitted is not None
    assert error(fitted.regressor, "small") < 0.9 * error(plain, "small")
    assert fitting.by(method, rows & (target.groups == "large"), outcomes) is None
    with pytest.raises(ValueError, match="no way to fit by 'magic'"):
        fitting.by("magic", rows, outcomes)


def test_an_item_in_several_slices_counts_for_the_largest() -> None:
    values = pd.Series([["b", "a"], ["a"], ["b"], ["b", "c"], [], None, ["z"]], dtype=object)
    order = slices_by_size(values)
    assert order == ["b", "(missing)", "a", "c", "z"]
    assert main_slices(values, order).tolist() == ["b", "a", "b", "b", "(missing)", "(missing)", "z"]
    unseen = pd.Series([["new"], ["new", "c"]], dtype=object)
    assert main_slices(unseen, order).tolist() == ["new", "c"]
