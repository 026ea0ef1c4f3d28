"""Models are loaded only when nothing about them is strange, and a strange file executes nothing."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from sklearn.base import BaseEstimator

from ml.mitigation.models import AdjustedModel, MixtureRegressor
from ml.models.median import GroupMedian
from ml.store.trusted import dump_trusted, load_trusted, loadable


class Unmarked(BaseEstimator):
    """Nobody said that this may be loaded."""


class Below(GroupMedian):
    """A mark is not inherited."""


def renamed(model: object, module: str, name: str) -> bytes:
    """The file of a model that says it is of another class."""
    source = io.BytesIO(dump_trusted(model))
    target = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry == "schema.json":
                schema = json.loads(data)
                schema["__module__"], schema["__class__"] = module, name
                data = json.dumps(schema).encode()
            new.writestr(entry, data)
    return target.getvalue()


@pytest.mark.parametrize(
    "model", [GroupMedian(), MixtureRegressor([], []), AdjustedModel(None, "c", [], {}, 0.0)]
)
def test_what_is_marked_is_loaded(model: object) -> None:
    assert type(load_trusted(dump_trusted(model), "m.skops")) is type(model)


@pytest.mark.parametrize("model", [Unmarked(), Below()])
def test_what_is_not_marked_is_refused(model: object) -> None:
    with pytest.raises(ValueError, match="untrusted types"):
        load_trusted(dump_trusted(model), "m.skops")


@pytest.mark.parametrize(
    "module, name",
    [
        ("ml.store.run_folder", "RunFolder"),  # a class of ours, without a mark
        ("ml.store.files", "write_atomically"),
        ("ml.runs.train", "GroupMedian"),  # a marked class is where it is defined, and nowhere else
        ("ml.store.trusted", "importlib"),
        ("ml.store.key", "Path"),
        ("ml.store.key.Path", "cwd"),
        ("ml.no_such_module", "Thing"),
        ("ml.__main__", "main"),
        ("ml", "GroupMedian"),
        ("mlx.median", "GroupMedian"),
        ("ml..store", "Thing"),
        ("os", "system"),
        ("builtins", "exec"),
        ("subprocess", "Popen"),
        ("posix", "system"),
    ],
)
def test_a_name_that_begins_like_ours_opens_no_door(module: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"untrusted types|damaged"):
        load_trusted(renamed(GroupMedian(), module, name), "m.skops")


def test_only_modules_of_ours_are_imported_to_look_for_a_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "executed"
    (tmp_path / "mlevil.py").write_text(f"open({str(witness)!r}, 'w')\nclass Thing: pass\n")
    (tmp_path / "evil.py").write_text(f"open({str(witness)!r}, 'w')\nclass Thing: pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for module in ("evil", "mlevil", "ml.evil", "ml.store.evil"):
        with pytest.raises(ValueError, match="untrusted types"):
            load_trusted(renamed(GroupMedian(), module, "Thing"), "m.skops")
    assert not witness.exists()


def test_a_mark_is_of_the_class_that_carries_it() -> None:
    @loadable
    class Marked(BaseEstimator):
        pass

    assert Marked.__qualname__.endswith("<locals>.Marked")
    with pytest.raises(ValueError, match=r"untrusted types|damaged"):
        load_trusted(renamed(GroupMedian(), Marked.__module__, "Marked"), "m.skops")


def test_an_unlisted_type_is_refused() -> None:
    with pytest.raises(ValueError, match=r"untrusted types.*SimpleNamespace"):
        load_trusted(dump_trusted(SimpleNamespace(a=1)), "strange.skops")


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ValueError, match="damaged"):
        load_trusted(b"not a zip", "a.skops")
