"""A model family is one file: in a copy of the project it is trained, judged and kept like the others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT
from tests.unit.ml import synthetic

SETTINGS = '{"name": "parcels", "timeline": "slice_depot", "weight_by": "slice_depot"}'
FAMILY = '''"""Ridge regression, a family that nobody knew of."""

from sklearn.linear_model import Ridge

from ml.models import ModelSpec


def _build(params, seed, loss):
    return Ridge(**params)


SPEC = ModelSpec(name="toy", build=_build, defaults={"alpha": 1.0})
'''


def run(project: Path, *arguments: object) -> str:
    environment = {**os.environ, "PYTHONPATH": str(project)}
    command = [sys.executable, "-m", "ml", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_file_is_a_family(tmp_path: Path) -> None:
    project, runs = tmp_path / "project", tmp_path / "runs"
    shutil.copytree(ROOT / "ml", project / "ml", ignore=shutil.ignore_patterns("__pycache__"))
    file = project / "ml" / "models" / "toy.py"
    file.write_text(FAMILY)
    items, labels = synthetic.frames(300)
    data = synthetic.write(tmp_path / "data", items, labels, SETTINGS)

    def train() -> dict[str, dict[str, object]]:
        table = run(project, "train", "-m", "toy", "-r", "r", "--data-dir", data, "--runs-dir", runs)
        assert {line.split()[0] for line in table.splitlines()[1:]} == {"toy", "median"}
        return {
            name: json.loads((runs / "r" / f"eval_{name}.json").read_text()) for name in ("toy", "median")
        }

    first = train()
    assert first["toy"]["params"] == {"alpha": 1.0} and first["toy"]["files"]
    assert "BIAS DETECTION REPORT" in run(
        project, "bias-report", "--run", "r", "--runs-dir", runs, "-m", "toy"
    )
    assert train() == first
    # The code is part of what decides: nobody has to raise a number.
    file.write_text(FAMILY.replace('"alpha": 1.0', '"alpha": 500.0'))
    changed = train()
    assert changed["toy"]["params"] == {"alpha": 500.0}
    assert changed["toy"]["model_version"] != first["toy"]["model_version"]
    # Trained again with the new code, the baseline is the same as before.
    assert changed["median"]["key"] != first["median"]["key"]
    assert changed["median"]["model_version"] == first["median"]["model_version"]
