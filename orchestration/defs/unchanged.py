"""A step whose inputs are as they were is not made again: it says so, and what it made stays."""

import inspect
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg

from ml.store.files import sha256_of_file
from ml.store.promotions import Promotions
from orchestration.defs.resources import PUBLICATION, Project
from orchestration.store.served import load_served
from orchestration.store.steps import Made, StepFiles, StepTable, hashes_of, made_from

Make = TypeVar("Make", bound=Callable[..., Any])
Also = Callable[[Project, Any], object]
Files = Callable[[Project, Mapping[str, Any]], Iterable[Path]]
Inputs = Callable[[Project], Mapping[str, str]]
# What a log line begins with that tells of a step that is not made again; the terminal looks for it.
UNCHANGED = "unchanged: "
ALL = "*"
# The asset that is made after whatever else publishes in the same run.
LAST = dg.AssetKey("report")
# Stands in what a step told for the folder of the warehouse, which may be moved.
_WAREHOUSE = "<warehouse>"


def journal_of_promotions(project: Project, config: object) -> str | None:
    """What the journal of the promotions holds, which people write to, too."""
    journal = Promotions(project.settings().runs_dir).path
    return sha256_of_file(journal) if journal.is_file() else None


def _nothing_else(project: Project, config: object) -> None:
    return None


def _no_files(project: Project, said: Mapping[str, Any]) -> Iterable[Path]:
    return ()


@dataclass(frozen=True)
class _Rules:
    reads: tuple[str, ...]
    also: Also
    files: Files
    inputs: Inputs | None


def unless_unchanged(
    *,
    reads: Iterable[str] = (),
    also: Also = _nothing_else,
    files: Files = _no_files,
    inputs: Inputs | None = None,
) -> Callable[[Make], Make]:
    """Make an asset's function say "unchanged" in place of doing the same again.

    What decides is the code, the configuration, the settings that figures depend on, and the versions of all
    that the asset depends on. The function gets a `project`, and gives one `MaterializeResult` or none; the
    data version of the result is what later steps go by, and otherwise all that decided it.

    Parameters
    ----------
    reads : iterable of str
        Assets that it reads although it does not depend on them; `ALL` for every other one.
    also : callable (project, config) -> plain value
        What else decides, such as the day, or a file that no asset writes.
    files : callable (project, metadata) -> paths
        Those of its files that must be as they were.
    inputs : callable (project) -> versions by name
        Of a step that works on files alone, the versions of what it depends on. What it made is remembered in
        a file, too, and no database is opened: it may run on another machine.
    """
    rules = _Rules(tuple(reads), also, files, inputs)

    def decorate(make: Make) -> Make:
        @wraps(make)
        def made(*context: Any, **given: Any) -> Iterator[dg.MaterializeResult]:
            yield from _made(make, rules, context, given)

        return made  # type: ignore[return-value]

    return decorate


def _made(
    make: Callable[..., Any], rules: _Rules, context: tuple[Any, ...], given: dict[str, Any]
) -> Iterator[dg.MaterializeResult]:
    run, project = dg.AssetExecutionContext.get(), given["project"]
    step, warehouse_dir = run.asset_key.to_user_string(), project.settings().warehouse_dir
    with _record(project, rules) as (record, known):
        before = record.made_by(step)
        decided = _decided(run, project, rules, given.get("config"), known)
        if before and not (before.made_from == decided and before.is_intact(warehouse_dir)):
            record.forget(step)
            before = None
    if before:
        run.log.info("%swhat it reads is as it was when it was made.", UNCHANGED)
        _let_read(run, project, rules)
        yield _said_again(before, warehouse_dir)
        return
    done = make(*context, **given)
    results = list(done) if inspect.isgenerator(done) else [done]
    for result in results:
        with _record(project, rules) as (record, known):
            # Once more: some steps write what they read.
            decided = _decided(run, project, rules, given.get("config"), known)
            if decided:
                version = result.data_version.value if result.data_version else decided
                said = dict(result.metadata or {})
                kept = hashes_of(rules.files(project, said), warehouse_dir)
                told = _as_text(result).replace(str(warehouse_dir), _WAREHOUSE)
                record.remember(Made(step, decided, version, kept, told))
                result = _of_version(result, version)
        _let_read(run, project, rules)
        yield result


@contextmanager
def _record(project: Project, rules: _Rules) -> Iterator[tuple[StepFiles | StepTable, Mapping[str, str]]]:
    """Where it is remembered what a step made, and the versions of what it may depend on."""
    settings = project.settings()
    files = StepFiles(settings.steps_dir)
    if rules.inputs:
        yield files, rules.inputs(project)
        return
    with project.database() as database:
        load_served(database, settings.runs_dir)
        table = StepTable(database)
        yield table, table.versions() | files.versions()


def _let_read(run: dg.AssetExecutionContext, project: Project, rules: _Rules) -> None:
    """Write the published file if it is behind, and nothing later in the run does."""
    job = run.job_def
    is_later = run.asset_key != LAST and LAST in job.asset_layer.executable_asset_keys
    if not rules.inputs and not (is_later and project.writes_at_the_end(job.executor_def.name)):
        project.write_published()


def _decided(
    run: dg.AssetExecutionContext,
    project: Project,
    rules: _Rules,
    config: dg.Config | None,
    known: Mapping[str, str],
) -> str:
    """The hash of what decides what comes out; empty where something that is read is of no known version."""
    settings = project.settings()
    step = run.asset_key.to_user_string()
    needed = {key.to_user_string() for key in run.assets_def.asset_deps[run.asset_key]}
    if not needed <= set(known):
        return ""
    read = {*needed, *(known if ALL in rules.reads else rules.reads)} - {step, PUBLICATION}
    return made_from(
        step=step,
        config=None if config is None else config.model_dump(mode="json"),
        settings={"web": settings.github_web_url, **settings.dbt_variables},
        read={name: known.get(name) for name in sorted(read)},
        also=rules.also(project, config),
    )


def _of_version(result: dg.MaterializeResult, version: str) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        metadata=result.metadata,
        check_results=result.check_results,
        data_version=dg.DataVersion(version),
    )


def _as_text(result: dg.MaterializeResult) -> str:
    checks = [
        {
            "check_name": check.check_name,
            "passed": check.passed,
            "severity": check.severity.value,
            "description": check.description,
            "metadata": _packed(check.metadata),
        }
        for check in result.check_results or ()
    ]
    return json.dumps({"metadata": _packed(result.metadata), "checks": checks})


def _said_again(before: Made, warehouse_dir: Path) -> dg.MaterializeResult:
    said = json.loads(before.said.replace(_WAREHOUSE, str(warehouse_dir)))
    checks = [
        dg.AssetCheckResult(
            check_name=check["check_name"],
            passed=check["passed"],
            severity=dg.AssetCheckSeverity(check["severity"]),
            description=check["description"],
            metadata=_unpacked(check["metadata"]),
        )
        for check in said["checks"]
    ]
    return dg.MaterializeResult(
        metadata={**_unpacked(said["metadata"]), "unchanged": True},
        check_results=checks,
        data_version=dg.DataVersion(before.version),
    )


def _packed(metadata: Mapping[str, Any] | None) -> str:
    return dg.serialize_value(dict(metadata or {}))


def _unpacked(text: str) -> dict[str, Any]:
    return dict(dg.deserialize_value(text, as_type=dict))
