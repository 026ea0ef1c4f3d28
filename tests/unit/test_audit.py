"""The audit of the locked packages: what fails, what is only told, and that it costs little."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

OPEN = {"id": "HOLE-1", "fix_versions": []}
CLOSABLE = {"id": "HOLE-2", "fix_versions": ["2.0"]}


def audit(folder: Path, answer: str, seconds: float = 20) -> subprocess.CompletedProcess[str]:
    """Run it against an index that makes `pip-audit` do what the shell script `answer` says."""
    tool = folder / "bin" / "pip-audit"
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(f"#!/bin/sh\necho asked >> {folder}/asked\n{answer}\n")
    tool.chmod(0o755)
    (folder / "requirements.lock").touch()
    os.utime(folder / "requirements.lock", (1, 1))
    return subprocess.run(
        [
            sys.executable,
            str(ROOT / ".ci" / "audit.py"),
            *("--lock", str(folder / "requirements.lock")),
            *("--stamp", str(folder / "stamp"), "--seconds", str(seconds)),
        ],
        env={**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def telling(*packages: dict[str, Any], code: int = 0) -> str:
    return f"cat <<'EOF'\n{json.dumps({'dependencies': packages})}\nEOF\nexit {code}"


def package(*holes: dict[str, Any]) -> dict[str, Any]:
    return {"name": "toy", "version": "1.0", "vulns": list(holes)}


@pytest.mark.parametrize(
    ("answer", "seconds", "code", "told"),
    [
        (telling(package()), 20, 0, "pip-audit: 1 packages, 0 holes that no update closes."),
        (telling(package(OPEN), code=1), 20, 0, "1 holes that no update closes (toy HOLE-1)."),
        (
            telling(package(OPEN, CLOSABLE), code=1),
            20,
            1,
            "toy 1.0 has HOLE-2, closed by 2.0: run make lock.",
        ),
        (telling({"name": "toy", "skip_reason": "?"}), 20, 0, "the index told nothing about 1 of them."),
        ("echo no route >&2; exit 1", 20, 0, "not done, the package index cannot be reached."),
        ("exec sleep 30", 0.5, 0, "not done, the package index did not answer within 0.5 s."),
    ],
)
def test_what_fails_and_what_is_only_told(
    tmp_path: Path, answer: str, seconds: float, code: int, told: str
) -> None:
    done = audit(tmp_path, answer, seconds)
    assert done.returncode == code
    assert told in (done.stderr if code else done.stdout)


def test_it_asks_once_a_day_and_after_a_change(tmp_path: Path) -> None:
    first = audit(tmp_path, telling(package()))
    assert audit(tmp_path, telling(package(CLOSABLE))).stdout == first.stdout
    assert (tmp_path / "asked").read_text() == "asked\n"
    os.utime(tmp_path / "stamp", (0, 0))
    assert audit(tmp_path, telling(package(CLOSABLE))).returncode == 1
    # What failed is asked about again.
    assert audit(tmp_path, telling(package(CLOSABLE))).returncode == 1
