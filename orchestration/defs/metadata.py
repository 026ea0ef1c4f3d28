"""What assets show in the UI: figures whose history Dagster draws, tables and pictures."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    import pandas as pd

    from ml.data.dataset import Dataset
    from ml.store.record import Evaluation

DURATION_FIGURES = (
    "mae_log", "mae", "median_ae", "r2_log", "concordance", "coverage_80", "auc_1d", "auc_7d", "auc_30d",
    "integrated_brier", "mean_auc", "remaining_concordance", "remaining_coverage_80", "remaining_ece",
)  # fmt: skip
SCORING_FIGURES = (
    "auc", "average_precision", "brier", "precision@20", "review_share_80", "mrr", "top@3", "ndcg@10",
)  # fmt: skip


LEARNED = "calibration, learning curve, importance of the features"


def picture(png: bytes, alternative: str) -> dg.MetadataValue:
    """A PNG inside the page: nothing is fetched to show it."""
    return dg.MetadataValue.md(f"![{alternative}](data:image/png;base64,{base64.b64encode(png).decode()})")


def markdown_table(frame: "pd.DataFrame") -> str:
    """A frame as a Markdown table, numbers with four digits."""

    def cell(value: object) -> str:
        return f"{value:.4g}" if isinstance(value, float) else str(value).replace("|", "\\|")

    rows = [list(frame.columns), ["---"] * len(frame.columns)]
    rows += [[cell(value) for value in row] for row in frame.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def duration_metadata(folder: Path, evaluation: "Evaluation", dataset: "Dataset") -> dict[str, Any]:
    """Figures of a model of hours, its pictures and its parameters."""
    from ml.reports.learning import chances_of_hours, how_it_learned
    from ml.reports.plots import predicted_against_actual
    from ml.store.run_folder import RunFolder

    run = RunFolder(folder)
    predictions = run.predictions(evaluation.model)
    learned = how_it_learned(evaluation, chances_of_hours(predictions, dataset))
    png = predicted_against_actual(predictions, evaluation.model)
    run.picture(evaluation.model, png)
    figures = {
        f"{split}_{metric}": evaluation.value(split, metric)
        for split in ("validation", "test")
        for metric in DURATION_FIGURES
    }
    return {
        **_known(figures),
        "seconds": short(sum(evaluation.seconds.values())),
        "predicted_against_actual": picture(png, "predicted against actual hours"),
        "how_it_learned": picture(learned, LEARNED),
        "parameters": dg.MetadataValue.json(evaluation.params),
        "model_version": evaluation.model_version,
    }


def scoring_metadata(folder: Path, evaluation: "Evaluation", horizon_days: float | None) -> dict[str, Any]:
    """Figures of a scorer or ranker on the test part, beside its baselines, its folds and its parameters."""
    from ml.reports.board import beside_baselines
    from ml.reports.learning import chances_of_scores, how_it_learned
    from ml.runs.card import figures_text, folds_text
    from ml.store.run_folder import RunFolder

    run = RunFolder(folder)
    folds = folds_text(run.report(evaluation.model))
    learned = how_it_learned(evaluation, chances_of_scores(run.predictions(evaluation.model)))
    beside = beside_baselines(evaluation.metrics, evaluation.model)
    figures = {name.replace("@", "_at_"): evaluation.value("test", name) for name in SCORING_FIGURES}
    return {
        **_known(figures | {"horizon_days": horizon_days, "best_iteration": evaluation.best_iteration}),
        "seconds": short(sum(evaluation.seconds.values())),
        "beside_baselines": picture(beside, "figures of the model and of simple orders, with intervals"),
        "how_it_learned": picture(learned, LEARNED),
        "figures": dg.MetadataValue.md(f"```\n{figures_text(evaluation.metrics)}\n{folds}\n```"),
        "params": dg.MetadataValue.json(evaluation.params),
        "model_version": evaluation.model_version,
    }


def short(value: float) -> float:
    """A figure with four digits: nobody reads more."""
    return float(f"{value:.4g}")


def _known(figures: dict[str, float | None]) -> dict[str, Any]:
    return {
        name: short(value) if isinstance(value, float) else value
        for name, value in figures.items()
        if value is not None
    }
