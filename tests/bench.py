"""`make bench`: seconds per stage of the whole job, written to bench.json. Nothing here is asserted.

    python -m tests.bench [--archive DIR] [--output bench.json]

Each job runs in a process and a folder of its own, so that nothing is left over from an earlier run.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.paths import ALERT_BATCHES, ISSUES, ROOT

LIBRARIES = ("dagster", "dbt-core", "duckdb", "scikit-learn", "xgboost", "lightgbm", "fairlearn", "pandas")


def main() -> None:
    """Run every benchmark and write one JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--archive", type=Path, default=ISSUES, help="folder of dumps for the large job")
    parser.add_argument("--output", type=Path, default=ROOT / "bench.json")
    parser.add_argument("--job", choices=["sample", "archive"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(pipeline()))
        return
    report = {"machine": machine(), "jobs": {}}
    report["jobs"]["sample"] = in_a_process("sample", {"ISSUES_SOURCE": "sample"})
    if options.archive.is_dir():
        archive = {"ISSUES_SOURCE": "archive", "ISSUES_ARCHIVE": str(options.archive.resolve())}
        archive |= {"ALERT_BATCHES": str(ALERT_BATCHES)} if ALERT_BATCHES.is_dir() else {}
        report["jobs"]["archive"] = in_a_process("archive", archive)
    from tests.bench_bias import benchmark_bias
    from tests.bench_github import bench

    report["bias"] = benchmark_bias()
    report["github"] = bench()
    report["machine"]["load_after"] = os.getloadavg()[0]
    options.output.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written to {options.output}", file=sys.stderr)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpus": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
        "versions": {name: version(name) for name in LIBRARIES},
    }


def in_a_process(job: str, environment: dict[str, str]) -> dict[str, Any]:
    """The whole pipeline in a fresh process and an empty warehouse."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.bench", "--job", job]
        settings = {**os.environ, **environment, "WAREHOUSE_DIR": folder, "DAGSTER_HOME": ""}
        settings.pop("DAGSTER_HOME")
        answer = subprocess.run(
            command, env=settings, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
        )
        return json.loads(answer.stdout.splitlines()[-1])


def pipeline() -> dict[str, Any]:
    """Materialize everything here and now; seconds per step, and the largest resident memory."""
    started = time.perf_counter()
    from dagster import DagsterEventType, DagsterInstance

    from orchestration.definitions import defs

    imported = time.perf_counter()
    with DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("everything").execute_in_process(instance=instance)
    steps = {
        event.step_key: round(event.event_specific_data.duration_ms / 1000, 2)
        for event in result.all_events
        if event.event_type == DagsterEventType.STEP_SUCCESS
    }
    usage = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "seconds": {
            "import": round(imported - started, 2),
            **steps,
            "total": round(time.perf_counter() - started, 2),
        },
        "peak_memory_mb": {"pipeline": usage[0] // 1024, "children": usage[1] // 1024},
    }


if __name__ == "__main__":
    main()
