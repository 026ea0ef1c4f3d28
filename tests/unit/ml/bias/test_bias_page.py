"""The page and ``bias.json`` hold what was measured, say what was not, and need nothing from elsewhere."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from ml.bias.config import BiasConfig
from ml.bias.explain.explanation import explain_bias
from ml.bias.gate import evaluate_gate
from ml.bias.measure import measure_bias
from ml.bias.repair.ledger import Mitigated, evaluate_ledger
from ml.bias.report.document import BIAS_SCHEMA, SCHEMA_VERSION, bias_json
from ml.bias.report.page import direction, render_page
from ml.bias.report.plots import Mark, interval_plot
from ml.bias.tables import columns, names, table_names

CONFIG = BiasConfig(outcome_slices=("slice_completion_time",), mix_slices=("slice_label",))
HOSTILE = "org/<script>alert(1)</script>"


@pytest.fixture(scope="module")
def measured():
    rng = np.random.default_rng(0)
    n = 3000
    repo = rng.choice(["org/a", "org/b", "org/late", HOSTILE], n)
    log_truth = rng.normal(4, 1, n).clip(0.1)
    log_pred = log_truth + rng.normal(0, 0.5, n) - np.where(repo == "org/late", 1.2, 0)
    predictions = pd.DataFrame(
        {
            "item_id": np.arange(n),
            "event_at": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n) // 20, unit="D"),
            "model": "forest",
            "split": np.where(np.arange(n) < n // 2, "validation", "test"),
            "y_true": np.expm1(log_truth),
            "y_pred": np.expm1(log_pred.clip(0)),
        }
    )
    slices = pd.DataFrame(
        {
            "item_id": np.arange(n),
            "slice_repo": repo,
            "slice_seniority": "mid",
            "slice_label": rng.choice(["bug", "feature"], n),
            "slice_completion_time": np.where(log_truth < 3.2, "quick", "slow"),
        }
    )
    tables = measure_bias(predictions, slices, CONFIG)
    better = predictions.assign(y_pred=predictions["y_pred"] * np.where(repo == "org/late", np.exp(1.2), 1.0))
    ledger = evaluate_ledger(predictions, {"group shift": Mitigated(better, 2, 0.5)}, slices, CONFIG)
    return {
        "frames": {
            **tables.frames,
            **explain_bias(predictions, slices, tables["slice_metrics"], CONFIG),
            "mitigation": ledger,
        },
        "measured": tables.frames,
        "gate": evaluate_gate(tables["summary"], {"*": {"relative_gap": 0.5}}, model="forest"),
    }


def page_of(measured, **changes):
    parts = {"frames": measured["frames"], "gate": measured["gate"]} | changes
    return render_page(
        parts.pop("frames"), CONFIG, model="forest", run_id="run-1", note="Synthetic data.", **parts
    )


class Reader(HTMLParser):
    """Collects the visible text, and fails on tags that do not match."""

    VOID = frozenset({"meta", "line", "circle", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def text_of(page):
    reader = Reader()
    reader.feed(page)
    assert not reader.open
    return " ".join(" ".join(reader.words).split())


def test_the_page_answers_who_how_much_how_sure_why_and_what_helped(measured):
    text = text_of(page_of(measured))
    assert "1 slice is treated worse than the other items" in text
    line = measured["frames"]["slice_metrics"].query("split == 'test' and slice == 'org/late'").iloc[0]
    assert f"{line['effect'] * 100:,.1f} % larger than for all other items" in text
    assert f"interval {line['effect_ci_low'] * 100:,.1f} % to {line['effect_ci_high'] * 100:,.1f} %" in text
    assert "too early, by" in text and "which points to the model" in text
    assert "What helped: group shift for repo (org/late:" in text
    assert "Synthetic data." in text and "run-1" in text
    for name in ("repo", "seniority: not assessable", "completion_time: descriptive only"):
        assert name in text


def test_the_page_needs_nothing_from_elsewhere_and_escapes_names(measured):
    page = page_of(measured)
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|https?://|src=", page)
    assert "&lt;script&gt;alert(1)" in page
    assert page.count("<svg") >= 8


def test_the_page_says_what_was_not_computed(measured):
    text = text_of(page_of(measured, frames=measured["measured"], gate=None))
    assert text.count("Not computed.") == 4 and "What helped" not in text and "Gate" not in text


def test_a_page_without_any_comparison_does_not_call_the_model_fair(measured):
    only = {name: frame[frame["dimension"] == "seniority"] for name, frame in measured["measured"].items()}
    text = text_of(render_page(only, CONFIG, model="forest"))
    assert "this does not mean that the model is fair" in text and "No slice is treated worse" not in text


def test_a_page_of_an_unknown_model_is_refused(measured):
    with pytest.raises(ValueError, match="tables have nothing of model 'svm' in split 'test'"):
        render_page(measured["frames"], CONFIG, model="svm")


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (-12.34, "too early, by 12.3 h in the median"),
        (3, "too late, by 3.0 h in the median"),
        (0.01, "neither too early nor too late"),
        (float("nan"), "neither too early nor too late"),
    ],
)
def test_direction(hours, words):
    assert direction(hours) == words


def test_a_plot_places_its_marks_in_order_and_draws_the_expected_value():
    marks = [
        Mark("a & b", 1.0, 0.5, 1.5, "flagged"),
        Mark("c", 3.0, expected=2.0),
        Mark("none", float("nan")),
    ]
    plot = interval_plot(marks, "hours", 2.0)
    first, second = (float(x) for x in re.findall(r'<circle cx="([\d.]+)"', plot))
    assert first < second and "a &amp; b: 1 (0.5 to 1.5)" in plot and "none" not in plot
    assert float(re.search(r'class="expected" x1="([\d.]+)"', plot)[1]) == pytest.approx(
        (first + second) / 2, abs=0.1
    )
    assert "Nothing to draw" in interval_plot([], "hours")
    assert "50 %" in interval_plot([Mark("x", 0.5, 0.4, 0.6)], "share", percent=True)
    assert interval_plot([Mark("x", 0.0)], "one value").count("<circle") == 1


def test_every_column_is_described(measured):
    frames = measured["frames"]
    assert {name: list(frame.columns) for name, frame in frames.items()} == {
        name: names(name) for name in frames
    }
    for name in table_names():
        for column in columns(name):
            assert column.description.endswith(".") and len(column.description) > 10, (name, column)
            assert column.type in ("text", "whole number", "number", "truth")
    with pytest.raises(ValueError, match="no bias table 'moods': choose from slice_metrics"):
        columns("moods")


def document_of(measured, **changes):
    parts = {"frames": measured["frames"], "gate": measured["gate"]} | changes
    return json.loads(bias_json(parts.pop("frames"), CONFIG, run_id="run-1", domain="tickets", **parts))


def test_the_document_follows_its_schema(measured):
    jsonschema = pytest.importorskip("jsonschema")
    for document in (document_of(measured), document_of(measured, frames=measured["measured"], gate=None)):
        jsonschema.validate(document, BIAS_SCHEMA)
        assert document["schema_version"] == SCHEMA_VERSION


def test_the_document_holds_every_table_and_figure(measured):
    document = document_of(measured)
    assert set(document["tables"]) == {
        "slice_metrics", "summary", "distribution", "composition", "intersections", "over_time", "mitigation"
    }  # fmt: skip
    table = document["tables"]["slice_metrics"]
    read = pd.DataFrame(table["rows"], columns=table["columns"])
    assert read["mae"].to_numpy() == pytest.approx(
        measured["frames"]["slice_metrics"]["mae"].to_numpy(), rel=1e-5
    )
    assert document["gate"]["verdict"] == "failed"
    failure = document["gate"]["failures"][0]
    assert failure["expected"] == 0.5 and failure["actual"] > 0.5 and failure["slices"] == "org/late"


def test_numbers_that_json_cannot_hold_are_spelt_out(measured):
    tables = measured["frames"]
    changed = {**tables, "summary": tables["summary"].assign(relative_gap=np.inf, shrunk_gap=np.nan)}
    table = document_of(measured, frames=changed)["tables"]["summary"]
    read = pd.DataFrame(table["rows"], columns=table["columns"])
    assert set(read["relative_gap"]) == {"Infinity"} and read["shrunk_gap"].isna().all()


def test_every_table_says_what_it_is_and_every_head_what_it_heads(measured) -> None:
    page = render_page(measured["frames"], CONFIG, model="forest", links={"The figures": "bias.json"})
    tables = re.findall(r"<table>.*?</table>", page, flags=re.S)
    assert len(tables) > 5
    for table in tables:
        assert re.match(r"<table><caption>[A-Z].*?\.</caption>", table), table[:200]
        assert re.findall(r"<th(?! scope=\"(?:col|row)\")[ >]", table) == []
    assert '<a href="bias.json">The figures</a>' in page
    assert (
        "mae_log" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S).split("How it was computed")[0]
    )
    assert "although its slice is not red" in page
