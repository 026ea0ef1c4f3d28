"""The folder of a run: what its files are called, which models are in it, and whether they are whole.

Nobody else knows a file's name in it. Every model has its own record (``eval_{model}.json``), so that models
of several tasks and domains can lie in one folder.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ml.errors import DamagedFileError
from ml.store.files import file_name, json_text, parquet_bytes, sha256_of, sha256_of_file, write_atomically
from ml.store.lock import only_one
from ml.store.record import Evaluation, read_evaluation, runs_of
from ml.store.trusted import dump_trusted, load_trusted

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

BIAS_DOCUMENT = "bias.json"
BIAS_PAGE = "bias.html"
BEST = "best.txt"
CARD = "model_card.md"
MITIGATION = "mitigation.json"
MEASURED = "measured.json"
# Between a model and the method of mitigation in the name of what that made of it.
_MITIGATED_BY = "+"


class RunFolder:
    """The files of one run.

    Parameters
    ----------
    path : path
        ``{runs_dir}/{run_id}``; it need not exist yet.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return self.path.name

    @property
    def cache(self) -> Path:
        """Folder of encoded rows, beside the run's and shared with the other runs."""
        return self.path.parent / ".prepared"

    @property
    def page(self) -> Path:
        """The page of the bias report, for people."""
        return self.path / BIAS_PAGE

    @contextmanager
    def at_work(self, party: str = "") -> Iterator[None]:
        """Keep processes of no or another party from working in it; `LockedError` names the one that does."""
        with only_one(self.path / ".lock", f"is at work in {self.path}", party):
            yield

    # Models

    def models(self) -> list[str]:
        """Names of the models whose evaluation is in the folder."""
        return [evaluation.model for evaluation in self.evaluations()]

    def evaluations(self, models: Sequence[str] | None = None) -> list[Evaluation]:
        """Evaluations of some models in their order; of all by name when not given."""
        if models is not None:
            return [self.evaluation(model) for model in models]
        found = [read_evaluation(path) for path in self.path.glob("eval_*.json")]
        return sorted(found, key=lambda evaluation: evaluation.model)

    def evaluation(self, model: str) -> Evaluation:
        """The record of a model; ValueError when it is absent or damaged."""
        path = self.evaluation_file(model)
        if not path.is_file():
            raise ValueError(f"There is no evaluation of {model!r} in {self.path}: train it there first.")
        return read_evaluation(path)

    def current(self, model: str, key: str) -> Evaluation | None:
        """The record of a model when it is of this key and all its files are whole: then it is up to date."""
        if not self.evaluation_file(model).is_file():
            return None
        try:
            evaluation = self.evaluation(model)
        except DamagedFileError as error:
            logger.warning("%s", error)
            return None
        return evaluation if evaluation.key == key and self.is_whole(evaluation) else None

    def is_whole(self, evaluation: Evaluation) -> bool:
        """Say whether every file of the model is in the folder as it was written."""
        return all(
            (self.path / name).is_file() and sha256_of_file(self.path / name) == sha256
            for name, sha256 in evaluation.files.items()
        )

    def files(self, model: str) -> list[Path]:
        """The files of a model: its record, and all that the record tells of."""
        return [self.evaluation_file(model), *(self.path / name for name in self.evaluation(model).files)]

    def save(
        self,
        evaluation: Evaluation,
        model: Any,
        predictions: pd.DataFrame,
        native: tuple[str, bytes] | None = None,
        report: Mapping[str, Any] | None = None,
    ) -> Evaluation:
        """Write a model's files, the evaluation last: its presence says that the rest is whole.

        Parameters
        ----------
        evaluation : Evaluation
            Without version and files.
        model : estimator
        predictions : DataFrame
            Validation and test rows.
        native : (suffix, bytes) or None
            The library's own file format.
        report : mapping or None
            Plain values of ``report_{model}.json``.

        Returns
        -------
        Evaluation
            With version and files, as it is read.
        """
        name = evaluation.model
        files = {
            self.model_file(name).name: dump_trusted(model),
            predictions_name(name): parquet_bytes(predictions),
        }
        if native is not None:
            suffix, files[f"{file_name(name)}{suffix}"] = native[0], native[1]
        if report is not None:
            files[_report_file(name)] = json_text(report).encode()
        self.evaluation_file(name).unlink(missing_ok=True)
        for file, data in files.items():
            write_atomically(self.path / file, data)
        for text in self._texts_of(name):
            text.unlink()  # it tells of the model that was here before
        hashes = {file: sha256_of(data) for file, data in files.items()}
        # Not of the model's file, which holds the time at which it was written.
        learned_and_answers = f"{evaluation.snapshot_id} {hashes[predictions_name(name)]}"
        version = f"{name}-{sha256_of(learned_and_answers.encode())[:12]}"
        content = json_text(replace(evaluation, model_version=version, files=hashes).to_dict())
        write_atomically(self.evaluation_file(name), content)
        return Evaluation.from_dict(json.loads(content))

    def model(self, model: str) -> Any:
        """Load a fitted model: known bytes and known types only."""
        path = self.model_file(model)
        return load_trusted(self._checked(model, path.name), str(path))

    def predictions(self, model: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The predictions of a model's validation and test rows."""
        import pandas as pd

        data = self._checked(model, predictions_name(model))
        return pd.read_parquet(io.BytesIO(data), columns=None if columns is None else list(columns))

    def report(self, model: str) -> dict[str, Any]:
        """The report of a scorer or ranker."""
        return dict(json.loads(self._checked(model, _report_file(model))))

    def model_file(self, model: str) -> Path:
        """The file of a fitted model."""
        return self.path / f"{file_name(model)}.skops"

    def evaluation_file(self, model: str) -> Path:
        """The file of a model's record, for readers in SQL."""
        return self.path / f"eval_{file_name(model)}.json"

    def predictions_file(self, model: str) -> Path:
        """The file of a model's predictions, for readers in SQL; checked."""
        self._checked(model, predictions_name(model))
        return self.path / predictions_name(model)

    # Tables, texts and pages of the bias report

    def has_table(self, name: str) -> bool:
        """Say whether a table of the bias report is there."""
        return self._table_file(name).is_file()

    def tables(self) -> list[str]:
        """Names of the tables of the bias report that are there."""
        return sorted(path.stem.removeprefix("bias_") for path in self.path.glob("bias_*.parquet"))

    def table(self, name: str) -> pd.DataFrame:
        """One table of the bias report."""
        import pandas as pd

        return pd.read_parquet(self.table_file(name))

    def table_file(self, name: str) -> Path:
        """The file of a table of the bias report, for readers in SQL; ValueError when it is absent."""
        path = self._table_file(name)
        if not path.is_file():
            raise ValueError(f"There is no {path.name} in {self.path}: measure the bias of the run first.")
        return path

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write one table of the bias report."""
        write_atomically(self._table_file(name), parquet_bytes(table))

    def write_text(self, model: str, dimension: str, text: str) -> None:
        """Write the bias report of a model in one dimension."""
        write_atomically(self.path / f"bias_{file_name(model)}_{file_name(dimension)}.txt", text)

    def seal_bias(self, key: str) -> None:
        """Remember what the tables and texts of the bias report were made from, and their hashes."""
        files = {path.name: sha256_of_file(path) for path in sorted(self.path.glob("bias_*"))}
        self.write(MEASURED, json_text({"key": key, "files": files}))

    def has_bias(self, key: str) -> bool:
        """Say whether the bias report is of this key, and its tables and texts are as they were written."""
        text = self.read(MEASURED)
        if text is None:
            return False
        sealed = json.loads(text)
        return sealed["key"] == key and all(
            (self.path / name).is_file() and sha256_of_file(self.path / name) == sha256
            for name, sha256 in sealed["files"].items()
        )

    def texts(self, models: Sequence[str] | None = None) -> list[str]:
        """Bias reports by file name, of some models or of all."""
        found = self.path.glob("bias_*_*.txt")
        chosen = set(
            found if models is None else [path for model in models for path in self._texts_of(model)]
        )
        return [path.read_text(encoding="utf-8") for path in sorted(chosen)]

    def picture(self, model: str, png: bytes) -> Path:
        """Write the picture of predicted against actual hours; return its path."""
        path = self.path / f"predicted_against_actual_{file_name(model)}.png"
        write_atomically(path, png)
        return path

    # The run's own papers

    def write(self, file: str, content: str) -> Path:
        """Write one of the run's own files (`BIAS_DOCUMENT`, `CARD`, …); return its path."""
        write_atomically(self.path / file, content)
        return self.path / file

    def read(self, file: str) -> str | None:
        """Read one of the run's own files; None when it is not there."""
        path = self.path / file
        return path.read_text(encoding="utf-8") if path.is_file() else None

    def write_best(self, model: str | None, reason: str) -> None:
        """Write which model was chosen, and why."""
        self.write(BEST, f"{model or 'none'}\n{reason}\n")

    def best(self) -> str | None:
        """The model that was chosen; None when there is none."""
        name = (self.read(BEST) or "none").split("\n", 1)[0]
        return None if name == "none" else name

    def runs(self) -> list[dict[str, Any]]:
        """One row of ``ml.runs`` per domain of the folder, derived from the records of its models."""
        return runs_of(self.evaluations())

    def _table_file(self, name: str) -> Path:
        return self.path / f"bias_{file_name(name)}.parquet"

    def _texts_of(self, model: str) -> list[Path]:
        """The bias reports of one model, not those of another whose name begins alike."""
        begin = f"bias_{file_name(model)}_"
        names = (path.name[len("eval_") : -len(".json")] for path in self.path.glob("eval_*.json"))
        longer = tuple(f"bias_{name}_" for name in names if f"bias_{name}_" != begin)
        others = tuple(name for name in longer if name.startswith(begin))
        found = (path for path in self.path.iterdir() if path.suffix == ".txt") if self.path.is_dir() else ()
        return [p for p in found if p.name.startswith(begin) and not (others and p.name.startswith(others))]

    def _checked(self, model: str, file: str) -> bytes:
        """The bytes of a model's file when they are those that its record tells of."""
        known, path = self.evaluation(model).files, self.path / file
        if file not in known or not path.is_file():
            raise DamagedFileError(f"There is no {file} in {self.path}: train the model {model!r} again.")
        data = path.read_bytes()
        if sha256_of(data) != known[file]:
            raise DamagedFileError(
                f"{path} is not the one that was evaluated: train the model {model!r} again."
            )
        return data


def mitigated_name(model: str, method: str) -> str:
    """Name of what a method of mitigation makes of a model."""
    return f"{model}{_MITIGATED_BY}{method}"


def original_name(model: str) -> str:
    """Name of the model that a mitigated one was made of; of another model its own."""
    return model.split(_MITIGATED_BY)[0]


def predictions_name(model: str) -> str:
    """Name of the file of a model's predictions."""
    return f"predictions_{file_name(model)}.parquet"


def _report_file(model: str) -> str:
    return f"report_{file_name(model)}.json"
