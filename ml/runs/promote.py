"""Champion and challenger: compared on the same rows, promoted when better, kept whole from then on.

A promoted model gets a folder of its own beside the runs, with its files and its part of the bias tables: a
run that is trained again, or removed, takes nothing from it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ml.data.dataset import Dataset
from ml.errors import DamagedFileError
from ml.stats.figure import Figure
from ml.stats.intervals import Resamples, figure_of
from ml.stats.metrics import mae
from ml.store.files import json_text, move_folder_into_place, write_atomically
from ml.store.promotions import PROMOTED, ROLLED_BACK, Promotion, Promotions, kept_folder
from ml.store.record import Evaluation
from ml.store.run_folder import BIAS_PAGE, CARD, RunFolder

GAIN = "mae_log_gain"
_REPLICATES = 500
_ROW = ["item_id", "event_at"]


@dataclass(frozen=True)
class Outcome:
    """What came of a challenge: who is champion now (None: nobody), whether that is new, and why."""

    champion: Promotion | None
    is_promoted: bool
    why: str


def challenge(
    challenger: Evaluation, dataset: Dataset, runs_dir: Path, *, who: str, gate: str, passes: bool
) -> Outcome:
    """Promote a model when it passes the gates and is better than the champion on the same test rows.

    A rival that learned from the champion's own snapshot must be better beyond noise: the 95 % interval of
    its gain is above zero. One that learned from a later snapshot must be better: it knows more, and days
    that are alike would leave an old champion in place for ever. A version that was rolled back stays away.

    Parameters
    ----------
    challenger : Evaluation
        A model of hours, in its run folder below ``runs_dir``.
    dataset : Dataset
        The snapshot that it learned from.
    runs_dir : Path
    who : str
        Who asks, for the journal.
    gate : str
        What the gate says of it.
    passes : bool
        Whether the gate lets it serve.
    """
    journal = Promotions(runs_dir)
    champion = journal.champion(challenger.domain, challenger.task)
    version = challenger.model_version
    if champion is not None and champion.to_version == version:
        return Outcome(champion, False, f"{version} is champion already.")
    withdrawn = journal.withdrawn(challenger.domain, challenger.task)
    if version in withdrawn:
        return Outcome(champion, False, f"{version} was rolled back: {withdrawn[version]}")
    if not passes:
        return Outcome(champion, False, f"{version} does not pass the gate.")
    figures: dict[str, float | int | None] = {}
    if champion is None:
        is_better, why = True, "There was no champion."
    else:
        try:
            figures = compare(challenger, champion, dataset, runs_dir)
            is_better, why = _judge(champion, challenger, figures)
        except (DamagedFileError, KeyError, TypeError, ValueError) as error:
            # What cannot be asked about the rows of today cannot serve them.
            is_better, why = True, f"{champion.to_version} cannot answer for these rows any more: {error}"
    if not is_better:
        return Outcome(champion, False, why)
    keep(RunFolder(runs_dir / challenger.run_id), challenger, runs_dir)
    promotion = journal.append(
        Promotion(
            domain=challenger.domain,
            task=challenger.task,
            action=PROMOTED,
            model=challenger.model,
            run_id=challenger.run_id,
            snapshot_id=challenger.snapshot_id,
            from_version=champion.to_version if champion else None,
            to_version=version,
            who=who,
            why=why,
            gate=gate,
            figures=figures,
        )
    )
    return Outcome(promotion, True, why)


def roll_back(runs_dir: Path, domain: str, task: str, *, who: str, why: str) -> Promotion:
    """Make the champion before the present one champion again; the present one stays away from then on.

    Raises
    ------
    ValueError
        There is none before it, or it is no longer whole.
    """
    journal = Promotions(runs_dir)
    history = journal.of(domain, task)
    if not history:
        raise ValueError(f"{domain} ({task}) has no champion to roll back in {runs_dir}.")
    withdrawn, present = journal.withdrawn(domain, task), history[-1]
    for earlier in reversed(history):
        if earlier.to_version != present.to_version and earlier.to_version not in withdrawn:
            break
    else:
        raise ValueError(
            f"{present.to_version} is the first champion of {domain}: there is none to go back to."
        )
    folder = kept_folder(runs_dir, earlier.to_version)
    if not folder.is_whole(folder.evaluation(earlier.model)):
        raise ValueError(f"The files of {earlier.to_version} in {folder.path} are no longer whole.")
    back = replace(earlier, action=ROLLED_BACK, from_version=present.to_version, who=who, why=why)
    return journal.append(replace(back, figures={}))


def compare(
    challenger: Evaluation, champion: Promotion, dataset: Dataset, runs_dir: Path
) -> dict[str, float | int | None]:
    """Errors of both on the challenger's test rows whose end is known, and the paired gain.

    Returns
    -------
    dict
        ``mae_log`` of the challenger, ``mae_log_champion``, ``mae_log_gain`` (positive: the challenger is
        better) with ``ci_low`` and ``ci_high``, a bootstrap over the groups, and ``n``.

    Raises
    ------
    ValueError
        The champion has no answer for these rows.
    """
    rows = RunFolder(runs_dir / challenger.run_id).predictions(challenger.model)
    rows = rows[(rows["split"] == "test") & rows["y_true"].notna()]
    theirs = _answers(champion, rows[_ROW], challenger.snapshot_id, dataset, runs_dir)
    groups = rows[_ROW].merge(dataset.items[[*_ROW, "group_id"]], on=_ROW, how="left", validate="1:1")
    resamples = Resamples.of(groups["group_id"].to_numpy(object), _REPLICATES, 0)
    weights, truth = resamples.at(np.arange(len(rows))), np.log1p(rows["y_true"].to_numpy(float))
    own = mae(truth, np.log1p(rows["y_pred"].to_numpy(float)), weights)
    other = mae(truth, np.log1p(theirs), weights)
    gain: Figure = figure_of("test", GAIN, other - own, len(rows), resamples.clusters())
    return {
        "mae_log": float(own[0]),
        "mae_log_champion": float(other[0]),
        GAIN: gain.value,
        "ci_low": gain.ci_low,
        "ci_high": gain.ci_high,
        "n": gain.n,
    }


def keep(folder: RunFolder, evaluation: Evaluation, runs_dir: Path) -> RunFolder:
    """Copy a model, its record and its part of the bias tables to where promoted versions are kept."""
    target = kept_folder(runs_dir, evaluation.model_version)
    if target.evaluation_file(evaluation.model).is_file():
        return target
    if not folder.is_whole(evaluation):
        raise DamagedFileError(f"The files of {evaluation.model!r} in {folder.path} are no longer whole.")
    with tempfile.TemporaryDirectory(prefix=".keeping-", dir=runs_dir) as name:
        copy = RunFolder(Path(name) / target.run_id)
        for file in evaluation.files:
            write_atomically(copy.path / file, (folder.path / file).read_bytes())
        for table in folder.tables():
            rows = folder.table(table)
            own = rows[rows["model"] == evaluation.model] if "model" in rows else rows
            copy.write_table(table, own.assign(run_id=target.run_id))
        for paper in (CARD, BIAS_PAGE):
            if text := folder.read(paper):
                copy.write(paper, text)
        record = replace(evaluation, run_id=target.run_id)
        copy.write(copy.evaluation_file(evaluation.model).name, json_text(record.to_dict()))
        move_folder_into_place(copy.path, target.path)
    return target


def _answers(
    champion: Promotion, rows: pd.DataFrame, snapshot_id: str, dataset: Dataset, runs_dir: Path
) -> np.ndarray:
    """The champion's hours for some rows of a snapshot."""
    folder = kept_folder(runs_dir, champion.to_version)
    if champion.snapshot_id == snapshot_id:
        given = folder.predictions(champion.model)
        answers = rows.merge(given[given["split"] == "test"], on=_ROW, how="left", validate="1:1")["y_pred"]
    else:
        items = rows.merge(dataset.items, on=_ROW, how="left", validate="1:1")
        wanted = folder.evaluation(champion.model).feature_list
        if absent := [name for name in wanted if name not in items]:
            raise ValueError(f"it reads {', '.join(absent)}, which the rows do not have.")
        answers = folder.model(champion.model).predict(items)["y_pred"]
    hours = answers.to_numpy(float)
    if np.isnan(hours).any():
        raise ValueError("some of the rows have no prediction of it.")
    return hours


def _judge(
    champion: Promotion, challenger: Evaluation, figures: dict[str, float | int | None]
) -> tuple[bool, str]:
    gain, low, high = figures[GAIN] or 0.0, figures["ci_low"], figures["ci_high"]
    is_later = champion.snapshot_id != challenger.snapshot_id
    is_better = gain > 0 if is_later else low is not None and low > 0
    interval = "no interval" if low is None or high is None else f"[{low:.4f}, {high:.4f}]"
    found = "better" if is_better else "no better" if is_later else "not better beyond noise"
    return is_better, (
        f"{challenger.model_version} is {found} than {champion.to_version} on the same {figures['n']:,} test "
        f"rows: gain {gain:.4f} {interval} in MAE of log hours."
    )
