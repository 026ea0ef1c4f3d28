"""`python -m tests.bench_against REV`: what a run costs now, against what it cost at another commit.

    python -m tests.bench_against REV [--archive DIR [--alerts DIR]] [--rounds 1]

Both commits are measured in turn on this machine by this interpreter: an empty warehouse, the same input
once more, and with an archive then 100 changed issues. The table has seconds of wall time and of processor,
the peak memory of all processes together, and the ratios.
"""

import argparse
import gzip
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

from packaging.version import Version

from tests.cost import Watch
from tests.paths import ALERT_BATCHES, ROOT

FIGURES = {"wall": "s", "cpu": "s", "peak": "MB"}
CHANGED_ISSUES = 100


def main() -> None:
    """Measure both commits and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_against", description=__doc__.split("\n")[0])
    parser.add_argument("revision", help="the commit to compare with")
    parser.add_argument("--archive", type=Path, help="folder of dumps to run in place of the sample")
    parser.add_argument("--alerts", type=Path, default=ALERT_BATCHES, help="alert batches beside an archive")
    parser.add_argument("--rounds", type=int, default=1, help="the medians of so many are compared")
    options = parser.parse_args()
    found: dict[str, list[dict[str, dict[str, float]]]] = {options.revision: [], "now": []}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    with checked_out(options.revision) as old:
        for difference in differing_versions(old):
            print(f"not as its lock has it: {difference}")
        for _ in range(options.rounds):
            for name, code in ((options.revision, old), ("now", ROOT)):
                found[name].append(measured(code, options.archive, options.alerts))
    print(f"load {os.getloadavg()[0]:.1f} after\n\n{table(found[options.revision], found['now'])}")


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """A work tree of the commit in a temporary folder, with this environment."""
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "code"
        subprocess.run([*git, "add", "--quiet", "--detach", str(code), revision], check=True)
        try:
            (code / ".venv").symlink_to(Path(sys.prefix))
            yield code
        finally:
            subprocess.run([*git, "remove", "--force", str(code)], check=True)


def differing_versions(code: Path) -> list[str]:
    """What the lock of a commit pins otherwise than this environment has it."""
    differing = []
    for name, pinned in re.findall(r"(?m)^([\w.-]+)==([^\s;\\]+)", (code / "requirements.lock").read_text()):
        try:
            if Version(version(name)) != Version(pinned):
                differing.append(f"{name} {version(name)}, {pinned} there")
        except PackageNotFoundError:
            continue  # of another platform, or needed by no code that runs here
    return differing


def measured(code: Path, archive: Path | None, alerts: Path) -> dict[str, dict[str, float]]:
    """The figures of every run in a new warehouse, by its name."""
    with tempfile.TemporaryDirectory() as folder:
        dumps = Path(folder) / "dumps"
        environment = {"WAREHOUSE_DIR": f"{folder}/warehouse", "DAGSTER_HOME": f"{folder}/dagster"}
        (Path(folder) / "dagster").mkdir()
        dagster_yaml = code / ".dagster" / "dagster.yaml"
        if dagster_yaml.is_file():
            (Path(folder) / "dagster" / "dagster.yaml").write_text(dagster_yaml.read_text())
        if archive is None:
            environment |= {"ISSUES_SOURCE": "sample"}
        else:
            dumps.mkdir()
            for dump in archive.glob("*.jsonl.gz"):
                (dumps / dump.name).symlink_to(dump.resolve())
            environment |= {"ISSUES_SOURCE": "archive", "ISSUES_ARCHIVE": str(dumps)}
            environment |= {"ALERT_BATCHES": str(alerts.resolve())} if alerts.is_dir() else {}
        prepare(code)
        result = {name: cost(command_of(code), code, environment) for name in ("empty", "unchanged")}
        if archive is not None:
            change(dumps)
            result["100 changed"] = cost(command_of(code), code, environment)
        return result


def prepare(code: Path) -> None:
    """Parse the dbt project, as `make setup` does: it is no part of a run."""
    command = [sys.executable, "-c", "import orchestration.definitions"]
    if not (code / "orchestration" / "terminal").is_dir():  # Today's code parses when it is imported.
        dbt = [str(Path(sys.executable).with_name("dbt")), "parse", "--quiet"]
        command = [*dbt, "--project-dir", "dbt_project", "--profiles-dir", "dbt_project"]
    subprocess.run(command, cwd=code, check=True, stdout=subprocess.DEVNULL)


def command_of(code: Path) -> list[str]:
    """What `make run` does in a commit."""
    if (code / "orchestration" / "terminal").is_dir():
        return [sys.executable, "-m", "orchestration", "run", "--quiet"]
    dagster = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "orchestration.definitions"]
    return [*dagster, "--select", "*"]


def cost(command: list[str], code: Path, environment: dict[str, str]) -> dict[str, float]:
    """Wall and processor seconds of a command and all that it starts, and their peak memory together."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            command, cwd=code, env={**os.environ, **environment}, stdout=said, stderr=subprocess.STDOUT
        )
        with Watch(process.pid) as watch:
            code_of_exit = process.wait()
        if code_of_exit:
            said.seek(0)
            raise SystemExit(f"The run in {code} failed:\n{said.read()[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": time.perf_counter() - started, "cpu": used, "peak": watch.peak}


def change(dumps: Path) -> None:
    """Add a dump in which the first open issues have another title, a second later."""
    with gzip.open(dumps / "zz-changed.jsonl.gz", "wt") as changed:
        opened = (issue for issue in issues(dumps) if issue["state"] == "open" and not issue["pull_request"])
        for issue in islice(opened, CHANGED_ISSUES):
            later = datetime.fromisoformat(issue["updated_at"]) + timedelta(seconds=1)
            edited = {"title": f"{issue['title']} (edited)", "updated_at": f"{later:%Y-%m-%dT%H:%M:%SZ}"}
            changed.write(json.dumps({**issue, **edited}) + "\n")


def issues(dumps: Path) -> Iterator[dict[str, Any]]:
    """The records of all dumps."""
    for dump in sorted(dumps.glob("*.jsonl.gz")):
        if dump.is_symlink():
            with gzip.open(dump, "rt") as lines:
                yield from map(json.loads, lines)


def table(old: list[dict[str, dict[str, float]]], now: list[dict[str, dict[str, float]]]) -> str:
    """The medians of both commits and their ratios, a line per run and figure."""
    lines = [f"{'run':<12}{'figure':<8}{'before':>10}{'now':>10}{'ratio':>8}"]
    for run in now[0]:
        for figure, unit in FIGURES.items():
            was, is_now = (statistics.median(one[run][figure] for one in them) for them in (old, now))
            lines.append(
                f"{run:<12}{figure:<8}{was:>8.1f} {unit:<2}{is_now:>7.1f} {unit:<2}{is_now / was:>7.2f}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
