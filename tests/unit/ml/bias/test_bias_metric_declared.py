"""A bias metric is declared once: whoever declares one more finds it wherever metrics are shown."""

import numpy as np
import pandas as pd
import pytest

from ml.bias import HOURS, SCORES, BiasConfig, BiasReport, Metric, measure_bias, render_page, typed
from ml.bias.estimates.figures import Ratio
from ml.bias.estimates.sums import Statistic
from ml.bias.metrics.declared import ABSOLUTE
from ml.bias.tables import columns, names

CONFIG = BiasConfig(replicates=20)
LATE_SHARE = Metric(
    name="late_share",
    estimate=Ratio(Statistic("late", lambda rows: (rows.error > 5).astype(float)), is_share=True),
    unit="share",
    description="Share of items that are promised more than five hours too late",
    worse="larger",
    relative_to=ABSOLUTE,
)
SURE_SHARE = Metric(
    name="sure_share",
    estimate=Ratio(Statistic("sure", lambda rows: (rows.probability > 0.8).astype(float)), is_share=True),
    unit="share",
    description="share of rows with a probability above 0.8",
)

QUICK_SHARE = Metric(
    name="quick_share",
    estimate=Ratio(Statistic("quick", lambda rows: (rows.y < 10).astype(float)), is_share=True),
    unit="share",
    description="Share of items that took less than ten hours",
)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    n = 1200
    depot = rng.choice(["north", "south", "late"], n)
    truth = np.exp(rng.normal(2, 0.5, n))
    predictions = pd.DataFrame({"item_id": np.arange(n), "split": "test", "model": "m", "y_true": truth})
    predictions["y_pred"] = truth + rng.normal(0, 1, n) + np.where(depot == "late", 6, 0)
    return predictions, pd.DataFrame({"item_id": np.arange(n), "slice_depot": depot})


def test_a_figure_of_hours_is_in_table_summary_text_and_page(rows):
    task = HOURS + LATE_SHARE
    found = measure_bias(*rows, CONFIG, task)
    table = found["slice_metrics"].set_index("slice")
    late = (rows[0]["y_pred"] - rows[0]["y_true"] > 5) & (rows[1]["slice_depot"] == "late")
    assert table.loc["late", "late_share"] == pytest.approx(late.sum() / table.loc["late", "n"])
    assert table.loc["late", "late_share_ci_low"] < table.loc["late", "late_share"]
    assert table.loc["late", "q_late_share"] < 0.05 and "late_share" in table.loc["late", "findings"]
    own = {c.name: c for c in columns("slice_metrics", task.metrics)}
    assert list(found["slice_metrics"]) == names("slice_metrics", task.metrics)
    assert own["late_share"].unit == "share" and LATE_SHARE.description in own["late_share"].description
    assert typed(found["slice_metrics"], "slice_metrics", task.metrics)["late_share"].dtype == "float64"
    line = found["summary"].set_index("gap_metric").loc["late_share"]
    assert line["verdict"] == "biased" and line["worst_slice"] == "late"
    text = BiasReport.generate_dimension_report(found, "m", "depot")
    assert "  late_share: biased" in text and LATE_SHARE.description in text
    page = render_page(found.frames, CONFIG, model="m", metrics=task.metrics)
    # In words: as a column of the figures, as a line of the verdicts, and as the axis of its picture, where
    # the unit is not said again.
    said = LATE_SHARE.description.split(";")[0]
    assert f'<th scope="col">{said} (share)</th>' in page and f'<td class="text">{said}</td>' in page
    assert f"{LATE_SHARE.description}</text>" in page


def test_what_is_declared_beside_it_does_not_change(rows):
    before, after = measure_bias(*rows, CONFIG), measure_bias(*rows, CONFIG, HOURS + QUICK_SHARE)
    pd.testing.assert_frame_equal(
        before["slice_metrics"], after["slice_metrics"][before["slice_metrics"].columns]
    )
    pd.testing.assert_frame_equal(before["summary"], after["summary"])


def test_a_figure_of_scores_is_in_its_long_table(rows):
    predictions, slices = rows
    chance = np.random.default_rng(1).random(len(predictions))
    scored = predictions.assign(y_true=(chance > 0.6).astype(float), y_pred=chance, threshold=0.5)
    task = SCORES + SURE_SHARE
    found = measure_bias(scored, slices, CONFIG, task)
    own = found["score_metrics"].query("metric == 'sure_share'").set_index("slice")
    for name, rows_of in scored.groupby(slices["slice_depot"]):
        assert own.loc[name, "value"] == pytest.approx((rows_of["y_pred"] > 0.8).mean())
    assert (own["worse"] == "").all() and own["q_value"].isna().all()
    described = {c.name: c.description for c in columns("score_metrics", task.metrics)}
    assert f"sure_share ({SURE_SHARE.description})" in described["metric"]
    assert "sure_share" in BiasReport.generate_dimension_report(found, "m", "depot")


def test_a_name_with_two_meanings_is_refused():
    with pytest.raises(ValueError, match="metric 'mae' is declared twice"):
        HOURS + Metric(name="mae", estimate=LATE_SHARE.estimate, unit="", description="Another")
    other = Ratio(Statistic("mae_log", lambda rows: rows.y))
    with pytest.raises(ValueError, match="statistic 'mae_log' is declared twice, with two meanings"):
        HOURS + Metric(name="other", estimate=other, unit="", description="Another")
