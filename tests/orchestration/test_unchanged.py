"""A step is made again when something that decides it changed, and only then."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.defs.resources import Project
from orchestration.defs.unchanged import unless_unchanged
from orchestration.domains import registry
from orchestration.store.results import DDL
from orchestration.store.warehouse import open_pipeline_database

Run = Callable[..., tuple[list[str], dg.ExecuteInProcessResult]]
DOMAIN = next(iter(registry().values()))


class Much(dg.Config):
    how: int = 1


def steps(folder: Path, made: list[str]) -> list[dg.AssetsDefinition]:
    """Two steps, one after the other: the first gives what it is told, the second writes a file of it."""

    @dg.asset(output_required=False)
    @unless_unchanged()
    def first(config: Much, project: Project):
        made.append("first")
        if config.how:
            yield dg.MaterializeResult(data_version=dg.DataVersion(str(config.how % 10)))

    @dg.asset(deps=[first], check_specs=[dg.AssetCheckSpec("fine", asset="second")])
    @unless_unchanged(
        also=lambda project, config: (folder / "also").exists(),
        files=lambda project, said: [Path(said["file"].path)],
    )
    def second(project: Project) -> dg.MaterializeResult:
        made.append("second")
        file = project.settings().warehouse_dir / "file"
        file.write_text("whole")
        project.publish(DOMAIN)
        check = dg.AssetCheckResult(check_name="fine", passed=False, severity=dg.AssetCheckSeverity.WARN)
        return dg.MaterializeResult(
            metadata={"file": dg.MetadataValue.path(str(file))}, check_results=[check]
        )

    return [first, second]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run both steps, and say which of them were made."""
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    with open_pipeline_database(tmp_path / "pipeline.duckdb") as database:
        database.execute(DDL)

    def once(how: int = 1) -> tuple[list[str], dg.ExecuteInProcessResult]:
        made: list[str] = []
        config = {"ops": {"first": {"config": {"how": how}}}}
        done = dg.materialize(steps(tmp_path, made), resources={"project": Project()}, run_config=config)
        return made, done

    return once


def test_only_what_changed_is_made_again(run: Run, tmp_path: Path) -> None:
    everything = ["first", "second"]
    assert run()[0] == everything
    made, done = run()
    assert made == []
    # What it said stays to be seen, its check with it.
    (told,) = done.asset_materializations_for_node("second")
    assert told.metadata["file"] == dg.MetadataValue.path(str(tmp_path / "file"))
    assert told.metadata["unchanged"].value is True
    (check,) = done.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.severity) == ("fine", False, dg.AssetCheckSeverity.WARN)

    # Other settings that give the same concern nobody else.
    assert run(how=11)[0] == ["first"]
    assert run(how=2)[0] == everything
    # A step without a result is tried each time; what follows it is not run.
    assert run(how=0)[0] == ["first"]
    assert run(how=0)[0] == ["first"]
    assert run(how=2)[0] == ["first"], "what followed was made from just that"

    (tmp_path / "also").touch()
    assert run(how=2)[0] == ["second"]
    (tmp_path / "file").write_text("broken")
    assert run(how=2)[0] == ["second"]
    (tmp_path / "warehouse.duckdb").write_bytes(b"somebody wrote here")
    assert run(how=2)[0] == []
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as published:
        assert published.sql("select count(*) from ml.models").fetchall() == [(0,)]


def test_the_published_file_is_written_once_before_the_daily_page_and_at_the_end_of_what_fails(
    run: Run, tmp_path: Path
) -> None:
    file, seen = tmp_path / "warehouse.duckdb", []

    def publishing(project: Project) -> dg.MaterializeResult:
        seen.append(file.exists())
        project.publish(DOMAIN)
        return dg.MaterializeResult()

    @dg.asset
    @unless_unchanged(also=lambda project, config: (tmp_path / "one").exists())
    def one(project: Project) -> dg.MaterializeResult:
        return publishing(project)

    @dg.asset(deps=[one])
    @unless_unchanged(also=lambda project, config: [(tmp_path / name).exists() for name in ("two", "fails")])
    def two(project: Project) -> dg.MaterializeResult:
        if (tmp_path / "fails").exists():
            raise ValueError("no")
        return publishing(project)

    @dg.asset(deps=[two])
    @unless_unchanged()
    def report(project: Project) -> dg.MaterializeResult:
        project.write_published()
        seen.append(file.exists())
        return dg.MaterializeResult()

    def done(*assets: dg.AssetsDefinition) -> tuple[bool, list[bool]]:
        seen.clear()
        file.unlink(missing_ok=True)
        result = dg.materialize(
            [one, two, report], selection=assets, resources={"project": Project()}, raise_on_error=False
        )
        return result.success and file.exists(), list(seen)

    assert done(one, two, report) == (True, [False, False, True])
    assert done(one, two, report) == (True, []), "what is gone is written again, and nothing else made again"
    for name in ("one", "two"):
        (tmp_path / name).touch()
    assert done(one, two) == (True, [False, True]), "without the page each step publishes"
    (tmp_path / "one").unlink()
    (tmp_path / "fails").touch()
    assert done(one, two, report) == (False, [False])
    assert file.exists(), "what was ready is published although the run failed"


def test_a_step_on_files_opens_no_database_and_heeds_no_damaged_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    for name in ("pipeline.duckdb", "warehouse.duckdb"):
        (tmp_path / name).write_text("no database")
    calls = []

    @dg.asset(deps=["taken"])
    @unless_unchanged(
        inputs=lambda project: {"taken": (tmp_path / "taken").read_text()},
        files=lambda project, said: [tmp_path / "made"],
    )
    def learned(project: Project) -> dg.MaterializeResult:
        calls.append(1)
        if (tmp_path / "taken").read_text() == "bad":
            raise ValueError("no")
        (tmp_path / "made").write_text("whole")
        return dg.MaterializeResult()

    def made(taken: str) -> int:
        (tmp_path / "taken").write_text(taken)
        before = len(calls)
        dg.materialize([learned], resources={"project": Project()}, raise_on_error=False)
        return len(calls) - before

    taken = ("one", "one", "two", "bad", "two", "two")
    assert [made(one) for one in taken] == [1, 0, 1, 1, 1, 0]
    (record,) = (tmp_path / "steps").iterdir()
    whole = record.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"\xff\n{}", b"[]", whole.replace(b"whole", b"w")[:-9]):
        record.write_bytes(damaged)
        assert [made("two"), made("two")] == [1, 0], damaged
    record.unlink()
    (tmp_path / "made").unlink()
    assert [made("two"), made("two")] == [1, 0]
    assert (tmp_path / "pipeline.duckdb").read_text() == "no database"


def test_what_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    calls = []

    @dg.asset
    @unless_unchanged(also=lambda project, config: (tmp_path / "fails").exists())
    def fragile(project: Project) -> dg.MaterializeResult:
        calls.append(1)
        if (tmp_path / "fails").exists():
            raise ValueError("no")
        return dg.MaterializeResult()

    def once() -> bool:
        return dg.materialize([fragile], resources={"project": Project()}, raise_on_error=False).success

    assert once() and once() and len(calls) == 1
    (tmp_path / "fails").touch()
    assert not once()
    (tmp_path / "fails").unlink()
    assert once() and len(calls) == 3, "what a step that failed has left is not what it had made"
