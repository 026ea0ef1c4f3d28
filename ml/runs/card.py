"""The model card of a run: what the chosen model is, how good, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ml.runs.select import DECIDING, Choice, at_origins, leaderboard
from ml.runs.skill import skill_by_group
from ml.stats.figure import Figure
from ml.store.record import Evaluation
from ml.tasks.over_origins import LAST, ORIGIN, OVER_ORIGINS

TEMPLATE = """# Model card: {model} ({domain})

{note}- Model version: `{version}`, run `{run_id}`, snapshot `{snapshot}`
- Predicts: median hours to the end of an item, an 80 % interval, and the chance to end within each horizon
- Chosen because: {reason}
- Parameters: {params}
- Fitted by: {fitted_by}
- Features: {features}

## Figures

Intervals are 95 %, by bootstrap over groups. Gains are against the median of the training part, global and
of the item's group; a gain whose interval includes zero is no gain.

| part | metric | value | 95 % interval | n |
|---|---|---|---|---|
{figures}

## Rolling origins

Points of every timeline before the test part, from each of which what begins next is predicted; the last
is the validation part. The model is chosen by the mean.

{origins}

How true its chances were there: the calibration error of each horizon, and in brackets the share that ended
in time. What moves from one origin to the next no earlier one can know.

{chances}

## Against each group's own median

Gain of the MAE of log hours on the test part over the median of the group's training rows, the lowest first;
positive is better. A loss beyond noise (q at most .05) is a reason not to use the model there.

{groups}

## All models

{table}

## Refused

{refused}

## Limits

- The regression is learned from items whose end is known; items still open are in the horizons only.
- The error in hours is ruled by a few very long items: read it beside the error of log hours.
- Validation figures steer tuning and calibration; the test part was scored once.
"""

CARD_METRICS = (
    "mae_log",
    "mae_log_gain_vs_median",
    "mae_log_gain_vs_group_median",
    "mae",
    "median_ae",
    "r2_log",
    "concordance",
    "coverage_80",
)


def model_card(evaluations: Sequence[Evaluation], choice: Choice, note: str = "") -> str:
    """Return the card, Markdown, of the chosen model; of none when all were refused.

    ``note`` is what every reader must know of the data, such as that they are synthetic.
    """
    chosen = next((e for e in evaluations if e.model == choice.model), None)
    shown = chosen or evaluations[0]
    params = {} if chosen is None else chosen.params
    lines = []
    for metric in [] if chosen is None else chosen.metrics:
        is_area = metric.metric.startswith("auc_") and not metric.metric.endswith("_group_rate")
        if metric.split not in ("validation", "test"):
            continue
        if metric.metric in CARD_METRICS or is_area or metric.metric.endswith("gain_vs_group_rate"):
            cells = (metric.split, metric.metric, _number(metric.value))
            interval = f"{_number(metric.ci_low)} to {_number(metric.ci_high)}"
            lines.append(f"| {' | '.join(cells)} | {interval} | {metric.n} |")
    return TEMPLATE.format(
        model=choice.model or "none",
        domain=shown.domain,
        note=f"> {note}\n\n" if note else "",
        version="none" if chosen is None else chosen.model_version,
        run_id=shown.run_id,
        snapshot=shown.snapshot_id[:16],
        reason=choice.reason,
        params=", ".join(f"{k} {_short(v)}" for k, v in sorted(params.items())) or "none",
        fitted_by=shown.fitted_by or "one process per fit",
        features=len(shown.feature_list),
        figures="\n".join(lines) or "| | | | | |",
        origins=_origins_text(evaluations),
        chances="Nothing was chosen." if chosen is None else _chances_text(chosen),
        groups="Nothing was chosen." if chosen is None else _groups_text(chosen),
        table=leaderboard_text(evaluations, markdown=True),
        refused="\n".join(f"- {model}: {why}" for model, why in choice.refused.items()) or "None.",
    )


def _origins_text(evaluations: Sequence[Evaluation]) -> str:
    """The deciding figure of every model at every origin that all of them have, and its mean."""
    table = at_origins([e for e in evaluations if e.value(LAST, DECIDING) is not None], evaluations).T
    table["mean"] = table.mean(axis=1)
    head = ["model", *map(str, table.columns)]
    rows = [[str(model), *(_number(v) for v in row)] for model, row in table.sort_values("mean").iterrows()]
    return _markdown([head, *rows])


def _chances_text(chosen: Evaluation) -> str:
    """The calibration error of every horizon, and the share that ended, at every origin and on the test."""
    value = {(f.metric, f.split): f.value for f in chosen.metrics}
    horizons = [metric[4:] for metric, split in value if split == "test" and metric.startswith("ece_")]
    parts = [part for part in dict.fromkeys(split for _, split in value) if part.startswith(ORIGIN)]
    parts += [LAST, "test"]

    def cell(days: str, part: str) -> str:
        return f"{_number(value.get((f'ece_{days}', part)))} ({_number(value.get((f'rate_{days}', part)))})"

    return _markdown(
        [["within", *parts], *([days, *(cell(days, part) for part in parts)] for days in horizons)]
    )


def _groups_text(chosen: Evaluation) -> str:
    skills = skill_by_group(chosen, "test")
    if not skills:
        return "No group has rows enough for an interval."
    rows = [
        [s.group, str(s.n), _number(s.gain), f"{_number(s.ci_low)} to {_number(s.ci_high)}", s.verdict]
        for s in skills
    ]
    return _markdown([["group", "n", "gain", "95 % interval", "verdict"], *rows])


def _markdown(cells: list[list[str]]) -> str:
    rows = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([rows[0], "|" + "---|" * len(cells[0]), *rows[1:]])


def leaderboard_text(evaluations: Sequence[Evaluation], markdown: bool = False) -> str:
    """Return the leaderboard as aligned text, or as a Markdown table."""
    table = leaderboard(evaluations)
    shown = table.drop(columns=[c for c in table.columns if str(c).endswith(("_ci_low", "_ci_high"))])
    cells = [[str(c) for c in shown.columns]]
    cells += [[v if isinstance(v, str) else _number(v) for v in row] for row in shown.itertuples(index=False)]
    if markdown:
        return _markdown(cells)
    widths = [max(len(row[k]) for row in cells) for k in range(len(cells[0]))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def figures_text(metrics: list[Figure], split: str = "test") -> str:
    """Return the figures of a part as lines of text, each beside its interval and its baselines."""
    values = {m.metric: m for m in metrics if m.split == split}
    gains = [name.split("_gain_vs_")[1] for name in values if "_gain_vs_" in name]
    baselines = list(dict.fromkeys(gains))
    width = max([8, *map(len, baselines)])
    head = f"{'metric':<20} {'value':>8}  {'95 % interval':>17}"
    lines = ["  ".join([head, *(f"{name:>{width}}" for name in baselines)])]
    for name, figure in values.items():
        if "_gain_vs_" in name or any(name.endswith(f"_{baseline}") for baseline in baselines):
            continue
        interval = f"{_exact(figure.ci_low)} to {_exact(figure.ci_high)}"
        line = [f"{name:<20} {_exact(figure.value):>8}  {interval:>17}"]
        for baseline in baselines:
            beside = values.get(f"{name}_{baseline}")
            line.append(f"{_exact(beside.value if beside else None):>{width}}")
        lines.append("  ".join(line))
    return "\n".join(lines)


def cuts_text(metrics: Sequence[Figure]) -> str:
    """Return a scorer's or ranker's figures at forward cuts as lines of text; nothing without cuts."""
    means = {m.metric: m for m in metrics if m.split == OVER_ORIGINS}
    beside = tuple(f"_{name.split('_gain_vs_')[1]}" for name in means if "_gain_vs_" in name)
    lines = []
    for name, mean in means.items():
        if name.endswith(beside):
            continue
        own = [f for f in metrics if f.metric == name and f.split.startswith(ORIGIN)]
        values = [f.value for f in own if f.value is not None]
        interval = f"{_exact(mean.ci_low)} to {_exact(mean.ci_high)}"
        ends = f"{_exact(min(values))} to {_exact(max(values))}"
        lines.append(f"{name:<20} {_exact(mean.value):>8}  {interval:>17}  {ends:>17}  {len(values):>4}")
    head = f"{'at forward cuts':<20} {'mean':>8}  {'95 % interval':>17}  {'lowest to highest':>17}  cuts"
    return "\n".join([head, *lines]) if lines else ""


def folds_text(report: Mapping[str, Any]) -> str:
    """Return the cross-validation in a scorer's or ranker's report as a line; nothing without folds."""
    if report.get("cv_left_out"):
        return f"no cross-validation: {report['cv_left_out']}"
    (metric,) = (key[3:-5] for key in report if key.startswith("cv_") and key.endswith("_mean"))
    if not report["cv_scores"]:
        return ""
    scores = ", ".join(_exact(score) for score in report["cv_scores"])
    mean, deviation = _exact(report[f"cv_{metric}_mean"]), _exact(report[f"cv_{metric}_std"])
    return (
        f"cross-validation before the test part: {metric} {mean} (standard deviation {deviation}) over "
        f"{len(report['cv_scores'])} folds of whole groups, which ignore time: {scores}"
    )


def _number(value: float | None) -> str:
    if value is None or value != value:
        return "–"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _exact(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
