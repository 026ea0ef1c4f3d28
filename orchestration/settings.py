"""The only reader of environment variables and the only place that knows paths.

Nothing here opens a file other than `.env`, and nothing is read at import.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

PROJECT_ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
DBT_MANIFEST = DBT_PROJECT_DIR / "target" / "manifest.json"
TICKET_SCOPES = ("all", "assigned")
GITHUB_API_URL = "https://api.github.com"


@dataclass(frozen=True)
class Settings:
    """What a run is configured with.

    Attributes
    ----------
    warehouse_dir : Path
        Everything that a run writes is below it (absolute).
    issues_source : str
        Name of the source of issues: `sample`, `archive` or `github`.
    issues_archive : Path or None
        Folder of JSON Lines dumps, for the source `archive`.
    archive_secondary : bool or tuple of str
        Read the dumps below `secondary/` too, or those of some of its folders.
    alert_batches : Path or None
        Folder of AML alert batches; without one, the alerts are synthetic.
    ticket_scope : str
        `all`, or `assigned`: closed issues with an assignee only.
    rejected_share_limit : float
        Share of rejected records above which the check on `raw_issues` fails.
    github_tokens, github_repositories : tuple of str
        Personal access tokens and `owner/name` each, for the source `github`.
    github_api_url : str
        Of the REST API; another one for GitHub Enterprise.
    github_budget_seconds : float
        The longest that fetching from GitHub may take in one run, waits included.
    """

    warehouse_dir: Path
    issues_source: str = "sample"
    issues_archive: Path | None = None
    archive_secondary: bool | tuple[str, ...] = False
    alert_batches: Path | None = None
    ticket_scope: str = "all"
    rejected_share_limit: float = 0.01
    github_tokens: tuple[str, ...] = field(default=(), repr=False)
    github_repositories: tuple[str, ...] = ()
    github_api_url: str = GITHUB_API_URL
    github_budget_seconds: float = 4 * 3600.0

    @property
    def pipeline_database(self) -> Path:
        """The pipeline's own DuckDB file; users read `published_database`."""
        return self.warehouse_dir / "pipeline.duckdb"

    @property
    def published_database(self) -> Path:
        """The DuckDB file that users query; replaced atomically."""
        return self.warehouse_dir / "warehouse.duckdb"

    @property
    def landing_dir(self) -> Path:
        """Immutable files as the source gave them."""
        return self.warehouse_dir / "landing"

    @property
    def snapshots_dir(self) -> Path:
        """One folder per training snapshot, named by content hash."""
        return self.warehouse_dir / "snapshots"

    @property
    def runs_dir(self) -> Path:
        """One folder per training run."""
        return self.warehouse_dir / "models"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str | None] | None = None) -> "Settings":
        """Read the settings from the environment; `.env` in the project fills what it leaves out.

        Raises
        ------
        ValueError
            A variable has a value that cannot be meant; the sentence names it.
        """
        if environment is None:
            environment = {**dotenv_values(PROJECT_ROOT / ".env"), **os.environ}
        get = {name: (value or "").strip() for name, value in environment.items()}.get
        archive = get("ISSUES_ARCHIVE")
        alert_batches = get("ALERT_BATCHES")
        return cls(
            warehouse_dir=_absolute(get("WAREHOUSE_DIR") or "warehouse"),
            issues_source=get("ISSUES_SOURCE") or "sample",
            issues_archive=_absolute(archive) if archive else None,
            archive_secondary=_boolean_or_folders(
                "ISSUES_ARCHIVE_SECONDARY", get("ISSUES_ARCHIVE_SECONDARY") or "false"
            ),
            alert_batches=_absolute(alert_batches) if alert_batches else None,
            ticket_scope=_one_of("TICKET_SCOPE", get("TICKET_SCOPE") or "all", TICKET_SCOPES),
            github_tokens=_list(get("GITHUB_TOKEN")),
            github_repositories=_list(get("GITHUB_REPOS")),
            github_api_url=(get("GITHUB_API_URL") or GITHUB_API_URL).rstrip("/"),
            github_budget_seconds=_seconds("GITHUB_BUDGET_SECONDS", get("GITHUB_BUDGET_SECONDS") or "14400"),
            rejected_share_limit=_share("REJECTED_SHARE_LIMIT", get("REJECTED_SHARE_LIMIT") or "0.01"),
        )

    @contextmanager
    def dbt_environment(self) -> Iterator[None]:
        """Hand dbt, a child process, the absolute path of the database it works on.

        Of a part of the models only those tests are run that need no model which may not be there yet.
        """
        names = {
            "PIPELINE_DATABASE": str(self.pipeline_database),
            "DBT_INDIRECT_SELECTION": "buildable",
            "DO_NOT_TRACK": "1",
        }
        before = {name: os.environ.get(name) for name in names}
        os.environ.update(names)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _absolute(path: str) -> Path:
    return (PROJECT_ROOT / Path(path).expanduser()).resolve()


def _boolean_or_folders(name: str, value: str) -> bool | tuple[str, ...]:
    if value.lower() in ("true", "false", "1", "0", "yes", "no"):
        return value.lower() in ("true", "1", "yes")
    folders = _list(value)
    if not folders or any(folder in (".", "..") or Path(folder).name != folder for folder in folders):
        raise ValueError(f"{name} is {value!r}; it must be true, false, or names of folders.")
    return folders


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(known)}.")
    return value


def _list(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())


def _seconds(name: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{name} is {value!r}; it must be a number of seconds above 0.")
    return seconds


def _share(name: str, value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"{name} is {value!r}; it must be a number from 0 to 1.")
    return share
