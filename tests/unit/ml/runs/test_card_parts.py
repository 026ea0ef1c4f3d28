"""The head and the parts of a card: machines read the figures, people the data, slices and repairs."""

from __future__ import annotations

import pandas as pd
import yaml

from ml.runs.card_parts import complete_card
from ml.stats.figure import Figure
from ml.store.record import Evaluation
from tests.unit.ml import synthetic


def evaluation() -> Evaluation:
    figures = [
        Figure("test", "mae_log", 0.75, 0.7, 0.8, 90),
        Figure("validation", "mae_log", 0.5, 0.4, 0.6, 80),
        Figure("test", "coverage_80", None, None, None, 0),
    ]
    return Evaluation(
        run_id="r", domain="parcels", task="regression", model="linear", snapshot_id="5a" * 32, key="k",
        seed=3, settings={}, params={}, feature_list=[], best_iteration=None, metrics=figures, seconds={},
        started_at="", finished_at="", git_sha="c0ffee", model_version="linear-1",
    )  # fmt: skip


SLICES = pd.DataFrame(
    {
        "model": ["linear", "linear", "median", "linear"],
        "split": ["test", "test", "test", "test"],
        "dimension": "depot",
        "slice": ["north", "south", "south", "tiny"],
        "n": [50, 40, 40, 2],
        "mae_log": [0.6, 1.1, 2.0, 3.0],
        "ci_low": [0.5, 0.9, 1.5, float("nan")],
        "ci_high": [0.7, 1.3, 2.5, float("nan")],
        "effect": [-0.2, 0.4, 0.5, 2.0],
        "flagged": [False, True, True, False],
        "assessable": [True, True, True, False],
    }
)
LEDGER = pd.DataFrame(
    {
        "method": ["baseline", "sample_weights"],
        "model": "linear",
        "dimension": "depot",
        "accepted": [False, True],
        "reason": ["", "the worst slice is better"],
    }
)


def test_the_head_is_what_the_hub_reads() -> None:
    card = complete_card("# Model card\n", evaluation(), synthetic.dataset(300), SLICES, LEDGER)
    _, head, body = card.split("---\n", 2)
    (model,) = yaml.safe_load(head)["model-index"]
    (result,) = model["results"]
    assert model["name"] == "linear-1"
    assert result["dataset"]["revision"] == "5a" * 32 and result["dataset"]["split"] == "test"
    assert result["metrics"] == [
        {
            "type": "mae_log",
            "name": "mae_log",
            "value": 0.75,
            "args": {"ci_low": 0.7, "ci_high": 0.8, "confidence": 0.95, "n": 90},
        }
    ]
    assert body.lstrip().startswith("# Model card")


def test_people_read_the_data_the_slices_and_what_was_tried() -> None:
    data = synthetic.dataset(300)
    card = complete_card("# Model card\n", evaluation(), data, SLICES, LEDGER)
    period = f"{data.items['event_at'].min():%Y-%m-%d} to {data.items['event_at'].max():%Y-%m-%d}"
    assert f"300 items from {period}, {int(data.labels['is_censored'].sum())} of them not ended" in card
    assert "commit `c0ffee`, seed 3" in card
    south, north = card.index("depot = south | 40 | 1.100"), card.index("depot = north")
    assert south < north and "tiny" not in card and "+40.0%" in card
    assert "- sample_weights on linear for depot: accepted (the worst slice is better)" in card


def test_what_was_not_measured_is_said_and_without_a_model_nothing_is_added() -> None:
    card = complete_card("# Model card\n", evaluation(), synthetic.dataset(300))
    assert "Not measured." in card and "None was tried." in card
    assert complete_card("# none\n", None, synthetic.dataset(300)) == "# none\n"
