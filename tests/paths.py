"""Where the project and, beside it, the shared data are; tests that need what is absent skip."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ISSUES = ROOT.parent / "shared" / "data" / "github_issues"
ALERT_BATCHES = ROOT.parent / "shared" / "data" / "aml" / "alert_batches"
CASES = ROOT.parent / "shared" / "cases"
