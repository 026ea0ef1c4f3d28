"""The options of every command that names a run, or a model in one."""

from __future__ import annotations

import argparse
from pathlib import Path

from ml.store.promotions import Promotions, kept_folder
from ml.store.run_folder import RunFolder

RUNS_DIR = "warehouse/models"
CHAMPION = "champion"


def add_run(command: argparse.ArgumentParser, *flags: str) -> None:
    """Let a command name a run and the folder of all runs."""
    command.add_argument(*flags, required=True, metavar="RUN", dest="run_name", help="name of its folder")
    command.add_argument("--runs-dir", default=RUNS_DIR, type=Path, metavar="DIR")


def named_run(options: argparse.Namespace) -> RunFolder:
    """Return the run that is named; ValueError when the name cannot be a folder's."""
    name = str(options.run_name)
    if not name or name.startswith(".") or Path(name).name != name:
        raise ValueError(f"The run name {name!r} is no plain folder name: use letters, digits, '-' and '_'.")
    return RunFolder(options.runs_dir / name)


def beside(output: Path) -> RunFolder:
    """Return the run folder that a command which writes one model to ``output`` leaves beside it."""
    return RunFolder(output.with_suffix(".run"))


def named_model(name: str, runs_dir: Path) -> tuple[RunFolder, str]:
    """Return the run folder and the name of a model.

    Parameters
    ----------
    name : str
        ``RUN/NAME`` below ``runs_dir``, or a path: of a run folder, of a model in it or of its file, or of
        the output that has its run folder beside it. ``RUN/champion`` is the model that a run chose;
        ``champion`` the promoted one, ``DOMAIN/champion`` that of a domain where several have one.
    runs_dir : Path

    Raises
    ------
    ValueError
        When there is no such model; the sentence says what there is.
    """
    if name == CHAMPION:
        return _promoted(runs_dir, None)
    for path in (Path(name), runs_dir / name):
        if path.is_dir():
            return _model_of(RunFolder(path), None)
        if beside(path).models():
            return _model_of(beside(path), None)
        folder = RunFolder(path.parent)
        for model in folder.models():
            if path.name in (model, folder.model_file(model).name):
                return folder, model
        if path.name and folder.models():
            return _model_of(folder, path.name)
    if Path(name).name == CHAMPION:
        return _promoted(runs_dir, str(Path(name).parent))
    raise ValueError(f"There is no model {name!r}, here or in {runs_dir}: name it RUN/NAME.")


def _model_of(folder: RunFolder, name: str | None) -> tuple[RunFolder, str]:
    """Return the model called ``name``, or the champion, or the only one of a folder."""
    models = folder.models()
    chosen = folder.best() if name in (None, CHAMPION) else name
    if chosen is None and len(models) == 1:
        chosen = models[0]
    if chosen not in models:
        has = f"it has {', '.join(models)}" if models else "it has none"
        which = "chosen model" if chosen is None else f"model {chosen!r}"
        raise ValueError(f"The run {folder.path} has no {which} ({has}): name one, as RUN/NAME.")
    return folder, chosen


def _promoted(runs_dir: Path, domain: str | None) -> tuple[RunFolder, str]:
    newest = {(one.domain, one.task): one for one in Promotions(runs_dir).all()}
    found = [one for one in newest.values() if domain in (None, one.domain)]
    if len(found) != 1:
        has = (
            f"champions are known of {', '.join(sorted({one.domain for one in newest.values()}) or ['none'])}"
        )
        raise ValueError(
            f"Which champion of {runs_dir} is meant? {has}: name it DOMAIN/champion, or a RUN/NAME."
        )
    return kept_folder(runs_dir, found[0].to_version), found[0].model
