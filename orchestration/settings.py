"""The only reader of environment variables and the only place that knows paths.

Nothing here opens a file other than `.env`, and nothing is read at import.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ml.backend import TrainingBackend
from orchestration.environment import given_environment

PROJECT_ROOT = Path(__file__).resolve().parents[1]
DBT_PROJECT_DIR = PROJECT_ROOT / "dbt_project"
DBT_MANIFEST = DBT_PROJECT_DIR / "target" / "manifest.json"
DBT_PARSED = DBT_MANIFEST.with_name("partial_parse.msgpack")
GITHUB_API_URL = "https://api.github.com"


def _absolute(path: Path) -> Path:
    try:
        return (PROJECT_ROOT / path.expanduser()).resolve()
    except (RuntimeError, OSError) as error:
        raise ValueError(str(error)) from None


def _list(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _boolean_or_folders(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.lower() in ("true", "false", "1", "0", "yes", "no"):
        return value.lower() in ("true", "1", "yes")
    folders = _list(value)
    if not folders or any(folder in (".", "..") or Path(folder).name != folder for folder in folders):
        raise ValueError
    return folders


def _url(value: str) -> str:
    parts = urlsplit(value)
    # A port that is none raises, too.
    is_plain = parts.hostname and parts.port != 0 and not (parts.username or parts.query or parts.fragment)
    if parts.scheme not in ("http", "https") or not is_plain or not value.isprintable() or "\\" in value:
        raise ValueError
    return value.rstrip("/")


def _webhook(value: str) -> str:
    if value:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError
    return value


def _without_password(value: str) -> str:
    # What fails tells the address, and logs keep it.
    if urlsplit(value).password:
        raise ValueError
    return value


Folder = Annotated[Path, AfterValidator(_absolute)]
Url = Annotated[str, AfterValidator(_url)]
Webhook = Annotated[str, AfterValidator(_webhook)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_list)]
BooleanOrFolders = Annotated[bool | tuple[str, ...], NoDecode, BeforeValidator(_boolean_or_folders)]


class Settings(BaseSettings):
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
    failure_webhook : str
        Where a line about each failed run is posted; a secret, and nowhere when empty.
    mlflow_tracking_uri : str
        The MLflow registry that promoted models are mirrored to; none when empty.
    runs_kept : int
        How many earlier runs of each training set are kept, and how many daily pages.
    prediction_days_kept : int
        How many days `tickets.prediction_history` goes back.
    dbt_target : str
        Where the transforms run: `duckdb`, in the run's own process, or `spark`.
    spark_master : str
        Where Spark runs, for the target `spark`: on this machine, or the address of a cluster that sees
        `warehouse_dir` under the same path.
    duckdb_memory_limit : str
        What DuckDB may hold in memory, in the transforms and beside them; beyond it, it spills to disk.
    training_backend : str
        Where models are fitted: `local` (in the run's own process), `processes` of this machine, `dask`,
        or `dask_rows`, which spreads the rows of XGBoost's fits over the cluster.
    training_workers : int
        Processes of the backend; 0 for one per core that no other step has, as far as the free memory goes.
    run_executor : str
        Where the steps of a run are executed: `side_by_side` (without Linux or a second core
        `in_process`), `in_process`, `multiprocess`, or `package:attribute`, an executor of a Dagster library
        (`dagster_k8s:k8s_job_executor`).
    dask_scheduler : str
        Address of a running Dask scheduler; empty for a cluster on this machine.
    """

    # `description` says what a variable must be: the message about a bad value quotes it.
    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_file=PROJECT_ROOT / ".env",
        populate_by_name=True,
        validate_default=True,
    )

    warehouse_dir: Folder = Field(default=Path("warehouse"), description="a folder")
    issues_source: str = "sample"
    issues_archive: Folder | None = Field(default=None, description="a folder")
    archive_secondary: BooleanOrFolders = Field(
        default=False,
        validation_alias="ISSUES_ARCHIVE_SECONDARY",
        description="true, false, or names of folders",
    )
    alert_batches: Folder | None = Field(default=None, description="a folder")
    ticket_scope: Literal["all", "assigned"] = Field(default="all", description="one of all, assigned")
    rejected_share_limit: float = Field(default=0.01, ge=0, le=1, description="a number from 0 to 1")
    github_tokens: Names = Field(default=(), validation_alias="GITHUB_TOKEN", repr=False)
    github_repositories: Names = Field(default=(), validation_alias="GITHUB_REPOS")
    github_api_url: Url = Field(
        default=GITHUB_API_URL, description="http:// or https:// with a host, and no user, query or fragment"
    )
    github_budget_seconds: float = Field(
        default=4 * 3600.0, gt=0, allow_inf_nan=False, description="a number of seconds above 0"
    )
    dbt_target: Literal["duckdb", "spark"] = Field(default="duckdb", description="one of duckdb, spark")
    spark_master: str = Field(
        default="local[*]",
        pattern=r"^(local(\[.+\])?|local-cluster\[\d+,\d+,\d+\]|spark://.+|k8s://.+|yarn)$",
        description="a master of Spark such as local[*] or spark://HOST:7077",
    )
    duckdb_memory_limit: str = Field(
        default="2GB", pattern=r"^\d+(\.\d+)? ?(MB|GB|MiB|GiB)$", description="a size such as 2GB or 500MB"
    )
    training_backend: Literal["local", "processes", "dask", "dask_rows"] = Field(
        default="processes", description="one of local, processes, dask, dask_rows"
    )
    training_workers: int = Field(default=0, ge=0, description="a whole number from 0")
    run_executor: str = Field(
        default="side_by_side",
        pattern=r"^(side_by_side|in_process|multiprocess|[\w.]+:\w+)$",
        description="one of side_by_side, in_process, multiprocess, or package:attribute",
    )
    dask_scheduler: str = Field(default="", validation_alias="DASK_SCHEDULER_ADDRESS")

    failure_webhook: Webhook = Field(
        default="", repr=False, description="an address with http:// or https://"
    )
    mlflow_tracking_uri: Annotated[str, AfterValidator(_without_password)] = Field(
        default="", description="an address without a password, which goes into MLflow's own variables"
    )
    runs_kept: int = Field(default=10, ge=1, description="a whole number of at least 1")
    prediction_days_kept: int = Field(default=100, ge=1, description="a whole number of at least 1")

    @property
    def github_web_url(self) -> str:
        """Address of the host of the issues' pages, by that of its API."""
        return self.github_api_url.replace("://api.github.com", "://github.com").removesuffix("/api/v3")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings from the environment; `.env` in the project fills what it leaves out.

        Parameters
        ----------
        environment : mapping of str to str, optional
            Take these variables instead, and no file.

        Raises
        ------
        ValueError
            A variable has a value that cannot be meant; the sentence names it.
        """
        try:
            given: dict[str, Any] = {} if environment is None else {"environment": environment}
            return cls(**given)
        except ValidationError as error:
            raise ValueError(" ".join(map(_sentence, error.errors()))) from None
        except UnicodeDecodeError:
            raise ValueError(f"{PROJECT_ROOT / '.env'} is no text in UTF-8: save it as such.") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over `.env`, as it was given: in `os.environ` Dagster lets the file win."""
        assert isinstance(env_settings, EnvSettingsSource)
        own = init_settings().get("environment")
        variables = given_environment() if own is None else own
        env_settings.env_vars = {name.lower(): value for name, value in variables.items()}
        given = (init_settings, env_settings)
        return (*given, dotenv_settings) if own is None else given

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, values: dict[str, Any]) -> dict[str, Any]:
        """A variable that is set to nothing means the default, whatever `.env` says."""
        stripped = {
            name: value.strip() if isinstance(value, str) else value for name, value in values.items()
        }
        return {name: value for name, value in stripped.items() if value != ""}

    def described(self) -> dict[str, str]:
        """What a run is told to do, in words that a log can show: never a token."""
        repositories = ", ".join(self.github_repositories) or "no repository"
        source = {
            "sample": "sample (synthetic)",
            "archive": f"archive {self.issues_archive}",
            "github": f"github {self.github_api_url}: {repositories}",
        }
        return {
            "warehouse": str(self.warehouse_dir),
            "issues": source.get(self.issues_source, self.issues_source),
            "alerts": str(self.alert_batches or "sample (synthetic)"),
            "tickets": self.ticket_scope,
        }

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
    def backend(self) -> TrainingBackend:
        """Where models are fitted."""
        return TrainingBackend(self.training_backend, self.training_workers, self.dask_scheduler)

    @property
    def runs_dir(self) -> Path:
        """One folder per training run."""
        return self.warehouse_dir / "models"

    @property
    def steps_dir(self) -> Path:
        """What steps that work on files alone remember of what they made."""
        return self.warehouse_dir / "steps"

    @property
    def reports_dir(self) -> Path:
        """One folder per daily page; `latest` is the newest."""
        return self.warehouse_dir / "reports"

    @property
    def spark_dir(self) -> Path:
        """Raw tables for Spark, what it built, and its catalogue."""
        return self.warehouse_dir / "spark"

    @property
    def dbt_variables(self) -> dict[str, str]:
        """Variables of the dbt project that are set by whoever runs it."""
        return {"ticket_scope": self.ticket_scope}

    @contextmanager
    def dbt_environment(self, target: str = "duckdb") -> Iterator[None]:
        """Hand dbt, a child process, its target, the absolute paths of what it works on, and its memory.

        Of a part of the models only those tests are run that need no model which may not be there yet.
        """
        names = {
            "DBT_TARGET": target,
            "SPARK_MASTER": self.spark_master,
            "SPARK_DIR": str(self.spark_dir),
            "PIPELINE_DATABASE": str(self.pipeline_database),
            "DUCKDB_MEMORY_LIMIT": self.duckdb_memory_limit,
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


def _sentence(problem: Any) -> str:
    """What is wrong with one variable; it comes by its own name or by that of its attribute."""
    name = str(problem["loc"][0])
    field = Settings.model_fields.get(name) or next(
        one for one in Settings.model_fields.values() if one.validation_alias == name
    )
    value = str(problem["input"])
    # What stands before an @ may be a password.
    is_secret = "@" in value or not field.repr
    shown = "what it cannot be" if is_secret else repr(value)
    return f"{name.upper()} is {shown}; it must be {field.description}."
