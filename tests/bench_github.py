"""Seconds, requests, points and memory of collecting 61,271 generated issues; nothing here is asserted.

    python -m tests.bench_github [--issues 61271]

The fake and each collecting run have a process of their own: the client's memory and time are its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.paths import ROOT

ISSUES = 61_271
CHANGED = 100
REPOSITORY = "owner/name"


def bench(issues: int = ISSUES) -> dict[str, Any]:
    """Backfill of `issues` issues, their loading, and the increment after 100 changes.

    Returns
    -------
    dict
        For each run: requests, points, seconds in all, seconds that the server took, the rest of them
        (`own_seconds`, and per issue in ms), CPU seconds, and peak resident memory of the process (MB).
    """
    with tempfile.TemporaryDirectory() as folder, _fake(issues) as fake:
        report = {
            "issues": issues,
            "load_before": round(os.getloadavg()[0], 2),
            "backfill": _run(fake, Path(folder), "fetch"),
            "load": _run(fake, Path(folder), "load"),
        }
        fake.tell(f"edit {CHANGED}")
        report["increment"] = {"changed": CHANGED, **_run(fake, Path(folder), "fetch")}
        report["load_increment"] = _run(fake, Path(folder), "load")
        report["load_after"] = round(os.getloadavg()[0], 2)
        return report


class _Fake:
    """The fake in another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout
        self.address = json.loads(process.stdout.readline())

    def tell(self, command: str) -> dict[str, Any]:
        """One command, one answer."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def _fake(issues: int) -> Iterator[_Fake]:
    command = [sys.executable, "-m", "tests.fake_github", "--repository", REPOSITORY, "--issues", str(issues)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield _Fake(process)
        assert process.stdin
        process.stdin.close()


def _run(fake: _Fake, folder: Path, stage: str) -> dict[str, Any]:
    before = fake.tell("account")
    command = [sys.executable, "-m", "tests.bench_github", "--stage", stage, "--folder", str(folder)]
    command += ["--base", fake.address["base"], "--token", fake.address["token"]]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if stage == "fetch":
        after = fake.tell("account")
        report |= {name: after[name] - before[name] for name in ("requests", "points")}
        # By the fake's own clock: what the answers took on the way counts as the client's work.
        served = after["server_seconds"] - before["server_seconds"]
        own = report["seconds"] - served
        report |= {
            "server_seconds": round(served, 2),
            "own_seconds": round(own, 2),
            "own_ms_per_issue": round(1000 * own / max(report["issues_landed"], 1), 3),
        }
    return report


def fetch(base: str, token: str, folder: Path) -> dict[str, Any]:
    """Fetch what is new; what this process needed for it."""
    from orchestration.domains.tickets.sources.github import GitHubSource

    source = GitHubSource(tokens=(token,), repositories=(REPOSITORY,), api_url=base)
    started, worked = time.perf_counter(), time.process_time()
    source.land(folder / "landing")
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    assert not source.failures, source.failures
    landed = sum(report.issues for report in source.reports)
    return {
        "issues_landed": landed,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(worked, 2),
        "cpu_ms_per_issue": round(1000 * worked / max(landed, 1), 3),
        "peak_memory_mb": _peak_memory_mb(),
    }


def load(folder: Path) -> dict[str, Any]:
    """Load what has landed; what this process needed for it."""
    from orchestration.domains.tickets.landed.loading import load_landed
    from orchestration.store.landing import describe_file
    from orchestration.store.warehouse import open_pipeline_database

    pages = sorted((folder / "landing" / "github").glob("*/*-issues.page.json.gz"))
    files = [describe_file(page, folder / "landing") for page in pages]
    started = time.perf_counter()
    with open_pipeline_database(folder / "pipeline.duckdb") as connection:
        report = load_landed(connection, files, source="github")
        rows = connection.execute("select count(*) from raw.issues").fetchone()
    return {
        "rows": rows[0] if rows else 0,
        "lines_read": report.lines_read,
        "seconds": round(time.perf_counter() - started, 2),
        "peak_memory_mb": _peak_memory_mb(),
    }


def _peak_memory_mb() -> int:
    """Peak resident memory of this program; the kernel's ru_maxrss keeps what the parent had at the fork."""
    status = Path("/proc/self/status")
    if status.is_file():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench_github", description=__doc__)
    parser.add_argument("--issues", type=int, default=ISSUES)
    for name in ("--stage", "--base", "--token", "--folder"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage == "fetch":
        print(json.dumps(fetch(options.base, options.token, Path(options.folder))))
    elif options.stage == "load":
        print(json.dumps(load(Path(options.folder))))
    else:
        print(json.dumps(bench(options.issues), indent=2))


if __name__ == "__main__":
    main()
