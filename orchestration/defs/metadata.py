"""What assets show in the UI: figures whose history Dagster draws, tables and pictures."""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    import pandas as pd

    from ml.store.record import Evaluation

SHOWN = ("mae_log", "mae", "median_ae", "r2_log", "concordance", "coverage_80", "auc_1d", "auc_7d", "auc_30d")


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


def model_metadata(folder: Path, evaluation: "Evaluation") -> dict[str, Any]:
    """Figures of one model, its picture and its parameters."""
    from ml.reports.plots import predicted_against_actual
    from ml.store.run_folder import RunFolder

    run = RunFolder(folder)
    predictions = run.predictions(evaluation.model, columns=["split", "y_true", "y_pred"])
    png = predicted_against_actual(predictions, evaluation.model)
    run.picture(evaluation.model, png)
    figures = {
        f"{split}_{metric}": evaluation.value(split, metric)
        for split in ("validation", "test")
        for metric in SHOWN
        if evaluation.value(split, metric) is not None
    }
    return {
        **figures,
        "seconds": round(sum(evaluation.seconds.values()), 2),
        "predicted_against_actual": picture(png, "predicted against actual hours"),
        "parameters": dg.MetadataValue.json(evaluation.params),
        "model_version": evaluation.model_version,
        "run_folder": dg.MetadataValue.path(str(folder)),
    }
