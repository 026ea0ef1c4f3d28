"""`make bench`: what each stage of the whole job costs, beside what was kept last; written to bench.json.

    python -m tests.bench [--archive DIR] [--jobs sample archive] [--output bench.json]

Each job runs in a process and a folder of its own, so that nothing is left over from an earlier run. What was
kept (`last_bench.json`, a bench.json of before) is told as this machine would need it, by a fixed loop that
was timed on both. Nothing here is asserted.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.cost import Watch
from tests.paths import ALERT_BATCHES, ISSUES, ROOT

LAST = Path(__file__).with_name("last_bench.json")
LIBRARIES = ("dagster", "dbt-core", "duckdb", "scikit-learn", "xgboost", "lightgbm", "fairlearn", "pandas")


def main() -> None:
    """Run every benchmark and write one JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--archive", type=Path, default=ISSUES, help="folder of dumps for the large job")
    parser.add_argument("--jobs", choices=["sample", "archive"], nargs="+", default=["sample", "archive"])
    parser.add_argument("--output", type=Path, default=ROOT / "bench.json")
    parser.add_argument("--job", choices=["sample", "archive"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(pipeline()))
        return
    report: dict[str, Any] = {"machine": machine(), "jobs": {}}
    if "sample" in options.jobs:
        report["jobs"]["sample"] = in_a_process("sample", {"ISSUES_SOURCE": "sample"})
    if "archive" in options.jobs and options.archive.is_dir():
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
    # Without figures that were kept, those of now stand alone.
    print(table(report, json.loads(LAST.read_text()) if LAST.is_file() else report | {"jobs": {}}))


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpus": os.cpu_count(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "loop_seconds": calibration(),
        "load_before": os.getloadavg()[0],
        "versions": {name: version(name) for name in LIBRARIES},
    }


def calibration() -> float:
    """Processor seconds of a fixed loop, the least of several: how fast this machine is."""
    took = []
    for _ in range(7):
        started = time.process_time()
        sum(number * number % 7 for number in range(2_000_000))
        took.append(time.process_time() - started)
    return round(min(took), 4)


def table(report: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    """A line per stage; the ratio is of processor seconds to those kept, as this machine would need them."""
    faster = report["machine"]["loop_seconds"] / last["machine"]["loop_seconds"]
    lines = [f"{'stage':<36}{'wall s':>9}{'CPU s':>9}{'kept':>9}{'ratio':>7}{'peak MB':>9}{'rows':>10}"]
    for job, stages in report["jobs"].items():
        kept = last["jobs"].get(job, {})
        for stage, one in stages.items():
            before = kept.get(stage, {}).get("cpu", 0.0) * faster
            compared = f"{before:>9.1f}{one['cpu'] / before:>7.2f}" if before else " " * 16
            lines.append(
                f"{f'{job} {stage}':<36}{one['wall']:>9.1f}{one['cpu']:>9.1f}{compared}{one['peak']:>9.0f}"
                f"{one['rows'] or '':>10}"
            )
    return "\n".join(lines)


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


def pipeline() -> dict[str, dict[str, float | None]]:
    """Materialize everything here and now; what the import, every step and all together cost."""
    with Watch(os.getpid()) as watch:
        started = time.time()
        from dagster import DagsterEventType, DagsterInstance
        from joblib.externals.loky import get_reusable_executor

        from orchestration.definitions import defs

        imported = time.time()
        with DagsterInstance.ephemeral() as instance:
            result = defs.resolve_job_def("everything").execute_in_process(instance=instance)
            logged = instance.all_logs(result.run_id)
        ended = time.time()
        # The processor time of workers is their parent's when they are gone.
        get_reusable_executor().shutdown(wait=True)
        time.sleep(1)
    began, stages, rows = {}, {"import": (started, imported)}, Counter()
    for entry in logged:
        step, event = entry.step_key, entry.dagster_event
        if event is None or step is None:
            continue
        if event.event_type == DagsterEventType.STEP_START:
            began[step] = entry.timestamp
        elif event.event_type == DagsterEventType.STEP_SUCCESS:
            stages[step] = began[step], entry.timestamp
        elif event.event_type == DagsterEventType.ASSET_MATERIALIZATION:
            counted = event.step_materialization_data.materialization.metadata.get("dagster/row_count")
            rows[step] += counted.value if counted else 0
    stages["total"] = started, ended
    figures = {}
    for stage, (start, end) in stages.items():
        used, peak = watch.between(start, end)
        figures[stage] = {
            "wall": round(end - start, 2),
            "cpu": round(used, 2),
            "peak": round(peak),
            "rows": rows[stage] or None,
        }
    return figures


if __name__ == "__main__":
    main()
