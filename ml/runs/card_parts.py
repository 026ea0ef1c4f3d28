"""What makes a card complete in the form of the Hugging Face hub: head for machines, data, slices, repairs.

The form: https://huggingface.co/docs/hub/model-cards (metadata ``model-index``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import yaml

from ml.data.dataset import Dataset
from ml.store.record import Evaluation

_HEAD_METRICS = ("mae_log", "mae_log_gain_vs_median", "mae", "median_ae", "concordance", "coverage_80")
_WORST = 10

_BODY = """
## Intended use

To sort open items by how long they may take, and to say how sure that is: for planning, by people. Not to
judge anybody's work, not for items of other places than those it learned from, and not as a promise to
whoever waits: see the errors above and the slices below.

## Data

- Training set `{domain}`, SHA-256 `{snapshot}`
- {rows:,} items from {first} to {last}, {n_open:,} of them not ended
- Code: commit `{git_sha}`, seed {seed}

## For whom it is worse

{slices}

## Mitigations

{mitigations}
"""


def complete_card(
    card: str,
    chosen: Evaluation | None,
    dataset: Dataset,
    slices: pd.DataFrame | None = None,
    ledger: pd.DataFrame | None = None,
) -> str:
    """Return a card with its head and the parts that only the data and the bias report know.

    Parameters
    ----------
    card : str
        As `ml.runs.card.model_card` gives it.
    chosen : Evaluation or None
        The chosen model; without one the card says so itself and stays as it is.
    dataset : Dataset
        What it learned from.
    slices, ledger : DataFrame or None
        ``bias.slice_metrics`` and ``bias.mitigation`` of the run.
    """
    if chosen is None:
        return card
    start = dataset.items["event_at"]
    body = _BODY.format(
        domain=chosen.domain,
        snapshot=chosen.snapshot_id,
        rows=len(dataset.items),
        first=f"{start.min():%Y-%m-%d}",
        last=f"{start.max():%Y-%m-%d}",
        n_open=int(dataset.labels["is_censored"].sum()),
        git_sha=chosen.git_sha or "unknown",
        seed=chosen.seed,
        slices=_slices(slices, chosen.model),
        mitigations=_mitigations(ledger),
    )
    head = yaml.safe_dump(card_head(chosen), sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n{card.rstrip()}\n{body}"


def card_head(chosen: Evaluation) -> Mapping[str, Any]:
    """The metadata of a card: what the model does, and its figures on the test part with their intervals."""
    figures = [
        {
            "type": one.metric,
            "name": one.metric,
            "value": round(one.value, 6),
            "args": {"ci_low": one.ci_low, "ci_high": one.ci_high, "confidence": 0.95, "n": one.n},
        }
        for one in chosen.metrics
        if one.split == "test" and one.metric in _HEAD_METRICS and one.value is not None
    ]
    result = {
        "task": {"type": "tabular-regression", "name": "hours to the end of an item"},
        "dataset": {
            "type": chosen.domain,
            "name": chosen.domain,
            "revision": chosen.snapshot_id,
            "split": "test",
        },
        "metrics": figures,
    }
    return {
        "pipeline_tag": "tabular-regression",
        "tags": ["tabular-regression", "survival", chosen.model],
        "model-index": [{"name": chosen.model_version, "results": [result]}],
    }


def _slices(table: pd.DataFrame | None, model: str) -> str:
    if table is None or table.empty:
        return "Not measured."
    own = table[(table["model"] == model) & (table["split"] == "test") & table["assessable"].astype(bool)]
    worst = own.sort_values(["flagged", "effect"], ascending=False, kind="stable").head(_WORST)
    if worst.empty:
        return "No slice is large enough to judge; that does not mean that it is fair."
    lines = [
        "| slice | n | error of log hours | 95 % interval | against others | flagged |",
        "|---" * 6 + "|",
    ]
    for row in worst.to_dict("records"):
        interval = "–" if row["ci_low"] != row["ci_low"] else f"{row['ci_low']:.3f} to {row['ci_high']:.3f}"
        cells = (
            f"{row['dimension']} = {row['slice']}",
            f"{row['n']}",
            f"{row['mae_log']:.3f}",
            interval,
            f"{row['effect']:+.1%}",
            "yes" if row["flagged"] else "no",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _mitigations(ledger: pd.DataFrame | None) -> str:
    tried = None if ledger is None else ledger[ledger["method"] != "baseline"]
    if tried is None or tried.empty:
        return "None was tried."
    return "\n".join(
        f"- {row['method']} on {row['model']} for {row['dimension']}: "
        f"{'accepted' if row['accepted'] else 'not accepted'} ({row['reason']})"
        for row in tried.to_dict("records")
    )
