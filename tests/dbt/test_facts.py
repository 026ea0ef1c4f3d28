"""A fact that SQL and Python share has one home: changed there, it changes on both sides."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.dbt.conftest import Dbt
from tests.paths import ROOT

CHANGES = {
    "triage_days: 30": "triage_days: 14",
    "horizons_days: [1, 7, 30, 90, 365]": "horizons_days: [2, 60]",
    "medium, high, critical]": "medium, high, severe, critical]",
}
IN_SQL = {
    "training.label_tickets": [r"hours <= 24 \* 14\b", r"interval '14 days'"],
    "intermediate.int_issue__decision": [r"\(values \(2\), \(60\)\)"],
    "intermediate.int_repository__daily_state": [r"share_resolved_2d", r"share_resolved_60d"],
    "staging.stg_alerts__alert": [r"when 'high' then 3\s+when 'severe' then 4\s+when 'critical' then 5"],
    "training.label_alerts": [r"severity_rank >= 3\b", r"severity_rank = 5\b"],
}
IN_PYTHON = """
from orchestration.domains.alerts import checking, serving
from orchestration.domains.tickets import tasks
print(tasks.TRIAGE_RANKER.horizon_days, tasks.TICKETS.settings["horizons_days"], serving.CRITICAL)
print([law[1:] for law in checking._LAWS if "severe" in law[1] and "severe" in law[2]])
"""


def test_both_sides_follow_a_changed_fact(tmp_path: Path) -> None:
    for folder in ("dbt_project", "orchestration", "ml", "warehouse"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.duckdb", "target"))
    home = tmp_path / "dbt_project" / "dbt_project.yml"
    facts = home.read_text()
    for old, new in CHANGES.items():
        assert old in facts
        facts = facts.replace(old, new)
    home.write_text(facts)

    compiled = dict(Dbt(tmp_path, tmp_path / "dbt_project").models())
    for model, patterns in IN_SQL.items():
        found = [pattern for pattern in patterns if re.search(pattern, compiled[model])]
        assert found == patterns, model

    done = subprocess.run(
        [sys.executable, "-c", IN_PYTHON], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    first, laws = done.stdout.splitlines()
    assert first == "14 [2, 60] 5", done.stderr
    assert "severe" in laws


def test_a_fact_is_written_in_one_place_only() -> None:
    """The lists themselves stand in dbt_project.yml and nowhere else in SQL or in the orchestration."""
    lists = re.compile(r"1, 7, 30, 90, 365|'?info'?, '?low'?, '?medium'?|\"medium\", \"high\"")
    files = [*(ROOT / "orchestration").rglob("*.py"), *(ROOT / "dbt_project" / "models").rglob("*.sql")]
    files += (ROOT / "dbt_project" / "macros").rglob("*.sql")
    assert [path.name for path in files if lists.search(path.read_text())] == []
