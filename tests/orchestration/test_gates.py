"""The blocking checks on the champion: what they expect, what they find, and how it counts."""

from dataclasses import replace

import dagster as dg
import pandas as pd
import pytest

from ml.runs.select import Choice, Gate
from ml.stats.figure import Figure
from orchestration.definitions import defs
from orchestration.domains.tickets.gates import CALIBRATION, GATE, calibration_check, gate_check
from tests.unit.ml.runs.test_select import evaluation


def summary(gap: float, flagged: bool = True) -> pd.DataFrame:
    common = {"split": "test", "dimension": "seniority", "n_assessable": 3, "flagged": flagged}
    return pd.DataFrame(
        [
            common
            | {"model": model, "shrunk_gap": own, "relative_gap": own, "is_outcome": False}
            | {"flagged_slices": "junior"}
            for model, own in (("median", 0.2), ("forest", gap))
        ]
    )


@pytest.mark.parametrize("gate", [GATE, CALIBRATION])
def test_the_checks_are_declared_blocking_on_the_best_model(gate: str) -> None:
    (key,) = [k for k in defs.resolve_asset_graph().asset_check_keys if k.name == gate]
    assert key.asset_key == dg.AssetKey("best_model")
    assert defs.resolve_asset_graph().get(key).blocking


@pytest.mark.parametrize("severity", list(dg.AssetCheckSeverity))
def test_a_gap_beyond_the_limit_fails_with_expected_and_actual(severity: dg.AssetCheckSeverity) -> None:
    check = gate_check(Choice("forest", "best"), summary(0.9), Gate(), severity)
    assert not check.passed and check.severity == severity
    assert check.metadata["expected"].value == {"seniority.shrunk_gap": 0.45}
    assert check.metadata["actual"].value == {"seniority.shrunk_gap": 0.9}
    assert check.description is not None and "junior" in check.description


def test_a_gap_within_the_limit_or_within_noise_passes() -> None:
    warn = dg.AssetCheckSeverity.WARN
    assert gate_check(Choice("forest", "best"), summary(0.45), Gate(), warn).passed
    assert gate_check(Choice("forest", "best"), summary(0.9, flagged=False), Gate(), warn).passed
    strict = Gate(beyond_noise=False)
    assert not gate_check(Choice("forest", "best"), summary(0.9, flagged=False), strict, warn).passed


def test_no_champion_is_no_pass() -> None:
    choice = Choice(None, "Each was refused.", {"forest": "its gap"})
    check = gate_check(choice, summary(0.1), Gate(), dg.AssetCheckSeverity.ERROR)
    assert not check.passed and check.description == "Each was refused."


def test_chances_beyond_the_limit_fail_by_their_horizon() -> None:
    figures = [
        Figure("test", f"ece_{days}d", error, error, error, 9) for days, error in ((7, 0.1), (30, 0.3))
    ]
    one = replace(evaluation("forest", 1.0), metrics=figures)
    check = calibration_check(one, 0.2, dg.AssetCheckSeverity.ERROR)
    assert not check.passed and check.severity == dg.AssetCheckSeverity.ERROR
    assert check.description == "Chances of a closing within 30 days: off by more than 0.2."
    assert calibration_check(one, 0.3, dg.AssetCheckSeverity.ERROR).passed
    assert calibration_check(None, 0.2, dg.AssetCheckSeverity.ERROR).passed
