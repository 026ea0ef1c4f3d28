"""The walls of the harness: no word of a domain, no import of what it must not know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import ml

ROOT = Path(ml.__file__).parent
FILES = [path for path in sorted(ROOT.rglob("*.py")) if "bias" not in path.relative_to(ROOT).parts]
WORDS = re.compile(r"ticket|issue|github|repo(?!rt)|alert|assignee", re.IGNORECASE)
ALLOWED = {
    "fairlearn", "lightgbm", "matplotlib", "ml", "numpy", "optuna", "pandas", "psutil", "pyarrow", "scipy",
    "skops", "sklearn", "threadpoolctl", "tqdm", "xgboost", "yaml",
}  # fmt: skip
# What spreads fits over processes or rows over a cluster, and what is installed for the mirror alone; nothing
# that lies in a file is ever unpickled.
ALONE = {
    "backend.py": {"distributed", "joblib"},
    "models/xgboost_rows.py": {"dask"},
    "runs/mirror.py": {"mlflow"},
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_domain_word(path: Path) -> None:
    found = WORDS.findall(path.read_text())
    assert not found, f"{path.name} speaks of {found}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_only_what_it_may(path: Path) -> None:
    import sys

    for node in ast.walk(ast.parse(path.read_text())):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            top = name.split(".")[0]
            if top in ALONE.get(path.relative_to(ROOT).as_posix(), ()):
                continue
            assert top in ALLOWED or top in sys.stdlib_module_names, f"{path.name} imports {name}"
            assert top not in {"pickle", "joblib", "shelve"}
